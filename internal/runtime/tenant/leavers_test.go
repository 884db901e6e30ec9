package tenant_test

import (
	"context"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// watched is a store that tells when all open offers are read.
type watched struct {
	store.Store
	reads chan struct{}
}

func (s watched) View(ctx context.Context, fn func(store.Reader) error) error {
	return s.Store.View(ctx, func(r store.Reader) error { return fn(watchedReader{r, s.reads}) })
}

type watchedReader struct {
	store.Reader
	reads chan struct{}
}

func (r watchedReader) Offered() ([]conversation.Conversation, error) {
	all, err := r.Reader.Offered()
	r.reads <- struct{}{}
	return all, err
}

// All open offers are read when the table changes, and not for each of them. An offer that was made by the table before,
// and committed after that, ends nevertheless.
func TestOffersOfLeaversAreLookedForWhenTheTableChanges(t *testing.T) {
	t.Parallel()
	reads := make(chan struct{}, 1000)
	f := &faults{}
	w := New(t, Options{Table: Table(2, 4), Wrap: func(s store.Store) store.Store { return watched{f.wrap(s), reads} }})
	w.SetState("a1", store.Online)
	for range 3 {
		accepted(t, w, "a1")
	}
	if n := len(reads); n > 2 { // for those who left, and to look at all that waits with a new table
		t.Fatalf("the open offers were read %d times for one table", n)
	}

	reached, goOn := f.pause(func(c conversation.Change) bool { return c.Conversation.Offer != nil })
	id, _ := w.OpenConversation()
	w.Send(id, "1", Human)
	<-reached
	w.UseTable(Table(1, 4)) // without a1
	close(goOn)
	offeredTo(t, w, id, 1, "a1")
	w.AwaitType(id, conversation.EventOfferWithdrawn, 1)
}

// shared is a store that other replicas use too.
type shared struct{ store.Store }

func (shared) Shared() bool { return true }

// Two replicas have different tables: as soon as one works by the newer, the other, which still has the older, offers
// nothing more to whom that one removed, in a handoff or from the queue. It goes on when it gets the newer table.
func TestOutdatedReplicaOffersNothing(t *testing.T) {
	t.Parallel()
	by := func(tb *routing.Table, generation int64) table.Inputs {
		in := Inputs(tb)
		in.Version = table.Version{Created: Start, Generation: generation}
		return in
	}
	use := func(w *World, in table.Inputs) {
		if err := w.Use(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	older, newer := by(Table(2, 4), 1), by(Table(1, 4), 2) // without a1
	first := New(t, Options{NoTable: true, Wrap: func(s store.Store) store.Store { return shared{s} }})
	second := New(t, Options{NoTable: true, Clock: first.Clock, Store: shared{first.Record}})
	use(first, older)
	use(second, older)
	first.SetState("a1", store.Online)
	offered, waiting := wait(first), ""
	offeredTo(t, first, offered, 1, "a1")

	use(second, newer)
	first.AwaitType(offered, conversation.EventOfferWithdrawn, 1) // so the newer one is seen
	waiting = wait(first)
	if _, err := first.SetPresence(t.Context(), older.Table.Pools[0].Agents[1], store.Online, "", Start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	second.SetState("a0", store.Online)
	for _, id := range []string{offered, waiting} {
		second.Await(id, "offer to a0", func(e conversation.Event) bool {
			return e.Type == conversation.EventOffered && e.Agent.ID == Email("a0")
		})
		if n := countType(first.Events(id), conversation.EventOffered); id == waiting && n != 1 || n > 2 {
			t.Errorf("%s was offered %d times", id, n)
		}
	}
	use(first, newer)
	offeredTo(t, first, wait(first), 1, "a0")
}
