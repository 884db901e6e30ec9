package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// What agents do is in the audit trail by itself, and what Audit adds.
func testAuditTrail(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	moved(t, s, "c1", writes("m1", "help"), handsOff(t0), func(c conversation.Conversation) (conversation.Change, error) {
		return c.TakeOver(anna, 1, conversation.Handoff{}, nil, "", t0)
	}, func(c conversation.Conversation) (conversation.Change, error) {
		return c.AgentReplies(anna, "r1", "words", 0, t0.Add(time.Second))
	})
	update(t, s, func(tx store.Tx) error {
		return tx.Audit(store.AuditEntry{At: t0.Add(time.Minute), Actor: boris.Email, Action: "customer_erased", Subject: "x", Detail: "y"})
	})
	read := func(f store.AuditFilter, after int64) (out []string, last int64) {
		view(t, s, func(r store.Reader) error {
			all, err := r.AuditTrail(f, after, 10)
			for _, e := range all {
				out, last = append(out, fmt.Sprint(e.Actor, " ", e.Action, " ", e.Conversation, " ", e.Seq, " ", e.Subject, e.Detail)), e.ID
			}
			return err
		})
		return out, last
	}
	all, last := read(store.AuditFilter{}, 0)
	want := []string{anna.Email + " taken_over c1 6 ", anna.Email + " message c1 7 ", boris.Email + " customer_erased  0 xy"}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, f := range []store.AuditFilter{{Actor: boris.Email}, {From: t0.Add(time.Minute)}} {
		if got, _ := read(f, 0); !cmp.Equal(got, want[2:]) {
			t.Errorf("filter %d: %v", i, got)
		}
	}
	for i, f := range []store.AuditFilter{{Conversation: "c1"}, {To: t0.Add(time.Minute)}} {
		if got, _ := read(f, 0); !cmp.Equal(got, want[:2]) {
			t.Errorf("filter %d: %v", i, got)
		}
	}
	if got, _ := read(store.AuditFilter{}, last); got != nil {
		t.Errorf("behind the last: %v", got)
	}
}

// A presence that goes on is no change.
func testPresenceLog(t *testing.T, s store.Store) {
	for _, p := range []store.Presence{
		{Email: anna.Email, State: store.Online, Until: t0.Add(time.Hour)}, {Email: anna.Email, State: store.Online, Until: t0.Add(2 * time.Hour)},
		{Email: boris.Email, State: store.Away}, {Email: anna.Email, State: store.Offline}, {Email: boris.Email, State: store.Away},
		{Email: boris.Email, State: store.Online, Until: t0}, {Email: boris.Email, State: store.Online, Until: t0.Add(time.Hour)},
	} {
		update(t, s, func(tx store.Tx) error { return tx.SetPresence(p) })
	}
	view(t, s, func(r store.Reader) error {
		all, err := r.PresenceLog(t0, t0.Add(time.Second))
		var got []string
		for _, c := range all {
			got = append(got, fmt.Sprintf("%.1s %s", c.Email, c.State))
		}
		// The second time that Boris comes online, the first had ended.
		if want := []string{"a online", "b away", "a offline", "b online", "b online"}; !cmp.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		before, err2 := r.PresenceLog(t0.Add(-time.Hour), t0)
		if len(before) != 0 {
			t.Errorf("before: %v", before)
		}
		return errors.Join(err, err2)
	})
}

// A handoff lasts until no human has the conversation.
func testHandoffsByTime(t *testing.T, s store.Store) {
	at := func(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }
	started(t, s, "c1", t0)
	moved(t, s, "c1", writes("m1", "help"), handsOff(at(10)), func(c conversation.Conversation) (conversation.Change, error) {
		return c.TakeOver(anna, 1, conversation.Handoff{}, nil, "", at(20))
	}, func(c conversation.Conversation) (conversation.Change, error) {
		return c.ReturnToAI(anna, "", "", at(30))
	},
		writes("m2", "help"), handsOff(at(40)))
	for _, c := range []struct {
		from, to int
		want     string
	}{{0, 10, ""}, {0, 11, "1"}, {25, 26, "1"}, {30, 31, "1"}, {31, 40, ""}, {35, 100, "2"}, {0, 100, "1 2"}, {90, 100, "2"}} {
		view(t, s, func(r store.Reader) error {
			all, err := r.Handoffs(at(c.from), at(c.to))
			var got []string
			for _, h := range all {
				got = append(got, fmt.Sprint(h.Number))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("from %d to %d: %v, want %s", c.from, c.to, got, c.want)
			}
			return err
		})
	}
}

// Erasing takes out what people wrote and who they are, and leaves the log's structure.
func testEraseContent(t *testing.T, s store.Store) {
	const secret = "s3cret"
	change := conversation.Start(conversation.Conversation{ID: "c1", Customer: conversation.Customer{ID: "u-" + secret, Name: secret, Email: "Ada-" + secret + "@b.example"}}, "", t0)
	update(t, s, func(tx store.Tx) error { return tx.Create(change, []byte("hash")) })
	moved(t, s, "c1", writes("m-"+secret, secret), handsOff(t0), func(c conversation.Conversation) (conversation.Change, error) {
		return c.TakeOver(anna, 1, conversation.Handoff{}, nil, secret, t0)
	}, func(c conversation.Conversation) (conversation.Change, error) {
		return c.AgentReplies(anna, "r1", secret, 0, t0)
	})
	update(t, s, put("c1", "webhook/x", secret))
	find := func(key string, want int) {
		t.Helper()
		view(t, s, func(r store.Reader) error {
			ids, err := r.FindCustomer(key)
			if len(ids) != want {
				t.Errorf("%s: found %v", key, ids)
			}
			return err
		})
	}
	find("u-"+secret, 1)
	find("ADA-"+secret+"@b.example", 1)
	find("somebody else", 0)
	var before []conversation.Event
	view(t, s, func(r store.Reader) (err error) {
		before, err = r.Events("c1", 0, 100)
		return err
	})
	update(t, s, func(tx store.Tx) error {
		c, err := tx.Conversation("c1")
		if err != nil {
			return err
		}
		erased, err := c.Erase(conversation.Author{Kind: conversation.AuthorSystem}, t0)
		if err != nil {
			return err
		}
		return errors.Join(tx.EraseContent("c1"), tx.Save(erased))
	})
	find("u-"+secret, 0)
	find("ada-"+secret+"@b.example", 0)
	view(t, s, func(r store.Reader) error {
		c, err := r.Conversation("c1")
		after, err2 := r.Events("c1", 0, 100)
		hash, err3 := r.TokenHash("c1")
		sent, err4 := r.Deliveries("c1")
		for i := range sent {
			sent[i].Kind = "" // says what it is, and nobody's words: here it is the secret for the test's sake
		}
		if left := fmt.Sprintf("%+v %+v %s", c, after, sent[0].Payload); strings.Contains(left, secret) {
			t.Errorf("it is still there: %s", left)
		}
		if len(hash) != 0 || len(after) != len(before)+1 {
			t.Errorf("token's hash %q; %d events, then %d", hash, len(before), len(after))
		}
		for i, e := range before {
			if a := after[i]; a.Seq != e.Seq || a.Epoch != e.Epoch || a.Type != e.Type || a.Author.Kind != e.Author.Kind || !a.At.Equal(e.At) {
				t.Errorf("event %d was %+v and is %+v", e.Seq, e, a)
			}
		}
		loads, err5 := r.Loads()
		if loads[anna.Email].Units != 0 {
			t.Errorf("the agent holds %d units still", loads[anna.Email].Units)
		}
		return errors.Join(err, err2, err3, err4, err5)
	})
}

// Closed conversations are claimed by the time at which they were closed, until they are erased.
func testClosedByTime(t *testing.T, s store.Store) {
	for i, id := range []string{"c1", "c2", "open"} {
		started(t, s, id, t0)
		moved(t, s, id, writes("m1", "help"), handsOff(t0), func(c conversation.Conversation) (conversation.Change, error) {
			return c.TakeOver(anna, 1, conversation.Handoff{}, nil, "", t0)
		})
		if id != "open" {
			moved(t, s, id, closes(anna, t0.Add(time.Duration(i)*time.Minute)))
		}
	}
	claimed := func(before time.Duration) (ids []string) {
		update(t, s, func(tx store.Tx) (err error) {
			ids, err = tx.ClaimClosed(t0.Add(before), 10)
			return err
		})
		return ids
	}
	if got := claimed(30 * time.Second); !cmp.Equal(got, []string{"c1"}) {
		t.Errorf("closed in the first half minute: %v", got)
	}
	oldest := func(want time.Time) {
		t.Helper()
		view(t, s, func(r store.Reader) error {
			at, err := r.OldestClosed()
			if !at.Equal(want) {
				t.Errorf("the oldest was closed at %s, want %s", at, want)
			}
			return err
		})
	}
	oldest(t0)
	moved(t, s, "c1", func(c conversation.Conversation) (conversation.Change, error) {
		return c.Erase(conversation.Author{Kind: conversation.AuthorSystem}, t0)
	})
	oldest(t0.Add(time.Minute))
	moved(t, s, "c2", func(c conversation.Conversation) (conversation.Change, error) {
		return c.Reopen("m2", "again", nil, nil, t0)
	})
	oldest(time.Time{})
	if got := claimed(time.Hour); got != nil {
		t.Errorf("closed: %v", got)
	}
}

func closes(p conversation.Person, at time.Time) move {
	return func(c conversation.Conversation) (conversation.Change, error) {
		return c.Resolve(p, conversation.Outcome{}, at)
	}
}
