package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Patience is how long a test waits for what has to happen before it fails. No passing test takes it.
const Patience = time.Minute

// Ear listens to a store.
type Ear struct {
	t     *testing.T
	wakes chan store.Wake
}

// Listen listens until the test ends. It returns after the first call, which says that everything has to be read.
func Listen(t *testing.T, s store.Store) *Ear {
	t.Helper()
	e := &Ear{t: t, wakes: make(chan store.Wake, 1000)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Listen(ctx, func(w store.Wake) { e.wakes <- w }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Listen ended with %v", err)
		}
	})
	e.Until("the first call", func(w store.Wake) bool { return w.Reread })
	return e
}

// Until waits for a wake-up that fits, and returns all up to it.
func (e *Ear) Until(what string, fits func(store.Wake) bool) (heard []store.Wake) {
	e.t.Helper()
	for timeout := time.After(Patience); ; {
		select {
		case w := <-e.wakes:
			if heard = append(heard, w); fits(w) {
				return heard
			}
		case <-timeout:
			e.t.Fatalf("no wake-up: %s; heard %+v", what, heard)
		}
	}
}

// settle waits until all is heard that was committed before.
func (e *Ear) settle(s store.Store) {
	e.t.Helper()
	started(e.t, s, "settled", t0)
	e.Until("all of before", About("settled"))
}

// About says whether a wake-up is about a conversation.
func About(id string) func(store.Wake) bool {
	return func(w store.Wake) bool { return slices.Contains(w.Conversations, id) }
}

func testWakesListeners(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	started(t, s, "c2", t0)
	ear := Listen(t, s)
	ear.settle(s)
	failed := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(save(tx, "c1", "", "text"), errors.New("rolled back"))
	})
	if failed == nil {
		t.Error("a failed transaction returns nil")
	}
	moved(t, s, "c2", writes("", "help"))
	for _, w := range ear.Until("a message", About("c2")) {
		if w.Queue || slices.Contains(w.Conversations, "c1") {
			t.Errorf("%+v for a message to the AI in c2", w)
		}
	}
	moved(t, s, "c2", handsOff(t0))
	ear.Until("a handoff", func(w store.Wake) bool { return About("c2")(w) && w.Queue })
	update(t, s, func(tx store.Tx) error {
		return tx.SetPresence(store.Presence{Email: anna.Email, State: store.Online, Until: t0})
	})
	ear.Until("a presence", func(w store.Wake) bool {
		return w.Queue && len(w.Conversations) == 0 && slices.Equal(w.Agents, []string{anna.Email})
	})
	update(t, s, func(tx store.Tx) error { return tx.SetDeadline(at("c1", time.Hour)) })
	ear.Until("a deadline", func(w store.Wake) bool { return w.Queue })
}

// A transaction over more conversations than one notification can name says so.
func testWakesForManyAtOnce(t *testing.T, s store.Store) {
	ear := Listen(t, s)
	long := strings.Repeat("x", 100)
	update(t, s, func(tx store.Tx) error {
		for i := range 100 {
			change := conversation.Start(conversation.Conversation{ID: fmt.Sprint(long, i)}, "", t0)
			if err := tx.Create(change, []byte("hash")); err != nil {
				return err
			}
		}
		return nil
	})
	ear.Until("of all", func(w store.Wake) bool { return w.Reread || len(w.Conversations) == 100 })
}
