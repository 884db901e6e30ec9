package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// snooze is some kind of deadline.
const snooze store.DeadlineKind = "snooze"

func at(id string, d time.Duration) store.Deadline {
	return store.Deadline{Kind: snooze, Conversation: id, Due: t0.Add(d)}
}

// claim claims up to limit deadlines and commits.
func claim(t *testing.T, s store.Store, limit int) (due []store.Deadline) {
	t.Helper()
	update(t, s, func(tx store.Tx) (err error) {
		due, err = tx.ClaimDeadlines(limit)
		return err
	})
	return due
}

func wantNext(t *testing.T, s store.Store, want time.Time) {
	t.Helper()
	view(t, s, func(r store.Reader) error {
		next, err := r.NextDeadline()
		if !next.Equal(want) {
			t.Errorf("the next deadline is %s, want %s", next, want)
		}
		return err
	})
}

func testDeadlines(t *testing.T, s store.Store) {
	view(t, s, func(r store.Reader) error {
		now, err := r.Now()
		if !now.Equal(t0) {
			t.Errorf("now is %s, want %s", now, t0)
		}
		return err
	})
	wantNext(t, s, time.Time{})
	for i := range 4 {
		started(t, s, fmt.Sprint("c", i), t0)
	}
	wrapUp := store.Deadline{Kind: "wrap-up", Agent: anna.Email, Due: t0.Add(-1)}
	later := store.Deadline{Kind: "grace", Agent: anna.Email, Due: t0.Add(time.Hour)}
	update(t, s, func(tx store.Tx) error {
		if _, err := tx.Agents(anna.Email); err != nil {
			return err
		}
		return errors.Join(
			tx.SetDeadline(at("c0", time.Second)), tx.SetDeadline(at("c1", time.Minute)), tx.SetDeadline(at("c2", -time.Second)),
			tx.SetDeadline(at("c3", -time.Hour)), tx.SetDeadline(wrapUp), tx.SetDeadline(later),
			tx.SetDeadline(at("c0", 0)), // replaced: due just now
			tx.SetDeadline(store.Deadline{Kind: snooze, Conversation: "c3"}),
			tx.SetDeadline(store.Deadline{Kind: "unknown", Conversation: "c3"}))
	})
	wantNext(t, s, t0.Add(-time.Second))
	mine := errors.New("mine")
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		due, err := tx.ClaimDeadlines(10)
		same(t, "claimed and given back", []store.Deadline{at("c2", -time.Second), at("c0", 0)}, due)
		return errors.Join(err, mine)
	}); !errors.Is(err, mine) {
		t.Error(err)
	}
	same(t, "none of the claim", []store.Deadline(nil), claim(t, s, 0))
	same(t, "the first claim", []store.Deadline{at("c2", -time.Second), at("c0", 0)}, claim(t, s, 2))
	same(t, "the second claim", []store.Deadline(nil), claim(t, s, 2))
	wantNext(t, s, wrapUp.Due)
	takes(t, s, later, false)
	takes(t, s, wrapUp, true)
	takes(t, s, wrapUp, false)
	wantNext(t, s, t0.Add(time.Minute))
}

// takes reads what is due of agents, and takes one deadline under the agent's lock.
func takes(t *testing.T, s store.Store, d store.Deadline, want bool) {
	t.Helper()
	view(t, s, func(r store.Reader) error {
		due, err := r.DueOfAgents(10)
		if listed := slices.Contains(due, d); listed != want {
			t.Errorf("%v is due: %v, want %v", d, listed, want)
		}
		return err
	})
	update(t, s, func(tx store.Tx) error {
		if _, err := tx.Agents(d.Agent); err != nil {
			return err
		}
		taken, err := tx.TakeDeadline(d)
		if taken != want {
			t.Errorf("%v was taken: %v, want %v", d, taken, want)
		}
		return err
	})
}

// The end of an offer is a deadline as long as the offer is open.
func testDeadlineOfAnOffer(t *testing.T, s store.Store) {
	queued(t, s, 3)
	offer := store.Deadline{Kind: store.DeadlineOffer, Conversation: "c00", Due: t0.Add(-time.Minute)}
	moved(t, s, "c00", offers(anna, 1, offer.Due))
	moved(t, s, "c01", offers(anna, 1, t0.Add(-time.Second)), func(c conversation.Conversation) (conversation.Change, error) {
		return c.Accept(anna, "", t0.Add(-time.Hour))
	})
	moved(t, s, "c02", offers(anna, 1, t0.Add(-time.Second)), func(c conversation.Conversation) (conversation.Change, error) {
		return c.OfferExpires(t0)
	}, offers(boris, 1, t0.Add(time.Minute)))
	same(t, "due", []store.Deadline{offer}, claim(t, s, 10))
	wantNext(t, s, t0.Add(time.Minute))
}

// So is the end of a snooze, and of the silence after a human's message.
func testDeadlinesOfAnAgent(t *testing.T, s store.Store) {
	started(t, s, "c0", t0)
	takes := func(c conversation.Conversation) (conversation.Change, error) {
		return c.TakeOver(anna, 1, conversation.Handoff{}, nil, "", t0.Add(-time.Hour))
	}
	replies := func(c conversation.Conversation) (conversation.Change, error) {
		return c.AgentReplies(anna, "", "Hi.", time.Minute, t0.Add(-time.Hour))
	}
	snoozes := func(c conversation.Conversation) (conversation.Change, error) {
		return c.Snooze(anna, t0.Add(-time.Second), t0.Add(-time.Hour))
	}
	moved(t, s, "c0", takes, replies)
	silence := store.Deadline{Kind: store.DeadlineReturn, Conversation: "c0", Due: t0.Add(time.Minute - time.Hour)}
	same(t, "after a reply", []store.Deadline{silence}, claim(t, s, 10))
	moved(t, s, "c0", replies, writes("", "Thanks."), replies, snoozes)
	same(t, "snoozed", []store.Deadline{{Kind: store.DeadlineSnooze, Conversation: "c0", Due: t0.Add(-time.Second)}}, claim(t, s, 10))
	moved(t, s, "c0", func(c conversation.Conversation) (conversation.Change, error) { return c.Wake(nil, t0) }, snoozes, writes("", "Hello?"))
	same(t, "awake", []store.Deadline(nil), claim(t, s, 10))
}

// Several claimers at once: each deadline is one claimer's, and none is forgotten.
func testDeadlinesClaimedOnce(t *testing.T, s store.Store) {
	const deadlines, claimers = 12, 4
	for i := range deadlines {
		id := fmt.Sprintf("c%02d", i)
		started(t, s, id, t0)
		update(t, s, func(tx store.Tx) error { return tx.SetDeadline(at(id, 0)) })
	}
	var mu sync.Mutex
	claimed := map[string]int{}
	together(claimers, func(int) {
		for left := true; left && !t.Failed(); {
			var due []store.Deadline
			err := s.Update(t.Context(), func(tx store.Tx) (err error) {
				if due, err = tx.ClaimDeadlines(2); err != nil {
					return err
				}
				for _, d := range due { // what a deadline is for: something happens to its conversation
					if err := save(tx, d.Conversation, "", "due"); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			for _, d := range due {
				claimed[d.Conversation]++
			}
			left = len(claimed) < deadlines
			mu.Unlock()
		}
	})
	for id, n := range claimed {
		if n != 1 {
			t.Errorf("the deadline of %s was claimed %d times", id, n)
		}
		wantSeq(t, s, id, 3)
	}
	wantNext(t, s, time.Time{})
}

func testDeadlineOfNobody(t *testing.T, s store.Store) {
	err := s.Update(t.Context(), func(tx store.Tx) error { return tx.SetDeadline(at("unknown", 0)) })
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
}
