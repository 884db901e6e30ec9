package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// What a stranger may send is not found, refused or kept, in every database alike.
func testTextOfAnyKind(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	for _, bad := range []string{"\x00", "a\x00b", "\xff"} {
		view(t, s, func(r store.Reader) error {
			if _, err := r.Conversation(bad); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("conversation %q: %v", bad, err)
			}
			_, found, err := r.EventByClientID("c1", conversation.AuthorCustomer, bad)
			if found {
				t.Errorf("an event has the client id %q", bad)
			}
			return err
		})
		if err := s.Update(t.Context(), func(tx store.Tx) error { return save(tx, "c1", bad, "text") }); err == nil {
			t.Errorf("the client id %q is taken", bad)
		}
	}
	text := "\x00 ' \" \\ $1 🙂 \u2028 %s"
	moved(t, s, "c1", writes("' $1 🙂", text))
	view(t, s, func(r store.Reader) error {
		e, found, err := r.EventByClientID("c1", conversation.AuthorCustomer, "' $1 🙂")
		if !found || e.Text != text {
			t.Errorf("the text is %q (%v), want %q", e.Text, found, text)
		}
		return err
	})
	wantSeq(t, s, "c1", 3)
}

// Whatever the order of the database's language is.
func testOrderIsByBytes(t *testing.T, s store.Store) {
	want := []string{"A", "B", "a", "b", "ä"}
	for _, id := range []string{"ä", "b", "A", "a", "B"} {
		started(t, s, id, t0)
		moved(t, s, id, writes("", "help"), handsOff(t0))
	}
	view(t, s, func(r store.Reader) error {
		got, err := r.Waiting(0, 10)
		if ids(got) != fmt.Sprint(want) {
			t.Errorf("the order is %s, want %s", ids(got), want)
		}
		return err
	})
}
