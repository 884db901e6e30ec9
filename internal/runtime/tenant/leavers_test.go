package tenant_test

import (
	"context"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
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
