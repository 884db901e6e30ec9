// Package tenant ties one Copilot's runtime together: its store, its table, the AI's turns and the offers to agents.
// Everything of a tenant hangs off one Tenant value; there is no process-wide state.
package tenant

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/utils/clock"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/copilot"
	"github.com/opencopilot/handoff-operator/internal/runtime/events"
	"github.com/opencopilot/handoff-operator/internal/runtime/outbox"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

// ErrNotReady is returned before the first inputs were used.
var ErrNotReady = errors.New("the runtime has no routing table yet")

// Config is what a Tenant is made of. Clock, Logger and Registerer have working defaults.
type Config struct {
	Store      store.Store
	Clock      clock.WithTicker
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// HTTPClient is used for the model. Default: a client of its own.
	HTTPClient *http.Client
	// PresenceLease is how long an agent counts as being there after they were heard of. Default: DefaultPresenceLease.
	PresenceLease time.Duration
	// Pace is how long what the AI says is gathered before it is written down and shown. Default: Pace.
	Pace time.Duration
	// WebhookClient sends webhooks. Default: events.NewClient without addresses of this machine.
	WebhookClient *http.Client
}

// Tenant serves one Copilot. Run must be running for the AI to answer and for work to be offered.
type Tenant struct {
	store   store.Store
	clock   clock.WithTicker
	log     *slog.Logger
	metrics *metrics
	http    *http.Client
	model   *copilot.Metrics
	current atomic.Pointer[current]
	hub     *hub
	turns   *turns
	// replica tells this process from all others that ever served the tenant.
	replica string
	pace    time.Duration
	// slots bounds the AI's answers in progress.
	slots chan struct{}
	// kick wakes the assigner; it holds one signal. audit asks it for a safety read.
	kick  chan struct{}
	audit atomic.Bool
	// leavers says that somebody may be offered something who is in no pool any more.
	leavers atomic.Bool
	// revised says that there is a new table; it holds one signal.
	revised  chan struct{}
	matching *matching
	// signing is the key of agents' tokens, once it was read.
	signing atomic.Pointer[[]byte]
	// lease is Config.PresenceLease, heard when this process noted last that it heard of each agent.
	lease    time.Duration
	heard    *heard
	outbox   *outbox.Dispatcher
	webhooks *http.Client
	// closed wakes the retention; it holds one signal.
	closed chan struct{}
}

// current is what one set of inputs became.
type current struct {
	revision string
	version  store.TableVersion
	table    *routing.Table
	ai       *copilot.Copilot
	source   aiSource
	senders  map[string]outbox.Sender
}

// aiSource is all that the AI is made from.
type aiSource struct {
	copilot   routing.Copilot
	knowledge map[string]map[string]string
	apiKey    string
}

// New makes a Tenant. It serves nobody until Use was called.
func New(c Config) *Tenant {
	if c.Clock == nil {
		c.Clock = clock.RealClock{}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	if c.PresenceLease == 0 {
		c.PresenceLease = DefaultPresenceLease
	}
	t := &Tenant{
		lease: c.PresenceLease, heard: newHeard(),
		store: c.Store, clock: c.Clock, log: c.Logger, http: c.HTTPClient,
		metrics: newMetrics(c.Registerer), model: copilot.NewMetrics(c.Registerer),
		hub: newHub(), turns: newTurns(), matching: newMatching(), replica: rand.Text(), pace: cmp.Or(c.Pace, Pace),
		slots: make(chan struct{}, MaxAnswers), kick: make(chan struct{}, 1),
	}
	t.webhooks, t.closed, t.revised = c.WebhookClient, make(chan struct{}, 1), make(chan struct{}, 1)
	if t.webhooks == nil {
		t.webhooks = events.NewClient(false)
	}
	t.outbox = outbox.New(outbox.Config{Store: c.Store, Clock: c.Clock, Log: c.Logger, Registerer: c.Registerer, Lookup: t.sender})
	t.gauge(c.Registerer, prometheus.GaugeOpts{
		Name: "handoff_queue_waiting", Help: "Conversations that wait for a human without an offer."}, store.Reader.CountWaiting)
	t.gauge(c.Registerer, prometheus.GaugeOpts{
		Name: "handoff_agents_online", Help: "Agents who are online."},
		func(r store.Reader) (n int, err error) { n, _, err = r.CountOnline(); return n, err })
	t.gauge(c.Registerer, prometheus.GaugeOpts{
		Name: "handoff_agents_working", Help: "Agents online who own a conversation that is not snoozed, or wrap one up."},
		func(r store.Reader) (n int, err error) { _, n, err = r.CountOnline(); return n, err })
	return t
}

// gauge registers what is counted in the store; -1 while that does not answer.
func (t *Tenant) gauge(r prometheus.Registerer, opts prometheus.GaugeOpts, count func(store.Reader) (int, error)) {
	r.MustRegister(prometheus.NewGaugeFunc(opts, func() float64 {
		n := 0
		if err := t.store.View(context.Background(), func(r store.Reader) (err error) {
			n, err = count(r)
			return err
		}); err != nil {
			return -1
		}
		return float64(n)
	}))
}

// Use makes a set of inputs the current one, without dropping a conversation: turns in progress end with the inputs
// they began with. An error means that the inputs cannot be used, and the ones before stay. It is not called concurrently.
func (t *Tenant) Use(_ context.Context, in table.Inputs) error {
	before := t.current.Load()
	next := &current{
		revision: in.Revision, table: in.Table,
		version: store.TableVersion{Created: in.Version.Created, Generation: in.Version.Generation, Revision: in.Revision},
		source:  aiSource{copilot: in.Table.Copilot, knowledge: in.ConfigMaps, apiKey: apiKey(in)},
	}
	if before != nil && reflect.DeepEqual(before.source, next.source) {
		next.ai = before.ai // indexing the knowledge takes longer than all the rest of a change
	} else {
		ai, err := copilot.New(copilot.Config{
			Table: in.Table, Knowledge: in.ConfigMaps, APIKey: next.source.apiKey,
			HTTPClient: t.http, Logger: t.log, Metrics: t.model,
		})
		if err != nil {
			return fmt.Errorf("table %s: %w", in.Revision, err)
		}
		next.ai = ai
	}
	t.matching.use(in.Table, next.version)
	next.senders = t.newSenders(in)
	t.current.Store(next)
	t.leavers.Store(true)
	select {
	case t.revised <- struct{}{}:
	default:
	}
	first := before == nil
	t.log.Info("using table", "revision", in.Revision, "first", first,
		"channels", len(in.Table.Channels), "pools", len(in.Table.Pools))
	t.wakeAssigner()
	t.wakeRetention()
	if first {
		t.outbox.Kick()
		t.turns.start()
	}
	return nil
}

// apiKey is the model's key, or empty where none is configured or the Secret is missing.
func apiKey(in table.Inputs) string {
	if m := in.Table.Copilot.Model; m != nil && m.APIKey != nil {
		return string(in.Secrets[m.APIKey.Name][m.APIKey.Key])
	}
	return ""
}

// inputs returns the current inputs, or ErrNotReady.
func (t *Tenant) inputs() (*current, error) {
	c := t.current.Load()
	if c == nil {
		return nil, ErrNotReady
	}
	return c, nil
}

// Ready returns nil when customers can be served: a table is in use and the store works.
func (t *Tenant) Ready(ctx context.Context) error {
	if _, err := t.inputs(); err != nil {
		return err
	}
	return t.store.Ping(ctx)
}

// Table returns the table in use, or ErrNotReady.
func (t *Tenant) Table() (*routing.Table, error) {
	c, err := t.inputs()
	if err != nil {
		return nil, err
	}
	return c.table, nil
}

// Run answers customers and offers work until ctx ends, then waits for what is in progress. Answers that a former
// process owed are given first.
func (t *Tenant) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return t.runAssigner(ctx) })
	g.Go(func() error { return t.runSafetyReads(ctx) })
	g.Go(func() error { return t.runRevisions(ctx) })
	g.Go(func() error { return t.runTurns(ctx) })
	g.Go(func() error { return t.runKeeper(ctx) })
	g.Go(func() error { return t.runReplica(ctx) })
	g.Go(func() error { return t.outbox.Run(ctx) })
	g.Go(func() error { return t.runRetention(ctx) })
	g.Go(func() error { return t.runCatchUp(ctx) })
	g.Go(func() error { return t.store.Listen(ctx, t.woken) })
	err := g.Wait()
	t.leave(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// change saves a change and lets everybody who follows the conversation know. fn runs in a write transaction and may
// save several changes through its argument.
func (t *Tenant) change(ctx context.Context, fn func(tx store.Tx, save func(conversation.Change) error) error) error {
	var saved []conversation.Change
	committing := false
	lesson := t.matching.begin()
	err := t.store.Update(ctx, func(tx store.Tx) error {
		saved, committing = saved[:0], false
		lesson.repeated, lesson.now = len(lesson.about) > 0, time.Time{}
		teaching := teachingTx{tx, lesson}
		if err := fn(teaching, func(c conversation.Change) error {
			if err := tx.Save(c); err != nil {
				return fmt.Errorf("saving conversation %s: %w", c.Conversation.ID, err)
			}
			if err := t.tell(tx, c); err != nil {
				return err
			}
			saved = append(saved, c)
			return nil
		}); err != nil {
			return err
		}
		if err := teaching.commit(saved); err != nil {
			return err
		}
		committing = true
		return nil
	})
	if lesson.end(err) {
		t.wakeAssigner()
	}
	if err != nil {
		if committing {
			t.doubt(saved)
		}
		return err
	}
	for _, c := range saved {
		t.committed(c)
	}
	return nil
}

// doubt reacts to changes of which the commit failed, or was given up, and may have come through all the same: what would
// have to be done then looks into the store first.
func (t *Tenant) doubt(saved []conversation.Change) {
	for _, c := range saved {
		t.hub.wake(c.Conversation.ID)
		t.turns.question(c.Conversation.ID)
		t.answerIfOwed(c.Conversation)
	}
	t.wakeAssigner()
	t.wakeRetention()
	t.outbox.Kick()
}

// answerIfOwed has the AI answer in a conversation in which it may owe that.
func (t *Tenant) answerIfOwed(c conversation.Conversation) {
	if c.Owner.Kind == conversation.OwnerAI && c.Pending != 0 {
		t.turns.schedule(c.ID)
	}
}

// committed reacts to a change that is durable.
func (t *Tenant) committed(c conversation.Change) {
	t.metrics.observe(c)
	t.hub.wake(c.Conversation.ID)
	t.turns.moved(c.Conversation)
	t.answerIfOwed(c.Conversation)
	if c.Conversation.Owner.Kind == conversation.OwnerNobody {
		t.wakeRetention()
	}
	for _, e := range c.Events {
		switch e.Type {
		case conversation.EventHandoff, conversation.EventOffered, conversation.EventOfferExpired,
			conversation.EventTakenOver, conversation.EventResolved, conversation.EventReturned,
			conversation.EventRequeued, conversation.EventOfferWithdrawn, conversation.EventDeclined, conversation.EventWrapUpEnded,
			conversation.EventContactGiven, conversation.EventSnoozed, conversation.EventTransferred, conversation.EventReassigned:
			t.offered(c.Conversation)
			t.wakeAssigner() // there is work, a deadline or room that was not there before
		}
	}
}

// woken reacts to what was committed, here or by another replica.
func (t *Tenant) woken(w store.Wake) {
	if w.Reread {
		t.hub.wakeAll()
		t.turns.resume()
	}
	for _, id := range w.Conversations {
		t.hub.wake(id)
		t.turns.question(id)
	}
	for _, id := range w.Turns {
		t.hub.wake(id)
	}
	t.matching.heard(w)
	if w.Reread || w.Queue {
		t.wakeAssigner()
	}
	if w.Reread || w.Outbox {
		t.outbox.Kick()
	}
}

func (t *Tenant) wakeAssigner() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// Now is the time by which the Tenant works.
func (t *Tenant) Now() time.Time { return t.clock.Now() }
