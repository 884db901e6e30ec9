package tenant_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// perBubble is how many interleavings run one after another; several bubbles run at the same time.
const perBubble = 50

// TestInterleavings runs customers, agents, a supervisor, the AI, the clock and restarts of the process against each
// other, in orders that a seed decides at every transaction and every piece that the AI says. SOAK=1 runs 100,000 of them,
// INTERLEAVINGS another number, and INTERLEAVING_SEED one seed again, or the first of that number.
func TestInterleavings(t *testing.T) {
	t.Parallel()
	if os.Getenv(OnPostgres) != "" {
		return // a bubble of synctest waits for no network
	}
	otherwise := 200
	switch {
	case os.Getenv("INTERLEAVING_SEED") != "":
		otherwise = 1
	case os.Getenv("SOAK") != "":
		otherwise = 100_000
	}
	n, first := envNumber(t, "INTERLEAVINGS", otherwise), envNumber(t, "INTERLEAVING_SEED", 1)
	began := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for seed := first; seed < first+n; seed += perBubble {
			t.Run(strconv.Itoa(seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					for s := seed; s < min(seed+perBubble, first+n) && !t.Failed(); s++ {
						interleave(t, uint64(s), false)
					}
				})
			})
		}
	})
	t.Logf("%d interleavings from seed %d on in %s", n, first, time.Since(began).Round(time.Second))
}

func envNumber(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is not a number above 0", name, text)
	}
	return n
}

// game is one interleaving.
type game struct {
	*testing.T
	rand     *rand.Rand
	replicas bool
	schedule *Schedule
	table    *routing.Table
	clock    *Clock
	dir      string
	ids      []string
	actors   sync.WaitGroup

	mu      sync.Mutex
	world   *World
	process *Process
	// beside is another replica on the same store, where there are two: none is killed then, and the AI has nothing to say.
	beside  *World
	lives   int
	written []Written
	// said are the texts of customers' messages that were taken, by client id.
	said map[string]string
	// heard is the last that customers saw of each try of the AI to answer.
	heard map[try]tenant.Partial
}

// try is one of the AI's in one life of the process.
type try struct {
	conversation string
	life         int
	attempt      int64
}

func interleave(t *testing.T, seed uint64, replicas bool) {
	t.Helper()
	g := &game{T: t, rand: rand.New(rand.NewPCG(seed, 1)), schedule: NewSchedule(seed), clock: NewClock(), dir: t.TempDir(),
		replicas: replicas, table: Table(2, 1), said: map[string]string{}, heard: map[try]tenant.Partial{}}
	g.table.Copilot.Model = &routing.Model{BaseURL: "http://model.example/v1", Name: "small", Timeout: metav1.Duration{Duration: Patience}}
	g.start()
	if replicas {
		g.beside = New(t, Options{Table: g.table, Clock: g.clock, Store: shared{g.world.Record},
			Wrap: func(st store.Store) store.Store { return g.schedule.Wrap(st) }})
	}
	g.play()
	finished := make(chan struct{})
	go func() {
		g.actors.Wait()
		close(finished)
	}()
	g.schedule.Run(g.listen)
	select {
	case <-finished:
		g.judge()
	default:
		g.Error("somebody waits for good")
	}
	g.schedule.Free()
	synctest.Wait()
	var log strings.Builder
	for _, id := range g.ids {
		for _, e := range g.world.Events(id) {
			fmt.Fprintf(&log, "%s %d at %s, epoch %d: %s by %s %q %v\n", id, e.Seq, e.At.Format(time.TimeOnly), e.Epoch, e.Type, e.Author.Kind, e.Text, e.Agent)
		}
	}
	if g.beside != nil {
		g.beside.Stop()
	}
	g.world.Stop() // which has the auditor look
	if g.Failed() {
		g.Logf("seed %d, conversations %v; who went on:\n%s\n%s", seed, g.ids, g.schedule.Trace(), &log)
	}
}

// start begins a life of the process.
func (g *game) start() {
	var process *Process
	world := New(g.T, Options{Dir: g.dir, Table: g.table, Clock: g.clock, HTTPClient: &http.Client{Transport: Voice{Schedule: g.schedule, Pieces: g.pieces}},
		Wrap: func(st store.Store) store.Store {
			if g.replicas {
				st = shared{st}
			}
			process = g.schedule.Wrap(st)
			return process
		}})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.world, g.process = world, process
	g.lives++
}

// restart kills the process and begins another.
func (g *game) restart(w *World) error {
	g.process.Kill()
	w.Stop()
	g.mu.Lock()
	g.written = append(g.written, w.Record.All()...)
	g.mu.Unlock()
	g.start()
	return nil
}

func (g *game) pieces() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.SplitAfter([]string{"Once upon a time.", "Yes.", "It was a dark and stormy night."}[g.rand.IntN(3)], " ")
}

// pick is one of several, as the seed has it.
func pick[T any](g *game, of ...T) T { return of[g.rand.IntN(len(of))] }

// play lets the actors begin.
func (g *game) play() {
	for _, a := range g.table.Pools[0].Agents {
		g.act("presence", func(w *World) error {
			_, err := w.SetPresence(w.TB.Context(), a, store.Online, "", g.clock.Now().Add(time.Hour))
			return err
		})
	}
	few := 1
	if g.replicas {
		few = 2 // to have both at it
	}
	for range few + g.rand.IntN(2) {
		id, _ := g.open()
		g.ids = append(g.ids, id)
		g.customer(id)
		g.agents(id)
	}
	if g.rand.IntN(2) == 0 {
		g.act("time", func(*World) error { g.clock.Step(OfferTimeout + time.Second); return nil })
	}
	if !g.replicas && g.rand.IntN(4) == 0 {
		g.act("restart", g.restart)
	}
}

// open begins a conversation before the others begin.
func (g *game) open() (id, token string) {
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		id, token = g.world.OpenConversation()
	}()
	g.schedule.Run(func() {})
	<-opened
	return id, token
}

// act lets an actor do its steps in order.
func (g *game) act(name string, steps ...func(*World) error) {
	g.actors.Go(func() {
		for i, step := range steps {
			g.schedule.Yield(fmt.Sprintf("%s %d", name, i))
			if err := step(g.now()); !expected(err) {
				g.Errorf("%s %d: %v", name, i, err)
			}
		}
	})
}

func (g *game) now() *World {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.replicas && g.rand.IntN(2) == 0 {
		return g.beside
	}
	return g.world
}

// expected says whether an actor may be told so: by the state machine, or since the process was killed.
func expected(err error) bool {
	var refusal *conversation.Refusal
	var invalid *tenant.Invalid
	return err == nil || errors.As(err, &refusal) || errors.As(err, &invalid) || errors.Is(err, ErrKilled)
}

func (g *game) customer(id string) {
	var steps []func(*World) error
	for i := range 1 + g.rand.IntN(3) {
		clientID, text := fmt.Sprintf("c%d", i), pick(g, "Tell me a story", "Tell me a story", Question, Human, "This is outrageous, you are useless!!!")
		if g.replicas {
			text = Human
		}
		steps = append(steps, func(*World) error { return g.say(id, clientID, text) })
	}
	if g.rand.IntN(3) == 0 {
		steps = append(steps, func(w *World) error { _, err := w.Leave(w.TB.Context(), id); return err })
	}
	g.act("customer of "+id[:4], steps...)
}

// say sends a message until it was taken, as a browser does.
func (g *game) say(id, clientID, text string) error {
	for {
		_, err := g.now().Say(g.Context(), id, clientID, text)
		if err == nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.said[id+"/"+clientID] = text
			return nil
		}
		if !errors.Is(err, ErrKilled) {
			return err
		}
		g.schedule.Yield("customer tries again")
	}
}

// agents lets the agents and a supervisor do what they please with a conversation.
func (g *game) agents(id string) {
	all := g.table.Pools[0].Agents
	for i, a := range all {
		other := all[1-i]
		moves := []func(*World) error{
			func(w *World) error { _, err := w.TakeOver(w.TB.Context(), id, a); return err },
			func(w *World) error { _, err := w.Accept(w.TB.Context(), id, a); return err },
			func(w *World) error { _, err := w.Accept(w.TB.Context(), id, a); return err },
			func(w *World) error { _, err := w.Decline(w.TB.Context(), id, a); return err },
			func(w *World) error { _, err := w.Reply(w.TB.Context(), id, a, "r"+a.Name, "Hello"); return err },
			func(w *World) error { _, err := w.Resolve(w.TB.Context(), id, a, "done"); return err },
			func(w *World) error { _, err := w.ReturnToAI(w.TB.Context(), id, a); return err },
			func(w *World) error {
				_, err := w.Snooze(w.TB.Context(), id, a, g.clock.Now().Add(time.Minute))
				return err
			},
			func(w *World) error {
				_, err := w.Transfer(w.TB.Context(), id, a, pick(g, conversation.Target{Agent: other.Email}, conversation.Target{Pool: "team"}), "please")
				return err
			},
			func(w *World) error {
				_, err := w.SetPresence(w.TB.Context(), a, pick(g, store.Away, store.Online), "", g.clock.Now().Add(time.Hour))
				return err
			},
		}
		var steps []func(*World) error
		for range g.rand.IntN(4) {
			steps = append(steps, pick(g, moves...))
		}
		g.act(a.Name+" with "+id[:4], steps...)
	}
	if g.rand.IntN(4) == 0 {
		g.act("supervisor with "+id[:4], func(w *World) error {
			_, err := w.Reassign(w.TB.Context(), id, all[0], pick(g, tenant.Reassignment{To: conversation.OwnerQueue},
				tenant.Reassignment{To: conversation.OwnerAgent, Agent: all[1].Email}, tenant.Reassignment{To: conversation.OwnerAI},
				tenant.Reassignment{To: conversation.OwnerNobody}))
			return err
		})
	}
}

// listen notes what customers see of answers that are not in the log yet.
func (g *game) listen() {
	if g.replicas {
		return // they read it from the store, in turn
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range g.ids {
		if p, _, err := g.world.Partial(g.Context(), id); err == nil && p.AnswerTo != 0 {
			g.heard[try{id, g.lives, p.Attempt}] = p
		}
	}
}

// judge looks at what is left when nobody does anything any more.
func (g *game) judge() {
	g.schedule.Free()
	synctest.Wait()
	written := append(g.written, g.world.Record.All()...)
	// Who is best may have changed since the offer was chosen; that they can take it is checked when it is made.
	if _, err := CheckRoom(written, g.table); err != nil {
		g.Error(err)
	}
	for _, id := range g.ids {
		events := g.world.Events(id)
		if err := CheckLog(events); err != nil {
			g.Errorf("%s: %v", id, err)
		}
		g.judgeMessages(id, events)
		g.judgeAnswers(id, events)
		g.judgeEnd(id)
	}
}

// judgeMessages wants every message that was taken once in the log.
func (g *game) judgeMessages(id string, events []conversation.Event) {
	for key, text := range g.said {
		of, clientID, _ := strings.Cut(key, "/")
		if of != id {
			continue
		}
		n := 0
		for _, e := range events {
			if e.Author.Kind == conversation.AuthorCustomer && e.ClientID == clientID && e.Text == text {
				n++
			}
		}
		if n != 1 {
			g.Errorf("%s: the message %s stands %d times in the log", id, clientID, n)
		}
	}
}

// judgeAnswers wants what customers saw of an answer in the log, unless the process died or a later try of the same epoch
// began anew: what they see then is that one.
func (g *game) judgeAnswers(id string, events []conversation.Event) {
	for t, p := range g.heard {
		if t.conversation != id || t.life < g.lives || p.Text == "" || g.triedAgain(t) {
			continue
		}
		i := slices.IndexFunc(events, func(e conversation.Event) bool { return e.AnswerTo == p.AnswerTo })
		switch {
		case i < 0:
			g.Errorf("%s: the customer saw %q as an answer to %d, and the log has none", id, p.Text, p.AnswerTo)
		case !strings.HasPrefix(events[i].Text, p.Text):
			g.Errorf("%s: the customer saw %q, and the log has %q", id, p.Text, events[i].Text)
		}
	}
}

func (g *game) triedAgain(t try) bool {
	for other, p := range g.heard {
		if other.conversation == t.conversation && other.life == t.life && other.attempt > t.attempt && p.Epoch == g.heard[t].Epoch {
			return true
		}
	}
	return false
}

// judgeEnd wants no answer owed, and nobody waiting while somebody has room.
func (g *game) judgeEnd(id string) {
	c, err := g.world.Conversation(g.Context(), id)
	if err != nil {
		g.Fatal(err)
	}
	if c.Owner.Kind == conversation.OwnerAI && c.Pending != 0 {
		g.Errorf("%s: the AI owes an answer to %d and does nothing", id, c.Pending)
	}
	if c.Owner.Kind != conversation.OwnerQueue || c.Offer != nil {
		return
	}
	err = g.world.Record.View(g.Context(), func(r store.Reader) error {
		loads, err := r.Loads()
		if err != nil {
			return err
		}
		presences, err := r.Presences()
		for _, a := range g.table.Pools[0].Agents {
			if presences[a.Email].Present(g.clock.Now()) && loads[a.Email].Units < a.Capacity {
				g.Errorf("%s waits, and %s is there with room", id, a.Email)
			}
		}
		return err
	})
	if err != nil {
		g.Error(err)
	}
}
