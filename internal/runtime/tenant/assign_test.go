package tenant_test

import (
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// wait hands a new conversation off and returns it when it is in the queue.
func wait(w *World) string {
	id, _ := w.OpenConversation()
	w.Send(id, "1", Human)
	w.AwaitType(id, conversation.EventHandoff, 1)
	return id
}

func offeredTo(t *testing.T, w *World, id string, nth int, want string) conversation.Event {
	t.Helper()
	e := w.AwaitType(id, conversation.EventOffered, nth)
	if e.Agent.ID != Email(want) {
		t.Errorf("offer %d of %s went to %s, not %s", nth, id, e.Agent.ID, want)
	}
	return e
}

// Nothing but the agent's coming online happens, and the clock stands still.
func TestComingOnlineIsAnsweredWithAnOffer(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	first := wait(w)
	w.Clock.Step(time.Second)
	second := wait(w)
	w.SetState("a1", store.Online)
	offeredTo(t, w, first, 1, "a1")
	w.SetState("a0", store.Online)
	offeredTo(t, w, second, 1, "a0")
	check(t, w, Table(2, 1), 2)
}

// A slot that frees goes to who waits longest.
func TestFreedSlotIsOfferedAtOnce(t *testing.T) {
	t.Parallel()
	for name, free := range map[string]func(w *World, id string, a routing.Agent) error{
		"resolve": func(w *World, id string, a routing.Agent) error {
			_, err := w.Resolve(t.Context(), id, a, "")
			return err
		},
		"return": func(w *World, id string, a routing.Agent) error {
			_, err := w.ReturnToAI(t.Context(), id, a)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := New(t, Options{Table: Table(1, 1)})
			a0 := w.AgentNamed("a0")
			w.SetState("a0", store.Online)
			held := wait(w)
			offeredTo(t, w, held, 1, "a0")
			if _, err := w.Accept(t.Context(), held, a0); err != nil {
				t.Fatal(err)
			}
			w.Clock.Step(time.Second)
			first := wait(w)
			w.Clock.Step(time.Second)
			second := wait(w)
			if err := free(w, held, a0); err != nil {
				t.Fatal(err)
			}
			offeredTo(t, w, first, 1, "a0")
			if n := countType(w.Events(second), conversation.EventOffered); n != 0 {
				t.Errorf("who came later has %d offers", n)
			}
			check(t, w, Table(1, 1), 2)
		})
	}
}

// An offer ends exactly at its time, also where the queue is looked at just before, and its conversation keeps its place.
func TestOfferEndsAtItsTime(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	w.SetState("a0", store.Online)
	w.SetState("a1", store.Online)
	first := wait(w)
	offeredTo(t, w, first, 1, "a0")
	w.Clock.Step(time.Second)
	other := wait(w)
	offeredTo(t, w, other, 1, "a1")
	if _, err := w.Accept(t.Context(), other, w.AgentNamed("a1")); err != nil {
		t.Fatal(err)
	}
	w.Clock.Step(time.Second)
	second := wait(w)
	w.Clock.Step(time.Second)
	third := wait(w)
	expires := Start.Add(OfferTimeout)
	w.Clock.AwaitTimer(t, expires)
	w.Clock.SetTime(expires.Add(-time.Nanosecond))
	if _, err := w.Resolve(t.Context(), other, w.AgentNamed("a1"), ""); err != nil {
		t.Fatal(err)
	}
	offeredTo(t, w, second, 1, "a1") // the offers that were due ended before this one was made
	if c, err := w.Conversation(t.Context(), first); err != nil || c.Offer == nil || !c.Offer.ExpiresAt.Equal(expires) {
		t.Fatalf("before its end the offer is %+v, %v", c.Offer, err)
	}
	w.Clock.SetTime(expires)
	if e := w.AwaitType(first, conversation.EventOfferExpired, 1); !e.At.Equal(expires) {
		t.Errorf("expired at %s", e.At)
	}
	offeredTo(t, w, first, 2, "a0") // the only one with room
	if n := countType(w.Events(third), conversation.EventOffered); n != 0 {
		t.Error("who came later was offered first")
	}
	check(t, w, Table(2, 1), 4)
}

// Who let an offer pass comes after the others, whatever the load.
func TestWhoLetAnOfferPassComesLast(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	w.SetState("a0", store.Online)
	id := wait(w)
	offeredTo(t, w, id, 1, "a0")
	w.SetState("a1", store.Online)
	w.Clock.AwaitTimer(t, Start.Add(OfferTimeout))
	w.Clock.Step(OfferTimeout)
	offeredTo(t, w, id, 2, "a1")
	check(t, w, Table(2, 1), 2)
}

// An agent who goes away gives the open offer back at once; the clock stands still.
func TestGoingAwayGivesTheOfferBack(t *testing.T) {
	t.Parallel()
	for _, state := range []store.PresenceState{store.Away, store.Offline} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := New(t, Options{})
			w.SetState("a0", store.Online)
			id := wait(w)
			offeredTo(t, w, id, 1, "a0")
			w.SetState("a1", store.Online)
			w.SetState("a0", state)
			offeredTo(t, w, id, 2, "a1")
			check(t, w, Table(2, 1), 2)
		})
	}
}

// A presence that ran out is none.
func TestPresenceEnds(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	w.SetState("a0", store.Online)
	w.Clock.Step(10 * time.Hour)
	id := wait(w)
	w.SetState("a1", store.Online)
	offeredTo(t, w, id, 1, "a1")
	if p, err := w.Presence(t.Context(), Email("a0")); err != nil || p.State != store.Offline {
		t.Errorf("a0 is %+v, %v", p, err)
	}
}

// The shift begins, and with it the offer; nothing else happens.
func TestShiftThatOpensBringsTheOffer(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	table.Pools[0].Hours = []routing.Window{{Days: []v1alpha1.Weekday{"Mon", "Tue"}, From: 10 * 60, To: 18 * 60}}
	table.Pools[0].Closures = []routing.Closure{{Date: "2026-03-02", From: 9 * 60, To: 11 * 60}}
	w := New(t, Options{Table: table})
	w.SetState("a0", store.Online)
	id := wait(w) // at 09:00; the window opens at 10:00, the closure ends at 11:00
	told := w.Events(id)
	if last := told[len(told)-1]; last.Text != table.Text("Unavailable", "en", "Web", "", nil) {
		t.Errorf("the customer is told %q", last.Text)
	}
	opens := Start.Add(2 * time.Hour)
	w.Clock.AwaitTimer(t, opens)
	w.Clock.SetTime(opens.Add(-time.Nanosecond))
	if n := countType(w.Events(id), conversation.EventOffered); n != 0 {
		t.Error("offered before the shift")
	}
	w.Clock.SetTime(opens)
	if e := offeredTo(t, w, id, 1, "a0"); !e.At.Equal(opens) {
		t.Errorf("offered at %s", e.At)
	}
	check(t, w, table, 1)
}

// A new table brings an agent who can take what waits, and takes back what one who has left was offered.
func TestNewTableIsActedOnAtOnce(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 1)})
	w.SetState("a0", store.Online)
	first, second := wait(w), wait(w)
	offeredTo(t, w, first, 1, "a0")
	bigger := Table(1, 2)
	w.UseTable(bigger)
	offeredTo(t, w, second, 1, "a0")
	without := Table(2, 2)
	w.UseTable(without)
	w.SetState("a1", store.Online)
	without = Table(2, 2)
	without.Pools[0].Agents = without.Pools[0].Agents[1:]
	w.UseTable(without)
	offeredTo(t, w, first, 2, "a1")
	offeredTo(t, w, second, 2, "a1")
}

// The customer is told the place in the queue, or nothing where somebody can take the conversation at once.
func TestPlaceInTheQueue(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	w := New(t, Options{Table: table})
	for position, want := range []string{"", "1", "2"} {
		if position == 0 {
			w.SetState("a0", store.Online)
		}
		w.Clock.Step(time.Second)
		id := wait(w)
		events := w.Events(id)
		if want == "" {
			offeredTo(t, w, id, 1, "a0")
			for _, e := range events {
				if e.Text == table.Text("Queued", "en", "Web", "", map[string]string{"position": "1"}) {
					t.Errorf("told %q, though it is offered", e.Text)
				}
			}
			continue
		}
		if last := events[len(events)-1]; last.Text != table.Text("Queued", "en", "Web", "", map[string]string{"position": want}) {
			t.Errorf("at place %s the customer is told %q", want, last.Text)
		}
	}
}

// Agents come and go, accept, resolve and take over while customers are handed off: in the record of all that was
// written no offer goes beyond somebody's capacity, to somebody absent, or past somebody less loaded.
func TestNeverBeyondCapacity(t *testing.T) {
	t.Parallel()
	rounds := 3
	if os.Getenv("SOAK") != "" {
		rounds = 200
	}
	for range rounds {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		tb := Table(4, 2)
		tb.Pools[0].Agents[3].Capacity = 5
		w := New(t, Options{Table: tb})
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() { beAgent(t, w, tb.Pools[0].Agents[i], rand.New(rand.NewPCG(seed, uint64(i)))) })
		}
		ids := make([][]string, 4)
		for i := range ids {
			wg.Go(func() {
				for range 15 {
					ids[i] = append(ids[i], wait(w))
				}
			})
		}
		wg.Wait()
		for _, a := range tb.Pools[0].Agents {
			w.SetState(a.Name, store.Online)
		}
		w.Stop()
		if n := check(t, w, tb, -1); n == 0 {
			t.Error("nothing was ever offered")
		}
	}
}

// beAgent does what an agent may do, in a random order.
func beAgent(t *testing.T, w *World, a routing.Agent, r *rand.Rand) {
	for range 80 {
		switch r.IntN(6) {
		case 0:
			w.SetState(a.Name, store.Away)
			continue
		case 1, 2:
			w.SetState(a.Name, store.Online)
			continue
		case 3:
			w.Clock.Step(time.Duration(r.IntN(20)) * time.Second)
			continue
		}
		mine, _, err := w.Mine(t.Context(), a.Email)
		if err != nil {
			t.Error(err)
		}
		for _, c := range mine { // errors are refusals: it was somebody else's or has expired by now
			if c.Offer != nil {
				_, _ = w.Accept(t.Context(), c.ID, a)
			} else if r.IntN(2) == 0 {
				_, _ = w.Resolve(t.Context(), c.ID, a, "")
			}
		}
	}
}

// check runs the checkers; want is the number of offers, or -1 for any.
func check(t *testing.T, w *World, tb *routing.Table, want int) int {
	t.Helper()
	n, err := CheckOffers(w.Record.All(), tb)
	if err != nil || want >= 0 && n != want {
		t.Errorf("%d offers of %d: %v", n, want, err)
	}
	return n
}

// An offer says what its agent holds with it, whether it is made in the handoff or from the queue.
func TestOffersSayTheRoom(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 3)})
	ids := []string{wait(w)}
	w.SetState("a0", store.Online)
	offeredTo(t, w, ids[0], 1, "a0") // from the queue
	ids = append(ids, wait(w), wait(w))
	for i, id := range ids {
		if e, want := offeredTo(t, w, id, 1, "a0"), (conversation.Room{Held: i + 1, Capacity: 3}); e.Room == nil || *e.Room != want {
			t.Errorf("offer %d has room %v, want %v", i, e.Room, want)
		}
	}
}
