package tenant_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// What users of comparable systems suffer from, a test each.

// Work assigned to people who are not there: nobody who never came, is away or offline, whose presence ran out, who is off
// shift or in another team is offered anything, also when all of them have room and nobody else has.
func TestPain02WorkForThePresentOnly(t *testing.T) {
	t.Parallel()
	table := Table(6, 5)
	table.Pools[0].Agents[3].Hours = []routing.Window{{Days: []v1alpha1.Weekday{"Tue"}, From: 0, To: 1440}}
	other := table.Pools[0]
	other.Name, other.Agents = "others", table.Pools[0].Agents[4:5]
	table.Pools[0].Agents = append(table.Pools[0].Agents[:4:4], table.Pools[0].Agents[5])
	table.Pools = []routing.Pool{other, table.Pools[0]}
	w := New(t, Options{Table: table})
	if _, err := w.SetPresence(t.Context(), w.AgentNamed("a2"), store.Online, "", Start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	w.SetState("a1", store.Online)
	w.SetState("a1", store.Away)
	w.SetState("a3", store.Online) // off shift on Mondays
	w.SetState("a4", store.Online) // of another team
	w.Clock.Step(time.Minute)      // a2 is gone; a0 never came
	ids := []string{wait(w), wait(w)}
	w.SetState("a5", store.Online)
	for _, id := range ids {
		offeredTo(t, w, id, 1, "a5")
	}
}

// The backlog never drains when an agent comes online: all that they have room for is offered, in order, while nothing
// else happens and the clock stands still.
func TestPain03BacklogDrains(t *testing.T) {
	t.Parallel()
	const waiting, room = 130, 120 // more than one transaction offers
	table := Table(1, room)
	w := New(t, Options{NoTable: true})
	queueUp(t, w, waiting)
	w.UseTable(table)
	w.SetState("a0", store.Online)
	for i := range room {
		offeredTo(t, w, queueID(i), 1, "a0")
	}
	for i := room; i < waiting; i++ {
		if n := countType(w.Events(queueID(i)), conversation.EventOffered); n > 0 {
			t.Errorf("%s is offered beyond capacity", queueID(i))
		}
	}
	if _, err := w.Accept(t.Context(), queueID(7), w.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Resolve(t.Context(), queueID(7), w.AgentNamed("a0"), ""); err != nil {
		t.Fatal(err)
	}
	offeredTo(t, w, queueID(room), 1, "a0")
}

// Assignment races: of many who take the same conversation at once, by accepting or taking over, one has it; nobody's
// assignment is overwritten, and the others are told.
func TestPain04OneOfManyGetsIt(t *testing.T) {
	t.Parallel()
	const rounds, agents = 10, 6
	table := Table(agents, rounds)
	w := New(t, Options{Table: table})
	for i := range agents {
		w.SetState(fmt.Sprintf("a%d", i), store.Online)
	}
	for range rounds {
		id := wait(w)
		w.AwaitType(id, conversation.EventOffered, 1)
		var won, refused atomic.Int64
		var wg sync.WaitGroup
		for i := range agents {
			a := w.AgentNamed(fmt.Sprintf("a%d", i))
			for _, take := range []func() (conversation.Conversation, error){
				func() (conversation.Conversation, error) { return w.Accept(t.Context(), id, a) },
				func() (conversation.Conversation, error) { return w.TakeOver(t.Context(), id, a) },
			} {
				wg.Go(func() {
					c, err := take()
					var refusal *conversation.Refusal
					switch {
					case err == nil && c.Owner.ID == a.Email:
						won.Add(1)
					case errors.As(err, &refusal):
						refused.Add(1)
					default:
						t.Errorf("%s has it from %s: %v", a.Email, c.Owner.ID, err)
					}
				})
			}
		}
		wg.Wait()
		taken := countType(w.Events(id), conversation.EventAssigned) + countType(w.Events(id), conversation.EventTakenOver)
		if taken != 1 || won.Load() < 1 || won.Load() > 2 || won.Load()+refused.Load() != 2*agents {
			t.Errorf("%s was taken %d times; %d calls succeeded, %d were refused", id, taken, won.Load(), refused.Load())
		}
	}
	w.Stop()
	check(t, w, table, -1)
}

// The team cannot be chosen on handoff: the type of issue and the language choose it, and a customer of one team is never
// offered to another.
func TestPain11TheTeamIsChosen(t *testing.T) {
	t.Parallel()
	table := twoTeams()
	table.Policy.IssueTypes = []routing.IssueType{{Name: "order", Keywords: []string{"order"}}}
	table.Policy.Routes = []routing.Route{
		{Name: "orders", IssueTypes: []string{"order"}, Targets: []routing.Target{{Pool: "sales"}}},
		{Name: "rest", Targets: []routing.Target{{Pool: "team"}}},
	}
	w := New(t, Options{Table: table})
	order, rest := ask(w, "It is about my order. "+Human), wait(w)
	w.SetState("a0", store.Online)
	offeredTo(t, w, rest, 1, "a0")
	if n := countType(w.Events(order), conversation.EventOffered); n > 0 {
		t.Error("an order was offered to the other team")
	}
	w.SetState("s0", store.Online)
	offeredTo(t, w, order, 1, "s0")
}

// Fifty agents make it slow: what one handoff reads does not grow with the agents online or the conversations open. (What
// it takes in time is measured by BenchmarkComesOnline and the benchmarks of package assign.)
func TestPain15WorkDoesNotGrowWithSize(t *testing.T) {
	t.Parallel()
	const handoffs = 10
	reads := map[int]int64{}
	for _, size := range []int{5, 50} {
		w, all, one := queueCounted(t, 10*size, Table(size, 11+handoffs), bare)
		for i := range size {
			w.SetState(fmt.Sprintf("a%d", i), store.Online)
		}
		for i := range 10 * size {
			w.AwaitType(queueID(i), conversation.EventOffered, 1)
		}
		w.AwaitType(wait(w), conversation.EventOffered, 1) // what the many have changed was read before
		all.Store(0)
		one.Store(0)
		for range handoffs {
			w.AwaitType(wait(w), conversation.EventOffered, 1)
		}
		w.Stop()
		if all.Load() > 0 {
			t.Errorf("with %d agents the queue was read %d times", size, all.Load())
		}
		reads[size] = one.Load()
	}
	// How often a test looks at what it waits for differs, and with it the wake-ups that come together.
	if reads[50] > 3*reads[5]+50 {
		t.Errorf("reads of conversations by number of agents: %v", reads)
	}
}

// A customer who begins a new conversation, or comes back to one that cannot be reopened any more, is offered to the agent
// they had last, for as long as the pool keeps them together.
func TestStickinessOverConversations(t *testing.T) {
	t.Parallel()
	table := Table(2, 5)
	table.Policy.ReturnToAI.OnResolve = false
	table.Pools[0].Stickiness = metav1.Duration{Duration: 30 * 24 * time.Hour}
	w := New(t, Options{Table: table})
	w.SetState("a1", store.Online)
	first, _ := w.OpenFor(t, "c-1")
	w.Send(first, "1", Human)
	offeredTo(t, w, first, 1, "a1")
	w.Do(w.Accept(t.Context(), first, w.AgentNamed("a1")))
	accepted(t, w, "a1") // whom the strategy does not choose
	w.Do(w.Resolve(t.Context(), first, w.AgentNamed("a1"), ""))
	w.SetState("a0", store.Online)

	second, _ := w.OpenFor(t, "c-1")
	w.Send(second, "1", Human)
	offeredTo(t, w, second, 1, "a1")
	stranger, _ := w.OpenFor(t, "c-2")
	w.Send(stranger, "1", Human)
	offeredTo(t, w, stranger, 1, "a0")
	c, err := w.Conversation(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}

	w.Clock.Step(tenant.ReopenWindow + time.Second)
	w.Send(first, "2", Question)
	id, err := w.GoesOn(t.Context(), first)
	if err != nil || id == first {
		t.Fatalf("%s goes on in %s, %v", first, id, err)
	}
	next, err := w.Conversation(t.Context(), id)
	if err != nil || next.LastAgent != Email("a1") || !next.LastAgentAt.Equal(c.LastAgentAt) {
		t.Errorf("%s had it last at %s, want %s, %v", next.LastAgent, next.LastAgentAt, c.LastAgentAt, err)
	}
}
