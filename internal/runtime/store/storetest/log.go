package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

func testCreateAndRead(t *testing.T, s store.Store) {
	want := conversation.Start(conversation.Conversation{ID: "c1", Channel: "web", ChannelType: v1alpha1.ChannelTypeWeb,
		Customer: conversation.Customer{ID: "u1", Name: "Ü \"x\" \x00 🙂", Email: "u@example.com"}, Language: "de"}, "Grüß Gott!", t0)
	update(t, s, func(tx store.Tx) error { return tx.Create(want, []byte{0, 1, 0xff}) })
	handoff := conversation.Handoff{Reason: v1alpha1.HandoffHumanRequested, Confidence: 0.75, Evidence: []string{"human"},
		Summary: "for us", CustomerSummary: "for you", Sentiment: v1alpha1.SentimentAngry, Language: "de"}
	var events []conversation.Event
	for _, m := range []move{
		writes("m1", "Hallo?"),
		func(c conversation.Conversation) (conversation.Change, error) {
			return c.AIAnswers(c.Epoch, c.Pending, conversation.Answer{Text: "Ja?",
				Sources: []conversation.Source{{Name: "faq", Document: "d.md", Heading: "h"}}}, t0)
		},
		writes("m2", "Ein Mensch!"),
		func(c conversation.Conversation) (conversation.Change, error) {
			return c.HandOff(c.Epoch, c.Pending, handoff, nil, []string{"told"}, t0)
		},
		offers(anna, 1, t0),
	} {
		change, err := m(want.Conversation)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, want.Events...)
		want = change
		update(t, s, func(tx store.Tx) error { return tx.Save(change) })
	}
	events = append(events, want.Events...)
	view(t, s, func(r store.Reader) error {
		c, err := r.Conversation("c1")
		got, err2 := r.Events("c1", 0, 100)
		hash, err3 := r.TokenHash("c1")
		if diff := cmp.Diff(want.Conversation, c); diff != "" {
			t.Errorf("conversation (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(events, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if string(hash) != "\x00\x01\xff" {
			t.Errorf("token's hash %x", hash)
		}
		return errors.Join(err, err2, err3)
	})
}

func testUnknownIsNotFound(t *testing.T, s store.Store) {
	view(t, s, func(r store.Reader) error {
		if _, err := r.Conversation("c1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Conversation: %v", err)
		}
		if _, err := r.TokenHash("c1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("TokenHash: %v", err)
		}
		if _, found, err := r.EventByClientID("c1", conversation.AuthorCustomer, "m1"); found || err != nil {
			t.Errorf("EventByClientID: %v, %v", found, err)
		}
		events, err := r.Events("c1", 0, 10)
		if len(events) != 0 {
			t.Errorf("Events: %v", events)
		}
		return err
	})
	change := conversation.Start(conversation.Conversation{ID: "c1"}, "", t0)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Save(change) }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Save: %v", err)
	}
}

func testEventsByPage(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	started(t, s, "c2", t0)
	moved(t, s, "c1", writes("", "3"), writes("", "4"), writes("", "5"))
	for _, test := range []struct {
		after int64
		limit int
		want  string
	}{
		{0, 100, "[1 2 3 4 5]"}, {0, 2, "[1 2]"}, {2, 2, "[3 4]"}, {4, 2, "[5]"}, {5, 2, "[]"}, {99, 2, "[]"}, {0, 0, "[]"}, {0, -1, "[]"},
	} {
		view(t, s, func(r store.Reader) error {
			events, err := r.Events("c1", test.after, test.limit)
			seqs := []int64{}
			for _, e := range events {
				seqs = append(seqs, e.Seq)
			}
			if got := fmt.Sprint(seqs); got != test.want {
				t.Errorf("up to %d events after %d are %s, want %s", test.limit, test.after, got, test.want)
			}
			return err
		})
	}
}

func testOnlyTheNextChangeIsSaved(t *testing.T, s store.Store) {
	c := started(t, s, "c1", t0)
	write := func() conversation.Change {
		change, err := c.CustomerWrites("", "text", t0)
		if err != nil {
			t.Fatal(err)
		}
		return change
	}
	old := write()
	moved(t, s, "c1", writes("", "first"))
	c.Seq++
	for name, spoil := range map[string]func(*conversation.Change){
		"read before another was saved": func(c *conversation.Change) { *c = old },
		"a gap before it":               func(c *conversation.Change) { c.Events[0].Seq++; c.Conversation.Seq++ },
		"a gap within it":               func(c *conversation.Change) { c.Events[0].Seq++ },
		"a number that is taken":        func(c *conversation.Change) { c.Events[0].Seq-- },
		"a wrong last number":           func(c *conversation.Change) { c.Conversation.Seq++ },
		"no events":                     func(c *conversation.Change) { c.Events = nil; c.Conversation.Seq-- },
		"another owner, same epoch":     func(c *conversation.Change) { c.Conversation.Owner.Kind = conversation.OwnerQueue },
		"same owner, another epoch":     func(c *conversation.Change) { c.Conversation.Epoch++ },
		"two epochs at once": func(c *conversation.Change) {
			c.Conversation.Owner.Kind = conversation.OwnerQueue
			c.Conversation.Epoch += 2
		},
		"an event of an epoch before": func(c *conversation.Change) { c.Events[0].Epoch-- },
		"an event of an epoch after":  func(c *conversation.Change) { c.Events[0].Epoch++ },
	} {
		change := write()
		spoil(&change)
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Save(change) }); !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: error %v, want ErrConflict", name, err)
		}
	}
	update(t, s, func(tx store.Tx) error { return tx.Save(write()) })
	view(t, s, func(r store.Reader) error {
		events, err := r.Events("c1", 0, 100)
		if len(events) != 4 {
			t.Errorf("the log has %d events, want 4", len(events))
		}
		return err
	})
}

func testCreateTwice(t *testing.T, s store.Store) {
	want := started(t, s, "c1", t0)
	again := conversation.Start(conversation.Conversation{ID: "c1", Language: "fr"}, "Bonjour", t0)
	err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Create(again, []byte("x")) })
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("error %v, want ErrConflict", err)
	}
	view(t, s, func(r store.Reader) error {
		got, err := r.Conversation("c1")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("conversation (-want +got):\n%s", diff)
		}
		return err
	})
}

func testSameClientID(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	started(t, s, "c2", t0)
	moved(t, s, "c1", writes("m1", "one"), writes("", "no id"), writes("", "no id"))
	moved(t, s, "c2", writes("m1", "another conversation"))
	moved(t, s, "c1", func(c conversation.Conversation) (conversation.Change, error) {
		return c.AgentNotes(anna, "m1", "another kind of author", t0)
	})
	err := s.Update(t.Context(), func(tx store.Tx) error {
		c, err := tx.Conversation("c1")
		if err != nil {
			return err
		}
		change, err := c.CustomerWrites("m1", "again", t0)
		if err != nil {
			return err
		}
		return tx.Save(change)
	})
	if !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("error %v, want ErrDuplicate", err)
	}
	view(t, s, func(r store.Reader) error {
		for author, want := range map[conversation.AuthorKind]string{
			conversation.AuthorCustomer: "one", conversation.AuthorAgent: "another kind of author", conversation.AuthorAI: ""} {
			e, found, err := r.EventByClientID("c1", author, "m1")
			if err != nil || e.Text != want || found != (want != "") {
				t.Errorf("m1 of %s is %q (%v, %v), want %q", author, e.Text, found, err, want)
			}
		}
		_, found, err := r.EventByClientID("c1", conversation.AuthorCustomer, "")
		if found {
			t.Error("an empty client id finds an event")
		}
		return err
	})
}
