package storetest

import (
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Who is online works while they own a conversation that is not snoozed, or wrap one up; who is offered one does not yet,
// and who is away is not counted.
func testCountOnline(t *testing.T, s store.Store) {
	want := func(online, working int) {
		t.Helper()
		view(t, s, func(r store.Reader) error {
			o, w, err := r.CountOnline()
			same(t, "online", online, o)
			same(t, "working", working, w)
			return err
		})
	}
	is := func(p conversation.Person, state store.PresenceState) {
		update(t, s, func(tx store.Tx) error {
			return tx.SetPresence(store.Presence{Email: p.Email, State: state, Until: t0.Add(time.Hour)})
		})
	}
	want(0, 0)
	is(anna, store.Online)
	is(boris, store.Away)
	started(t, s, "c1", t0)
	moved(t, s, "c1", writes("m", "Hello?"), handsOff(t0), offers(anna, 1, t0.Add(time.Minute)))
	want(1, 0)
	moved(t, s, "c1", func(c conversation.Conversation) (conversation.Change, error) { return c.Accept(anna, "", t0) })
	want(1, 1)
	moved(t, s, "c1", func(c conversation.Conversation) (conversation.Change, error) {
		return c.Snooze(anna, t0.Add(time.Hour), t0)
	})
	want(1, 0)
	started(t, s, "c2", t0)
	for _, who := range []conversation.Person{anna, boris} {
		moved(t, s, "c2", func(c conversation.Conversation) (conversation.Change, error) {
			return c.BeginWrapUp(conversation.WrapUp{Agent: who, Since: t0, Until: t0.Add(time.Hour)}, t0)
		})
	}
	want(1, 1)
	is(boris, store.Online)
	want(2, 2)
	is(anna, store.Offline)
	want(1, 1)
}
