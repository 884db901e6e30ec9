package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// trims removes what is before a time, so many at once, and returns how often it took.
func trims(t *testing.T, s store.Store, what store.Record, before time.Time, limit int) (times int) {
	t.Helper()
	for more := true; more; times++ {
		if times == 100 {
			t.Fatal("it does not end")
		}
		update(t, s, func(tx store.Tx) (err error) {
			more, err = tx.Trim(what, before, limit)
			return err
		})
	}
	return times
}

func begins(t *testing.T, s store.Store, what store.Record, want time.Time) {
	t.Helper()
	view(t, s, func(r store.Reader) error {
		got, err := r.Begins(what)
		if !got.Equal(want) {
			t.Errorf("%s begins at %s, want %s", what, got, want)
		}
		return err
	})
}

func deliveries(t *testing.T, s store.Store, id string) (all []store.Delivery) {
	t.Helper()
	view(t, s, func(r store.Reader) (err error) {
		all, err = r.Deliveries(id)
		return err
	})
	return all
}

// What was delivered long ago is removed, but not the last of a stream: its number is not given twice. What waits or was
// given up stays.
func testTrimOutbox(t *testing.T, s store.Store) {
	deliver := func(destination string, times int) {
		for range times {
			for _, d := range claimOutbox(t, s, destination, 10) {
				update(t, s, func(tx store.Tx) error { return tx.Delivered(d, "") })
			}
		}
	}
	for _, id := range []string{"c1", "c2"} {
		started(t, s, id, t0)
		for _, kind := range []string{"a", "b", "c"} {
			update(t, s, put(id, "webhook/x", kind))
		}
	}
	update(t, s, func(tx store.Tx) error {
		return errors.Join(put("c1", "webhook/y", "a")(tx), put("c1", "webhook/y", "b")(tx), put("c1", "webhook/z", "a")(tx))
	})
	deliver("webhook/x", 3)
	deliver("webhook/z", 1)
	update(t, s, func(tx store.Tx) error {
		d, err := tx.ClaimOutbox("webhook/y", 1, time.Minute)
		return errors.Join(err, tx.GiveUp(d[0], "why"))
	})
	begins(t, s, store.Delivered, time.Time{})
	trims(t, s, store.Delivered, t0, 10)
	if got := len(deliveries(t, s, "c1")); got != 6 {
		t.Errorf("%d of 6 are left, and none is before", got)
	}
	if n := trims(t, s, store.Delivered, t0.Add(time.Second), 3); n != 2 {
		t.Errorf("4 went in %d times", n)
	}
	wantNames(t, "c1", deliveries(t, s, "c1"), "c1 3 c", "c1 1 a", "c1 2 b", "c1 1 a")
	wantNames(t, "c2", deliveries(t, s, "c2"), "c2 3 c")
	begins(t, s, store.Delivered, t0.Add(time.Second))
	late := func(tx store.Tx) error {
		return tx.Enqueue(store.Message{Conversation: "c1", Destination: "webhook/x", Kind: "d", At: t0.Add(store.DeliveredFor + time.Hour)})
	}
	update(t, s, late)
	wantNames(t, "after the next", deliveries(t, s, "c1"), "c1 4 d", "c1 1 a", "c1 2 b", "c1 1 a")
}

// What was kept of the time before is removed in bounded steps, and the rest stays.
func testTrimRecords(t *testing.T, s store.Store) {
	at := func(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }
	for i := range 5 {
		update(t, s, func(tx store.Tx) error { return tx.Audit(store.AuditEntry{At: at(i), Actor: fmt.Sprint(i)}) })
	}
	if n := trims(t, s, store.Trail, at(3), 2); n != 2 {
		t.Errorf("3 entries went in %d times", n)
	}
	started(t, s, "c1", t0)
	moved(t, s, "c1", writes("m1", "help"), handsOff(at(1)), func(c conversation.Conversation) (conversation.Change, error) {
		return c.TakeOver(anna, 1, conversation.Handoff{}, nil, "", at(2))
	}, func(c conversation.Conversation) (conversation.Change, error) {
		return c.ReturnToAI(anna, "", "", at(3))
	}, writes("m2", "help"), handsOff(at(4)))
	spans := func(want string) {
		t.Helper()
		view(t, s, func(r store.Reader) error {
			all, err := r.Handoffs(t0, at(100))
			got := ""
			for _, h := range all {
				got += fmt.Sprint(h.Number)
			}
			if got != want {
				t.Errorf("handoffs %s, want %s", got, want)
			}
			return err
		})
	}
	trims(t, s, store.Spans, at(3), 1)
	spans("12")
	trims(t, s, store.Spans, at(90), 1)
	spans("2")
	begins(t, s, store.Spans, at(90))
	trims(t, s, store.Spans, at(10), 1)
	begins(t, s, store.Spans, at(90))
	view(t, s, func(r store.Reader) error {
		var got []string
		all, err := r.AuditTrail(store.AuditFilter{To: at(100)}, 0, 10)
		for _, e := range all {
			if e.Conversation == "" {
				got = append(got, e.Actor)
			}
		}
		if diff := cmp.Diff([]string{"3", "4"}, got); diff != "" {
			t.Errorf("audit trail (-want +got):\n%s", diff)
		}
		return err
	})
}

// What an agent was at the time from which changes of presences are kept is known.
func testTrimPresences(t *testing.T, s store.Store) {
	for _, p := range []store.Presence{
		{Email: anna.Email, State: store.Online, Until: t0.Add(time.Hour)}, {Email: boris.Email, State: store.Away},
		{Email: anna.Email, State: store.Offline}, {Email: anna.Email, State: store.Online, Until: t0.Add(time.Hour)},
	} {
		update(t, s, func(tx store.Tx) error { return tx.SetPresence(p) })
	}
	left := func(want ...string) {
		t.Helper()
		view(t, s, func(r store.Reader) error {
			all, err := r.PresenceLog(t0, t0.Add(time.Second))
			var got []string
			for _, c := range all {
				got = append(got, fmt.Sprintf("%.1s %s", c.Email, c.State))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			return err
		})
	}
	trims(t, s, store.PresenceChanges, t0, 1)
	left("a online", "b away", "a offline", "a online")
	if n := trims(t, s, store.PresenceChanges, t0.Add(1), 1); n != 3 {
		t.Errorf("2 changes went in %d times", n)
	}
	left("b away", "a online")
	begins(t, s, store.PresenceChanges, t0.Add(1))
}

// Replicas that trim at the same time leave nothing, and do not wait for each other.
func testTrimAtOnce(t *testing.T, s store.Store) {
	for i := range 40 {
		update(t, s, func(tx store.Tx) error { return tx.Audit(store.AuditEntry{At: t0, Actor: fmt.Sprint(i)}) })
	}
	if s.Shared() {
		update(t, s, func(tx store.Tx) error {
			_, err := tx.Trim(store.Trail, t0.Add(1), 3)
			ctx, cancel := context.WithTimeout(t.Context(), Patience)
			defer cancel()
			return errors.Join(err, s.Update(ctx, func(beside store.Tx) error {
				more, err := beside.Trim(store.Trail, t0.Add(1), 3)
				if more {
					t.Error("what another replica removes is removed")
				}
				return err
			}))
		})
	}
	together(4, func(int) {
		for more := true; more; {
			if err := s.Update(t.Context(), func(tx store.Tx) (err error) {
				more, err = tx.Trim(store.Trail, t0.Add(1), 3)
				return err
			}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	trims(t, s, store.Trail, t0.Add(1), 3)
	view(t, s, func(r store.Reader) error {
		all, err := r.AuditTrail(store.AuditFilter{}, 0, 10)
		if len(all) > 0 {
			t.Errorf("%d are left", len(all))
		}
		return err
	})
}
