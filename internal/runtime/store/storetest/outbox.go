package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// put is a message for a destination.
func put(id, destination, kind string) func(store.Tx) error {
	return func(tx store.Tx) error {
		return tx.Enqueue(store.Message{Conversation: id, Destination: destination, Kind: kind, Payload: json.RawMessage(`["` + kind + `"]`), At: t0})
	}
}

// claimOutbox takes messages of a destination for a minute.
func claimOutbox(t *testing.T, s store.Store, destination string, limit int) (claimed []store.Delivery) {
	t.Helper()
	update(t, s, func(tx store.Tx) (err error) {
		claimed, err = tx.ClaimOutbox(destination, limit, time.Minute)
		return err
	})
	return claimed
}

// names are the conversation and number of messages, in order.
func names(all []store.Delivery) (out []string) {
	for _, d := range all {
		out = append(out, fmt.Sprint(d.Conversation, " ", d.Seq, " ", d.Kind))
	}
	return out
}

func wantNames(t *testing.T, what string, all []store.Delivery, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, names(all)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// The messages of a conversation to a destination are claimed one after the other.
func testOutboxInOrder(t *testing.T, s store.Store) {
	for _, id := range []string{"c1", "c2"} {
		started(t, s, id, t0)
		for _, kind := range []string{"a", "b", "c"} {
			update(t, s, put(id, "webhook/x", kind))
		}
	}
	update(t, s, put("c1", "webhook/y", "a"))
	first := claimOutbox(t, s, "webhook/x", 10)
	wantNames(t, "first", first, "c1 1 a", "c2 1 a")
	wantNames(t, "again", claimOutbox(t, s, "webhook/x", 10))
	if d := first[0]; d.Key != "c1/webhook/x/1" || string(d.Payload) != `["a"]` || d.Attempts != 1 || !d.At.Equal(t0) {
		t.Errorf("claimed %+v", d)
	}
	update(t, s, func(tx store.Tx) error { return tx.Delivered(first[0], "r1") })
	update(t, s, func(tx store.Tx) error { return tx.GiveUp(first[1], "why") })
	second := claimOutbox(t, s, "webhook/x", 10)
	wantNames(t, "second", second, "c1 2 b", "c2 2 b")
	update(t, s, func(tx store.Tx) error { return tx.Retry(second[0], "later", t0.Add(time.Hour)) })
	view(t, s, func(r store.Reader) error {
		due, err := r.OutboxDue()
		want := map[string]time.Time{"webhook/x": t0.Add(time.Minute), "webhook/y": t0}
		if diff := cmp.Diff(want, due); diff != "" {
			t.Errorf("due (-want +got):\n%s", diff)
		}
		levels, err2 := r.OutboxLevels()
		n := map[string]int{}
		for _, l := range levels {
			n[l.Destination+" "+string(l.State)] = l.Count
		}
		if diff := cmp.Diff(map[string]int{"webhook/x pending": 4, "webhook/x dead": 1, "webhook/y pending": 1}, n); diff != "" {
			t.Errorf("levels (-want +got):\n%s", diff)
		}
		ours, err3 := r.SentAs("webhook/x", "r1")
		if ours.Key != "c1/webhook/x/1" || len(ours.Payload) != 0 {
			t.Errorf("r1 is %+v", ours)
		}
		if _, err := r.SentAs("webhook/y", "r1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("r1 of another destination: %v", err)
		}
		return errors.Join(err, err2, err3)
	})
}

// A dead letter is replayed under its number, before what waits behind it.
func testDeadLetters(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	for _, kind := range []string{"a", "b", "c"} {
		update(t, s, put("c1", "webhook/x", kind))
	}
	update(t, s, func(tx store.Tx) error { return tx.GiveUp(claimIn(t, tx), "why") })
	b := claimOutbox(t, s, "webhook/x", 1)
	var letters []store.Delivery
	view(t, s, func(r store.Reader) (err error) {
		letters, err = r.DeadLetters(0, 10)
		return err
	})
	wantNames(t, "dead", letters, "c1 1 a")
	update(t, s, func(tx store.Tx) error { return tx.Replay(letters[0].ID) })
	wantNames(t, "while b is under way", claimOutbox(t, s, "webhook/x", 10))
	update(t, s, func(tx store.Tx) error { return tx.Delivered(b[0], "") })
	again := claimOutbox(t, s, "webhook/x", 10)
	wantNames(t, "after b", again, "c1 1 a")
	update(t, s, func(tx store.Tx) error { return tx.Delivered(again[0], "") })
	wantNames(t, "after a", claimOutbox(t, s, "webhook/x", 10), "c1 3 c")
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Replay(letters[0].ID) }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("replayed twice: %v", err)
	}
	update(t, s, put("c1", "webhook/x", "d"))
	view(t, s, func(r store.Reader) error {
		all, err := r.Deliveries("c1")
		wantNames(t, "all", all, "c1 1 a", "c1 2 b", "c1 3 c", "c1 4 d")
		return err
	})
}

// claimIn takes the one message that can be had, within a transaction.
func claimIn(t *testing.T, tx store.Tx) store.Delivery {
	t.Helper()
	all, err := tx.ClaimOutbox("webhook/x", 1, time.Minute)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	return all[0]
}

// Replicas that claim and deliver at the same time, while messages are written, deliver each once and in order.
func testOutboxAtOnce(t *testing.T, s store.Store) {
	const conversations, messages = 4, 15
	for c := range conversations {
		started(t, s, fmt.Sprint("c", c), t0)
	}
	var mu sync.Mutex
	next, got := map[string]int64{}, 0
	together(2*conversations, func(i int) {
		if i < conversations { // a writer
			id := fmt.Sprint("c", i)
			for range messages {
				if err := s.Update(t.Context(), func(tx store.Tx) error {
					if _, err := tx.Conversation(id); err != nil {
						return err
					}
					return put(id, "webhook/x", "k")(tx)
				}); err != nil {
					t.Error(err)
				}
			}
			return
		}
		for begin := time.Now(); time.Since(begin) < Patience; {
			mu.Lock()
			done := got == conversations*messages
			mu.Unlock()
			if done {
				return
			}
			var claimed []store.Delivery
			if err := s.Update(t.Context(), func(tx store.Tx) (err error) {
				claimed, err = tx.ClaimOutbox("webhook/x", 2, time.Minute)
				return err
			}); err != nil {
				t.Error(err)
				return
			}
			for _, d := range claimed {
				mu.Lock()
				got++
				if next[d.Conversation]++; next[d.Conversation] != d.Seq {
					t.Errorf("%s: message %d comes as the %d.", d.Conversation, d.Seq, next[d.Conversation])
				}
				mu.Unlock()
				if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delivered(d, "") }); err != nil {
					t.Error(err)
				}
			}
		}
		t.Error("not everything was delivered")
	})
}
