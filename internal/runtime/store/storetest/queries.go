package storetest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

func testQueueOldestFirst(t *testing.T, s store.Store) {
	// Created in another order than handed off; b and c at the same time.
	for i, id := range []string{"a", "b", "c", "d", "offered"} {
		started(t, s, id, t0.Add(time.Duration(i)))
		moved(t, s, id, writes("", "help"))
	}
	for _, h := range []struct {
		id string
		at time.Duration
	}{{"d", 10}, {"c", 20}, {"b", 20}, {"offered", 25}, {"a", 30}} {
		moved(t, s, h.id, handsOff(t0.Add(h.at)))
	}
	moved(t, s, "offered", offers(anna, 1, t0.Add(time.Minute)))
	view(t, s, func(r store.Reader) error {
		for _, test := range []struct {
			skip, limit int
			want        string
		}{{0, 10, "[d b c a]"}, {0, 2, "[d b]"}, {2, 2, "[c a]"}, {3, 2, "[a]"}, {4, 2, "[]"}, {0, 0, "[]"}} {
			got, err := r.Waiting(test.skip, test.limit)
			if err != nil {
				return err
			}
			if ids(got) != test.want {
				t.Errorf("waiting from %d, up to %d: %s, want %s", test.skip, test.limit, ids(got), test.want)
			}
		}
		n, err := r.CountWaiting()
		if n != 4 {
			t.Errorf("%d wait, want 4", n)
		}
		queue, err2 := r.Waiting(0, 10)
		for want, c := range queue {
			ahead, err := r.CountAhead(c)
			if ahead != want || err != nil {
				t.Errorf("%d wait ahead of %s (%v), want %d", ahead, c.ID, err, want)
			}
		}
		return errors.Join(err, err2)
	})
}

// A point is a minute: five points come before those who wait up to five minutes longer, and not before others.
func testQueueByPriority(t *testing.T, s store.Store) {
	for _, h := range []struct {
		id     string
		minute time.Duration
		points int
	}{{"longest", 0, 0}, {"long", 2, 0}, {"vip", 6, 5}, {"later", 10, -3}, {"last", 12, 0}} {
		started(t, s, h.id, t0)
		moved(t, s, h.id, writes("", "help"), func(c conversation.Conversation) (conversation.Change, error) {
			return c.HandOff(c.Epoch, c.Pending, conversation.Handoff{Priority: h.points}, nil, nil, t0.Add(h.minute*time.Minute))
		})
	}
	view(t, s, func(r store.Reader) error {
		got, err := r.Waiting(0, 10)
		if ids(got) != "[longest vip long last later]" {
			t.Errorf("the queue is %s", ids(got))
		}
		return err
	})
}

func testOffersBySoonestEnd(t *testing.T, s store.Store) {
	for i, o := range []struct {
		id string
		in time.Duration
	}{{"a", 3}, {"b", 1}, {"c", 2}} {
		started(t, s, o.id, t0)
		moved(t, s, o.id, writes("", "help"), handsOff(t0.Add(time.Duration(i))), offers(anna, 1, t0.Add(o.in)))
	}
	view(t, s, func(r store.Reader) error {
		got, err := r.Offered()
		if ids(got) != "[b c a]" {
			t.Errorf("offers by their end: %s, want [b c a]", ids(got))
		}
		return err
	})
}

// Random transitions of a few conversations: what the queries say is what the conversations add up to.
func testQueriesAgreeWithTheLog(t *testing.T, s store.Store) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	all := map[string]conversation.Conversation{}
	assigned := map[string]time.Time{}
	for i := range 5 {
		id := fmt.Sprintf("c%d", i)
		all[id] = started(t, s, id, t0.Add(time.Duration(i)))
	}
	for step := range 150 {
		id := fmt.Sprintf("c%d", random.IntN(len(all)))
		now := t0.Add(time.Duration(random.IntN(1000)))
		c, ok := randomMove(random, all[id], now)
		if !ok {
			continue
		}
		if to := holder(c.Conversation); to != "" && to != holder(all[id]) {
			assigned[to] = c.Conversation.UpdatedAt.UTC()
		}
		all[id] = c.Conversation
		update(t, s, func(tx store.Tx) error { return tx.Save(c) })
		agree(t, s, all, assigned)
		if t.Failed() {
			t.Fatalf("after step %d with seed %d", step, seed)
		}
	}
}

func randomMove(random *rand.Rand, c conversation.Conversation, now time.Time) (conversation.Change, bool) {
	agent := []conversation.Person{anna, boris}[random.IntN(2)]
	owner := conversation.Person{Email: c.Owner.ID}
	cost := 1 + random.IntN(3)
	moves := []move{
		writes("", "text"),
		handsOff(now),
		offers(agent, cost, now.Add(time.Minute)),
		func(c conversation.Conversation) (conversation.Change, error) { return c.OfferExpires(now) },
		func(c conversation.Conversation) (conversation.Change, error) { return c.Accept(agent, "", now) },
		func(c conversation.Conversation) (conversation.Change, error) {
			return c.TakeOver(agent, cost, conversation.Handoff{}, nil, "", now)
		},
		func(c conversation.Conversation) (conversation.Change, error) {
			return c.AIAnswers(c.Epoch, c.Pending, conversation.Answer{Text: "x"}, now)
		},
		func(c conversation.Conversation) (conversation.Change, error) {
			return c.Resolve(owner, conversation.Outcome{ToAI: cost > 1}, now)
		},
		func(c conversation.Conversation) (conversation.Change, error) {
			return c.Reopen("", "again", nil, nil, now)
		},
		func(c conversation.Conversation) (conversation.Change, error) {
			return c.Snooze(owner, now.Add(time.Duration(cost)), now)
		},
		func(c conversation.Conversation) (conversation.Change, error) { return c.Wake(&owner, now) },
		func(c conversation.Conversation) (conversation.Change, error) {
			return c.Transfer(owner, conversation.Target{Pool: "p"}, "", nil, now)
		},
	}
	change, err := moves[random.IntN(len(moves))](c)
	return change, err == nil
}

// holder is who has or is offered a conversation, if anybody.
func holder(c conversation.Conversation) string {
	switch {
	case c.Offer != nil:
		return c.Offer.Agent.Email
	case c.Owner.Kind == conversation.OwnerAgent:
		return c.Owner.ID
	}
	return ""
}

// agree compares the store's answers with what all conversations add up to, and when each agent was assigned one last.
func agree(t *testing.T, s store.Store, all map[string]conversation.Conversation, assigned map[string]time.Time) {
	t.Helper()
	loads := map[string]assign.Load{}
	for email, at := range assigned {
		loads[email] = assign.Load{AssignedAt: at}
	}
	held := map[string][]conversation.Conversation{}
	var waiting, offered []conversation.Conversation
	var owing []string
	hold := func(email string, units int, c conversation.Conversation) {
		loads[email] = assign.Load{Units: loads[email].Units + units, AssignedAt: assigned[email]}
		held[email] = append(held[email], c)
	}
	for _, c := range all {
		switch {
		case c.Offer != nil:
			offered = append(offered, c)
			hold(c.Offer.Agent.Email, c.Offer.Cost, c)
		case c.Owner.Kind == conversation.OwnerQueue:
			waiting = append(waiting, c)
		case c.Owner.Kind == conversation.OwnerAgent:
			units := c.Cost
			if !c.SnoozedUntil.IsZero() {
				units = 0
			}
			hold(c.Owner.ID, units, c)
		}
		if c.Pending != 0 {
			owing = append(owing, c.ID)
		}
	}
	maps.DeleteFunc(loads, func(_ string, l assign.Load) bool { return l == assign.Load{} })
	byWaiting := func(a, b conversation.Conversation) int {
		return cmp.Or(a.Handoff.At.Compare(b.Handoff.At), strings.Compare(a.ID, b.ID))
	}
	slices.SortFunc(waiting, byWaiting)
	slices.SortFunc(offered, func(a, b conversation.Conversation) int {
		return cmp.Or(a.Offer.ExpiresAt.Compare(b.Offer.ExpiresAt), strings.Compare(a.ID, b.ID))
	})
	slices.Sort(owing)
	view(t, s, func(r store.Reader) error {
		gotLoads, err := r.Loads()
		gotWaiting, err2 := r.Waiting(0, 100)
		n, err3 := r.CountWaiting()
		gotOffered, err4 := r.Offered()
		gotOwing, err5 := r.Owing()
		same(t, "loads", loads, gotLoads)
		same(t, "waiting", waiting, gotWaiting)
		same(t, "how many wait", len(waiting), n)
		same(t, "offered", offered, gotOffered)
		slices.Sort(gotOwing)
		same(t, "owing", owing, gotOwing)
		for _, p := range []conversation.Person{anna, boris} {
			slices.SortFunc(held[p.Email], byWaiting)
			got, err := r.OwnedBy(p.Email)
			if err != nil {
				return err
			}
			same(t, "conversations of "+p.Name, held[p.Email], got)
		}
		return errors.Join(err, err2, err3, err4, err5)
	})
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func testPresenceAndIdleTime(t *testing.T, s store.Store) {
	online := store.Presence{Email: anna.Email, State: store.Online, Until: t0.Add(time.Minute)}
	away := store.Presence{Email: boris.Email, State: store.Away, Reason: "lunch", Since: t0, Until: t0.Add(time.Hour), Missed: 2}
	update(t, s, func(tx store.Tx) error {
		return errors.Join(
			tx.SetPresence(store.Presence{Email: anna.Email, State: store.Offline}),
			tx.SetPresence(store.Presence{Email: boris.Email, State: store.Away, Reason: "lunch", Since: t0, Until: t0, Missed: 2}),
			tx.RenewPresence(away), tx.Touch("chloe@agents.example", t0), tx.Touch(anna.Email, t0))
	})
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.SetPresence(online), tx.Touch(anna.Email, t0.Add(time.Second)))
	})
	started(t, s, "c1", t0)
	moved(t, s, "c1", writes("", "help"), handsOff(t0), offers(anna, 3, t0.Add(time.Minute)))
	view(t, s, func(r store.Reader) error {
		presences, err := r.Presences()
		same(t, "presences", map[string]store.Presence{anna.Email: online, boris.Email: away}, presences)
		loads, err2 := r.Loads()
		same(t, "loads", map[string]assign.Load{
			anna.Email: {Units: 3, IdleSince: t0.Add(time.Second), AssignedAt: t0}, "chloe@agents.example": {IdleSince: t0},
		}, loads)
		return errors.Join(err, err2)
	})
	update(t, s, func(tx store.Tx) error {
		return tx.SetPresence(store.Presence{Email: anna.Email, State: store.Offline})
	})
	view(t, s, func(r store.Reader) error {
		presences, err := r.Presences()
		same(t, "presence", store.Presence{Email: anna.Email, State: store.Offline}, presences[anna.Email])
		one, err2 := r.Presence(boris.Email)
		same(t, "presence of one", away, one)
		none, err3 := r.Presence("nobody@agents.example")
		same(t, "presence of nobody", store.Presence{Email: "nobody@agents.example"}, none)
		return errors.Join(err, err2, err3)
	})
}

func testCodesAreForOnce(t *testing.T, s store.Store) {
	code := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	update(t, s, func(tx store.Tx) error {
		return errors.Join(
			tx.PutCode(code(1), anna.Email, t0.Add(time.Minute), t0),
			tx.PutCode(code(2), boris.Email, t0.Add(time.Second), t0),
			tx.PutCode(code(3), anna.Email, t0.Add(time.Hour), t0))
	})
	take := func(b byte, now time.Time, want string) {
		t.Helper()
		var email string
		err := s.Update(t.Context(), func(tx store.Tx) (err error) {
			email, err = tx.TakeCode(code(b), now)
			return err
		})
		if email != want || errors.Is(err, store.ErrNotFound) != (want == "") {
			t.Errorf("code %d is %q's (%v), want %q", b, email, err, want)
		}
	}
	take(9, t0, "")
	take(1, t0, anna.Email)
	take(1, t0, "")
	take(2, t0.Add(time.Second), "") // expired just now
	take(3, t0.Add(time.Second), anna.Email)
	// A wrong code is no failed write: what the transaction does about it is committed.
	update(t, s, func(tx store.Tx) error {
		if _, err := tx.TakeCode(code(9), t0); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("error %v, want ErrNotFound", err)
		}
		return tx.Touch(anna.Email, t0)
	})
	// An expired code's place is free again.
	update(t, s, func(tx store.Tx) error {
		return tx.PutCode(code(2), anna.Email, t0.Add(time.Hour), t0.Add(time.Minute))
	})
	take(2, t0.Add(time.Minute), anna.Email)
}

// The mean is of the newest, of one pool and type of channel.
func testHandlingTime(t *testing.T, s store.Store) {
	started(t, s, "c", t0)
	handled := func(pool string, over v1alpha1.ChannelType, ended time.Time, took time.Duration) {
		moved(t, s, "c", func(c conversation.Conversation) (conversation.Change, error) {
			change, err := c.AgentNotes(anna, "", "Done.", t0)
			change.Handled = &conversation.Handled{Pool: pool, Over: over, Ended: ended, Took: took}
			return change, err
		})
	}
	for i := range 5 {
		handled("p", v1alpha1.ChannelTypeWeb, t0.Add(time.Duration(-i)*time.Second), time.Duration(i)*time.Minute)
	}
	handled("p", v1alpha1.ChannelTypeEmail, t0, time.Hour)
	handled("q", v1alpha1.ChannelTypeWeb, t0, time.Hour)
	handled("", v1alpha1.ChannelTypeWeb, t0, time.Hour)
	view(t, s, func(r store.Reader) error {
		mean, n, err := r.HandlingTime("p", v1alpha1.ChannelTypeWeb, 3)
		same(t, "mean of three", time.Minute, mean)
		same(t, "three", 3, n)
		mean, n, err2 := r.HandlingTime("p", v1alpha1.ChannelTypeWeb, 50)
		same(t, "mean of all", 2*time.Minute, mean)
		same(t, "all", 5, n)
		mean, n, err3 := r.HandlingTime("p", v1alpha1.ChannelTypePhone, 50)
		same(t, "mean of none", time.Duration(0), mean)
		same(t, "none", 0, n)
		return errors.Join(err, err2, err3)
	})
}
