package tenant_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// ask opens a conversation that hands itself off with a text.
func ask(w *World, text string) string {
	id, _ := w.OpenConversation()
	w.Send(id, "1", text)
	w.AwaitType(id, conversation.EventHandoff, 1)
	return id
}

// Points are minutes of waiting: who has ten comes before who waits nine minutes longer, and not before eleven.
func TestPrioritiesAge(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	table.Policy.Priorities = []routing.Priority{
		{Name: "outage", Expression: `message.contains("outage")`, Add: 15}, {Name: "web", Expression: `channel.type == "Web" && turns == 1`, Add: -5},
	}
	w := New(t, Options{Table: table})
	starved := wait(w)
	w.Clock.Step(2 * time.Minute)
	overtaken := wait(w)
	w.Clock.Step(9 * time.Minute)
	urgent := ask(w, "There is an outage. "+Human)
	w.Clock.Step(270 * time.Second)
	more := ask(w, "Another outage! "+Human)
	a0 := w.AgentNamed("a0")
	w.SetState("a0", store.Online)
	for _, id := range []string{urgent, starved, more, overtaken} { // their places are minutes 1, 5, 5½ and 7
		offeredTo(t, w, id, 1, "a0")
		if _, err := w.Accept(t.Context(), id, a0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Resolve(t.Context(), id, a0, ""); err != nil {
			t.Fatal(err)
		}
	}
	c, err := w.Conversation(t.Context(), urgent)
	if err != nil || c.Handoff != nil {
		t.Errorf("after the end the handoff is %+v, %v", c.Handoff, err)
	}
}

// The message decides along which route a conversation goes, and the route stays when the message is long gone.
func TestRouteByExpressionStays(t *testing.T) {
	t.Parallel()
	table := twoTeams()
	table.Policy.Routes = []routing.Route{
		{Name: "sales", Expression: `message.contains("buy")`, Targets: []routing.Target{{Pool: "sales"}}},
		{Name: "rest", Targets: []routing.Target{{Pool: "team"}}},
	}
	w := New(t, Options{Table: table})
	buyer, other := ask(w, "I want to buy a lot. "+Human), wait(w)
	w.Send(buyer, "2", "hello?")
	w.UseTable(table)
	w.SetState("s0", store.Online)
	offeredTo(t, w, buyer, 1, "s0")
	w.SetState("a0", store.Online)
	offeredTo(t, w, other, 1, "a0")
}

// twoTeams is a table with the pools "team" of a0 and "sales" of s0.
func twoTeams() *routing.Table {
	table := Table(1, 1)
	sales := table.Pools[0]
	sales.Name, sales.Agents = "sales", []routing.Agent{{Name: "s0", DisplayName: "Agent s0", Email: Email("s0"), Capacity: 1}}
	table.Pools = []routing.Pool{sales, table.Pools[0]}
	return table
}

// The second ring opens exactly when the first has been tried for its time, and nothing else happens.
func TestRingOpensAtItsTime(t *testing.T) {
	t.Parallel()
	table := twoTeams()
	table.Policy.Routes[0].Targets = []routing.Target{{Pool: "sales", For: metav1.Duration{Duration: time.Minute}}, {Pool: "team"}}
	w := New(t, Options{Table: table})
	w.SetState("a0", store.Online)
	id := wait(w)
	w.Clock.AwaitTimer(t, Start.Add(time.Minute))
	w.Clock.Step(time.Minute - time.Nanosecond)
	if n := countType(w.Events(id), conversation.EventOffered); n != 0 {
		t.Error("offered before its time")
	}
	w.Clock.Step(time.Nanosecond)
	if e := offeredTo(t, w, id, 1, "a0"); !e.At.Equal(Start.Add(time.Minute)) {
		t.Errorf("offered at %s", e.At)
	}
}

// Round robin counts what was offered, not what was accepted; a customer's last agent comes first even so.
func TestRoundRobinAndStickiness(t *testing.T) {
	t.Parallel()
	table := Table(3, 5)
	table.Pools[0].Strategy, table.Pools[0].Stickiness = "RoundRobin", metav1.Duration{Duration: time.Hour}
	table.Pools[0].OfferTimeout = metav1.Duration{Duration: 24 * time.Hour}
	w := New(t, Options{Table: table})
	for _, name := range []string{"a0", "a1", "a2"} {
		w.SetState(name, store.Online)
	}
	var ids []string
	for _, want := range []string{"a0", "a1", "a2", "a0"} {
		w.Clock.Step(time.Second)
		ids = append(ids, wait(w))
		offeredTo(t, w, ids[len(ids)-1], 1, want)
	}
	a1 := w.AgentNamed("a1")
	if _, err := w.Accept(t.Context(), ids[1], a1); err != nil {
		t.Fatal(err)
	}
	w.Clock.Step(time.Minute)
	if _, err := w.ReturnToAI(t.Context(), ids[1], a1); err != nil {
		t.Fatal(err)
	}
	w.Clock.Step(time.Hour)
	w.Send(ids[1], "2", Human)
	offeredTo(t, w, ids[1], 2, "a1")
	next := wait(w)
	offeredTo(t, w, next, 1, "a2") // a1 was just assigned one
}

// deaf is a store whose wake-ups stop after the first, which says that all is to be read.
type deaf struct{ store.Store }

func (d deaf) Listen(ctx context.Context, fn func(store.Wake)) error {
	first := true
	return d.Store.Listen(ctx, func(w store.Wake) {
		if first {
			fn(w)
		}
		first = false
	})
}

// A lost wake-up is made up for by the safety read, which counts what it found. Without a loss it finds nothing.
func TestSafetyReadCountsWhatItFinds(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"lost": true, "not lost": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, _ := queueCounted(t, 1, Table(1, 1), func(s store.Store) store.Store {
				if lost {
					return deaf{s}
				}
				return s
			})
			id := queueID(0)
			online := store.Presence{Email: Email("a0"), State: store.Online, Until: Start.Add(time.Hour)}
			mustUpdate(t, w, func(tx store.Tx) error { return tx.SetPresence(online) }) // past the Tenant, as another replica would
			if !lost {
				offeredTo(t, w, id, 1, "a0")
			}
			w.Clock.AwaitTimer(t, Start.Add(5*time.Minute))
			w.Clock.Step(5 * time.Minute)
			if lost {
				offeredTo(t, w, id, 1, "a0")
			}
			w.Clock.AwaitTimer(t, Start.Add(10*time.Minute))
			w.Stop()
			if got := gathered(t, w, "handoff_queue_corrections_total"); got != map[bool]float64{true: 1}[lost] {
				t.Errorf("the safety read found %v", got)
			}
		})
	}
}

// An agent who snoozes, sends on or loses a conversation has room at once: this process needs nobody to tell it what it did.
func TestOwnRoomNeedsNoWakeUp(t *testing.T) {
	t.Parallel()
	for name, free := range map[string]func(w *World, id string, a0, s0 routing.Agent) (conversation.Conversation, error){
		"snoozed": func(w *World, id string, a0, _ routing.Agent) (conversation.Conversation, error) {
			return w.Snooze(t.Context(), id, a0, w.Clock.Now().Add(time.Hour))
		},
		"transferred": func(w *World, id string, a0, _ routing.Agent) (conversation.Conversation, error) {
			return w.Transfer(t.Context(), id, a0, conversation.Target{Pool: "sales"}, "")
		},
		"reassigned": func(w *World, id string, _, s0 routing.Agent) (conversation.Conversation, error) {
			return w.Reassign(t.Context(), id, s0, tenant.Reassignment{To: conversation.OwnerAgent, Agent: s0.Email})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := New(t, Options{Table: twoTeams(), Wrap: func(s store.Store) store.Store { return deaf{s} }})
			w.SetState("a0", store.Online)
			w.SetState("s0", store.Online)
			held := accepted(t, w, "a0")
			waiting := wait(w)
			w.Do(free(w, held, w.AgentNamed("a0"), w.AgentNamed("s0")))
			offeredTo(t, w, waiting, 1, "a0")
		})
	}
}

func gathered(t *testing.T, w *World, name string) float64 {
	t.Helper()
	families, err := w.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// counting counts the reads of a store that grow with what waits, and those that do not.
type counting struct {
	store.Store
	all, one *atomic.Int64
	// reads tells of each of the former, and listens of the first wake-up.
	reads, listens chan struct{}
}

func (c counting) Listen(ctx context.Context, fn func(store.Wake)) error {
	told := sync.OnceFunc(func() { close(c.listens) })
	return c.Store.Listen(ctx, func(w store.Wake) {
		fn(w)
		told()
	})
}

func (c counting) View(ctx context.Context, fn func(store.Reader) error) error {
	return c.Store.View(ctx, func(r store.Reader) error { return fn(countingReader{r, c}) })
}

func (c counting) Update(ctx context.Context, fn func(store.Tx) error) error {
	return c.Store.Update(ctx, func(tx store.Tx) error { return fn(countingTx{tx, c}) })
}

type countingReader struct {
	store.Reader
	c counting
}

func (r countingReader) Waiting(skip, limit int) ([]conversation.Conversation, error) {
	defer func() { r.c.reads <- struct{}{} }()
	r.c.all.Add(1)
	return r.Reader.Waiting(skip, limit)
}

func (r countingReader) Conversation(id string) (conversation.Conversation, error) {
	r.c.one.Add(1)
	return r.Reader.Conversation(id)
}

type countingTx struct {
	store.Tx
	c counting
}

func (tx countingTx) Waiting(skip, limit int) ([]conversation.Conversation, error) {
	tx.c.all.Add(1)
	return tx.Tx.Waiting(skip, limit)
}

func (tx countingTx) Claim(ids ...string) ([]conversation.Conversation, error) {
	tx.c.one.Add(int64(len(ids)))
	return tx.Tx.Claim(ids...)
}

// queueCounted is a World in which so many wait for a table's agents, and nothing reads them any more. It counts the reads
// from then on. The store is wrapped at last by wrap.
func queueCounted(t *testing.T, waiting int, tb *routing.Table, wrap func(store.Store) store.Store) (w *World, all, one *atomic.Int64) {
	t.Helper()
	c := counting{all: new(atomic.Int64), one: new(atomic.Int64), reads: make(chan struct{}, 1000), listens: make(chan struct{})}
	w = New(t, Options{NoTable: true, Wrap: func(s store.Store) store.Store {
		c.Store = s
		return wrap(c)
	}})
	queueUp(t, w, waiting)
	<-c.listens
	w.UseTable(tb)
	<-c.reads // for the board
	<-c.reads // and to look at all that waits with a new table
	return w, c.all, c.one
}

func bare(s store.Store) store.Store { return s }

// With many waiting an agent comes online: the first offer takes as few reads as with one waiting.
func TestFirstOfferReadsNotTheQueue(t *testing.T) {
	t.Parallel()
	reads := map[int]int64{}
	for _, waiting := range []int{1, 500} {
		w, all, one := queueCounted(t, waiting, Table(50, 1), bare)
		w.SetState("a1", store.Online) // takes the first
		offeredTo(t, w, queueID(0), 1, "a1")
		if waiting == 1 {
			w.SetState("a1", store.Offline)
			w.AwaitType(queueID(0), conversation.EventOfferWithdrawn, 1)
		}
		all.Store(0)
		one.Store(0)
		w.SetState("a0", store.Online)
		offeredTo(t, w, queueID(min(1, waiting-1)), map[int]int{1: 2, 500: 1}[waiting], "a0")
		w.Stop()
		if all.Load() > 0 {
			t.Errorf("with %d waiting the queue was read %d times", waiting, all.Load())
		}
		reads[waiting] = one.Load()
	}
	if reads[500] > reads[1]+10 {
		t.Errorf("reads by number of waiting: %v", reads)
	}
}

// Handoffs and presences of many at once, in one process: in the record no offer is beyond capacity or past somebody
// less loaded, though nobody looks at all of the agents.
func TestManyHandoffsAtOnce(t *testing.T) {
	t.Parallel()
	tb := Table(20, 2)
	w := New(t, Options{Table: tb})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { w.SetState(fmt.Sprintf("a%d", i), store.Online) })
		wg.Go(func() {
			for range 3 {
				wait(w)
			}
		})
	}
	wg.Wait()
	w.Stop()
	if n := check(t, w, tb, -1); n < 20 {
		t.Errorf("%d offers", n)
	}
}

// guarded checks in each transaction that nobody it touched holds more than their capacity.
type guarded struct {
	store.Store
	t        *testing.T
	capacity int
}

func (g guarded) Update(ctx context.Context, fn func(store.Tx) error) error {
	return g.Store.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		agents, err := tx.Agents(tx.Touched()...)
		for email, a := range agents {
			if a.Load.Units > g.capacity {
				g.t.Errorf("%s holds %d of %d", email, a.Load.Units, g.capacity)
			}
		}
		return err
	})
}

// Two replicas hear nothing of each other, so each believes for ever that the agents are as it saw them last: they offer
// the same agents work at once, and never more than these can hold. What nobody offers waits.
func TestStaleBoardsNeverExceedCapacity(t *testing.T) {
	t.Parallel()
	if os.Getenv(OnPostgres) == "" {
		return // TestOnPostgres runs it: SQLite has one process
	}
	const agents, capacity, customers = 4, 2, 12
	o := Options{Dir: t.TempDir(), Table: Table(agents, capacity),
		Wrap: func(s store.Store) store.Store { return guarded{deaf{s}, t, capacity} }}
	first := New(t, o)
	for i := range agents {
		first.SetState(fmt.Sprintf("a%d", i), store.Online)
	}
	o.Clock = first.Clock
	replicas := []*World{first, New(t, o)} // the second reads that they are online when it starts
	var wg sync.WaitGroup
	for _, w := range replicas {
		for range customers / 2 {
			wg.Go(func() { wait(w) })
			wg.Go(func() { wait(w) })
		}
	}
	wg.Wait()
	var units int
	if err := first.Record.View(t.Context(), func(r store.Reader) error {
		loads, err := r.Loads()
		for _, l := range loads {
			units += l.Units
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if units > agents*capacity || units < agents*capacity/2 {
		t.Errorf("%d units are offered of %d", units, agents*capacity)
	}
}
