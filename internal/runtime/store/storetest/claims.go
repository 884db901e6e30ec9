package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// queued hands n conversations off, c00 first.
func queued(t *testing.T, s store.Store, n int) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("c%02d", i)
		started(t, s, id, t0)
		moved(t, s, id, writes("", "help"), handsOff(t0.Add(time.Duration(i))))
	}
}

func testAgentsUnderTheirLock(t *testing.T, s store.Store) {
	queued(t, s, 1)
	update(t, s, func(tx store.Tx) error { return tx.Touch(anna.Email, t0) })
	online := store.Presence{Email: anna.Email, State: store.Online, Until: t0.Add(time.Minute)}
	update(t, s, func(tx store.Tx) error {
		c, err := tx.Conversation("c00")
		if err != nil {
			return err
		}
		got, err := tx.Agents(boris.Email, anna.Email, boris.Email)
		if err != nil {
			return err
		}
		same(t, "agents at first", map[string]store.Agent{
			anna.Email:  {Presence: store.Presence{Email: anna.Email}, Load: assign.Load{IdleSince: t0}},
			boris.Email: {Presence: store.Presence{Email: boris.Email}},
		}, got)
		change, err := offers(anna, 3, t0.Add(time.Minute))(c)
		if err != nil {
			return err
		}
		if err := errors.Join(tx.SetPresence(online), tx.Save(change)); err != nil {
			return err
		}
		got, err = tx.Agents(anna.Email)
		same(t, "within the transaction", map[string]store.Agent{
			anna.Email: {Presence: online, Load: assign.Load{Units: 3, IdleSince: t0, AssignedAt: t0}}}, got)
		same(t, "whose row was written", []string{anna.Email}, tx.Touched())
		return err
	})
	moved(t, s, "c00", func(c conversation.Conversation) (conversation.Change, error) {
		return c.TakeOver(boris, 2, conversation.Handoff{}, nil, "", t0)
	})
	update(t, s, func(tx store.Tx) error {
		got, err := tx.Agents(anna.Email, boris.Email)
		if got[anna.Email].Load.Units != 0 || got[boris.Email].Load.Units != 2 {
			t.Errorf("after the takeover %+v", got)
		}
		none, err2 := tx.Agents()
		if len(none) != 0 {
			t.Errorf("nobody's agents are %v", none)
		}
		return errors.Join(err, err2)
	})
}

// Many at once offer what waits to the least loaded agent: every agent ends full, and none beyond.
func testNeverBeyondCapacity(t *testing.T, s store.Store) {
	const waiting, capacity = 12, 2
	agents := []string{"a@x.example", "b@x.example", "c@x.example"}
	queued(t, s, waiting)
	var mu sync.Mutex
	offered := map[string]int{}
	together(waiting, func(i int) {
		var to string
		err := s.Update(t.Context(), func(tx store.Tx) (err error) {
			to, err = offerOne(tx, fmt.Sprintf("c%02d", i), agents, capacity)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		offered[to]++
	})
	view(t, s, func(r store.Reader) error {
		loads, err := r.Loads()
		for _, email := range agents {
			if offered[email] != capacity || loads[email].Units != capacity {
				t.Errorf("%s has %d offers and holds %d units, want %d", email, offered[email], loads[email].Units, capacity)
			}
		}
		return err
	})
}

// offerOne offers a conversation to the least loaded agent, or to nobody if all are full.
func offerOne(tx store.Tx, id string, emails []string, capacity int) (to string, err error) {
	c, err := tx.Conversation(id)
	if err != nil {
		return "", err
	}
	agents, err := tx.Agents(emails...)
	if err != nil {
		return "", err
	}
	to = slices.MinFunc(emails, func(a, b string) int { return cmp.Compare(agents[a].Load.Units, agents[b].Load.Units) })
	if agents[to].Load.Units >= capacity {
		return "", nil
	}
	change, err := c.MakeOffer(conversation.Offer{Agent: conversation.Person{Email: to}, Cost: 1, ExpiresAt: t0.Add(time.Hour)}, t0)
	if err != nil {
		return "", err
	}
	return to, tx.Save(change)
}

// Several claimers empty the queue: each conversation is claimed by one of them.
func testEachClaimedOnce(t *testing.T, s store.Store) {
	const waiting, claimers = 12, 4
	queued(t, s, waiting)
	var mu sync.Mutex
	claimed := map[string]int{}
	together(claimers, func(i int) {
		agent := conversation.Person{Email: fmt.Sprintf("%d@x.example", i)}
		for left := true; left; {
			var mine []string
			if err := s.Update(t.Context(), func(tx store.Tx) (err error) {
				mine, err = takeWaiting(tx, agent, 2)
				return err
			}); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			for _, id := range mine {
				claimed[id]++
			}
			left = len(claimed) < waiting
			mu.Unlock()
		}
	})
	if len(claimed) != waiting {
		t.Errorf("%d were claimed, want %d", len(claimed), waiting)
	}
	for id, n := range claimed {
		if n != 1 {
			t.Errorf("%s was claimed %d times", id, n)
		}
	}
}

func takeWaiting(tx store.Tx, agent conversation.Person, limit int) (ids []string, err error) {
	waiting, err := tx.Waiting(0, limit)
	if err != nil {
		return nil, err
	}
	for _, c := range waiting {
		ids = append(ids, c.ID)
	}
	claimed, err := tx.Claim(ids...)
	if err != nil {
		return nil, err
	}
	ids = ids[:0]
	for _, c := range claimed {
		change, err := c.TakeOver(agent, 1, conversation.Handoff{}, nil, "", t0)
		if err != nil {
			return nil, err
		}
		if err := tx.Save(change); err != nil {
			return nil, err
		}
		ids = append(ids, c.ID)
	}
	return ids, nil
}

// What is offered, owned or unknown cannot be claimed.
func testClaimOnlyWhatWaits(t *testing.T, s store.Store) {
	queued(t, s, 5)
	moved(t, s, "c01", offers(anna, 1, t0.Add(time.Minute)))
	moved(t, s, "c03", func(c conversation.Conversation) (conversation.Change, error) {
		return c.TakeOver(boris, 2, conversation.Handoff{}, nil, "", t0)
	})
	update(t, s, func(tx store.Tx) error {
		got, err := tx.Claim("c04", "c00", "c01", "c03", "nobody", "c00")
		if ids(got) != "[c00 c04]" {
			t.Errorf("claimed %s, want c00 and c04", ids(got))
		}
		none, err2 := tx.Claim()
		if len(none) != 0 {
			t.Errorf("claiming nothing gives %s", ids(none))
		}
		return errors.Join(err, err2)
	})
}

func testCalledAgain(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	calls := 0
	update(t, s, func(tx store.Tx) error {
		calls++
		if err := save(tx, "c1", "", "text"); err != nil {
			return err
		}
		if calls < 3 {
			return fmt.Errorf("on purpose: %w", store.ErrAgain)
		}
		return nil
	})
	if calls != 3 {
		t.Errorf("called %d times, want 3", calls)
	}
	wantSeq(t, s, "c1", 3)
	err := s.Update(t.Context(), func(store.Tx) error { return store.ErrAgain })
	if !errors.Is(err, store.ErrAgain) {
		t.Errorf("a function that never has enough: error %v, want ErrAgain", err)
	}
}
