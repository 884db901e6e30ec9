package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Wrap-ups of several agents after one conversation, and of one after several, each hold their units until they end, and
// the conversation's deadline is that of the first.
func testWrapUps(t *testing.T, s store.Store) {
	wrapUp := func(who conversation.Person, until time.Duration) conversation.WrapUp {
		return conversation.WrapUp{Agent: who, Pool: "p", Over: "web", Units: 2, Since: t0.Add(-time.Hour), Until: t0.Add(until)}
	}
	begin := func(id string, w conversation.WrapUp) {
		moved(t, s, id, func(c conversation.Conversation) (conversation.Change, error) { return c.BeginWrapUp(w, t0) })
	}
	end := func(id string, w conversation.WrapUp) error {
		return s.Update(t.Context(), func(tx store.Tx) error {
			c, err := tx.Conversation(id)
			if err != nil {
				return err
			}
			change, err := c.EndWrapUp(w, t0)
			return errors.Join(err, tx.Save(change))
		})
	}
	check := func(units map[string]int, next time.Time, first, mine []store.WrapUp) {
		t.Helper()
		view(t, s, func(r store.Reader) error {
			loads, err := r.Loads()
			for _, who := range []conversation.Person{anna, boris} {
				same(t, "units of "+who.Email, units[who.Email], loads[who.Email].Units)
			}
			after, err2 := r.WrapUps("c1")
			same(t, "after the first", first, after)
			of, err3 := r.WrapUpsOf(anna.Email)
			same(t, "of anna", mine, of)
			return errors.Join(err, err2, err3)
		})
		wantNext(t, s, next)
	}
	started(t, s, "c1", t0)
	started(t, s, "c2", t0)
	a1, b1, a2 := wrapUp(anna, time.Hour), wrapUp(boris, time.Minute), wrapUp(anna, 2*time.Hour)
	begin("c1", a1)
	begin("c1", b1)
	begin("c2", a2)
	both := []store.WrapUp{{Conversation: "c1", WrapUp: a1}, {Conversation: "c2", WrapUp: a2}}
	check(map[string]int{anna.Email: 4, boris.Email: 2}, b1.Until, []store.WrapUp{{Conversation: "c1", WrapUp: b1}, both[0]}, both)

	moved(t, s, "c1", writes("m", "Hello?"), handsOff(t0), offers(boris, 1, t0.Add(time.Second))) // changes nothing of them
	check(map[string]int{anna.Email: 4, boris.Email: 3}, t0.Add(time.Second), []store.WrapUp{{Conversation: "c1", WrapUp: b1}, both[0]}, both)
	moved(t, s, "c1", func(c conversation.Conversation) (conversation.Change, error) { return c.Withdraw(t0) })

	if err := end("c1", b1); err != nil {
		t.Fatal(err)
	}
	check(map[string]int{anna.Email: 4}, a1.Until, both[:1], both)
	if err := end("c1", b1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it ends twice: %v", err)
	}
	if err := errors.Join(end("c1", a1), end("c2", a2)); err != nil {
		t.Fatal(err)
	}
	check(map[string]int{}, time.Time{}, nil, nil)
}
