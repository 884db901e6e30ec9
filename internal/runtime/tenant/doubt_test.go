package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// doubtful is a store whose next commit of a change comes through and is told as an error.
type doubtful struct {
	store.Store
	next atomic.Pointer[error]
}

type savingTx struct {
	store.Tx
	saved *bool
}

func (x savingTx) Save(c conversation.Change) error {
	*x.saved = true
	return x.Tx.Save(c)
}

func (s *doubtful) wrap(under store.Store) store.Store {
	s.Store = under
	return s
}

func (s *doubtful) Update(ctx context.Context, fn func(store.Tx) error) error {
	saved := false
	if err := s.Store.Update(ctx, func(tx store.Tx) error { return fn(savingTx{tx, &saved}) }); err != nil || !saved {
		return err
	}
	if told := s.next.Swap(nil); told != nil {
		return *told
	}
	return nil
}

// A message whose commit was in doubt, or whose sender hung up meanwhile, is answered, though nobody sends it again.
func TestMessageInDoubtIsAnswered(t *testing.T) {
	t.Parallel()
	for name, told := range map[string]error{
		"the connection is lost in the commit": fmt.Errorf("commit, of which the outcome is unknown: %w", store.ErrUnavailable),
		"the customer hangs up":                context.Canceled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &doubtful{}
			w := New(t, Options{Wrap: s.wrap})
			id, _ := w.OpenConversation()
			s.next.Store(&told)
			if _, err := w.Say(t.Context(), id, "1", Question); !errors.Is(err, told) {
				t.Fatalf("told %v", err)
			}
			w.AwaitAnswer(id, w.AwaitType(id, conversation.EventMessage, 1).Seq)
		})
	}
}

// Whoever repeats a message that is in the log already, and not answered, gets the answer.
func TestRepeatedMessageIsAnswered(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	id, _ := w.OpenConversation()
	w.Send(id, "0", Question)
	w.AwaitAnswer(id, w.AwaitType(id, conversation.EventMessage, 1).Seq)
	if err := w.Write(id, Question); err != nil { // the commit came through after it was looked for
		t.Fatal(err)
	}
	again := w.Send(id, "written-0", Question)
	w.AwaitAnswer(id, again.Seq)
}

// A commit that came through after it was looked for, and that nobody repeats, is found by the safety read.
func TestForgottenMessageIsAnswered(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	id, _ := w.OpenConversation()
	w.Clock.AwaitTimer(t, w.Clock.Now().Add(5*time.Minute))
	if err := w.Write(id, Question); err != nil {
		t.Fatal(err)
	}
	w.Clock.Step(5 * time.Minute)
	w.AwaitAnswer(id, w.AwaitType(id, conversation.EventMessage, 1).Seq)
}
