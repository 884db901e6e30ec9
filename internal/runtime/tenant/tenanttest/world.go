// Package tenanttest runs a real Tenant on a real store for tests, with a clock that they turn, a language model
// that speaks when they say so, and a record of all that was committed.
package tenanttest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/events"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

// Patience is how long a test waits for something that has to happen before it fails. No passing test takes it.
const Patience = time.Minute

// Options say what a World is made of. Every field may be left out.
type Options struct {
	// Dir of the store, to begin where another World ended.
	Dir string
	// Table to use; nil for Table(2, 1).
	Table *routing.Table
	// NoTable begins without one.
	NoTable bool
	// Store is that of another World, which closes it; nil opens one in Dir.
	Store store.Store
	// Wrap puts something between the Tenant and its store.
	Wrap func(store.Store) store.Store
	// Clock to go on with; nil for a new one at Start.
	Clock *Clock
	// StoreAhead is by how much the store's clock is ahead of the process's.
	StoreAhead time.Duration
	// HTTPClient that reaches the model; nil for the usual one.
	HTTPClient *http.Client
	// PresenceLease of agents; zero for a day, so that a test which is not about it may let time pass.
	PresenceLease time.Duration
}

// World is a running Tenant.
type World struct {
	*tenant.Tenant
	TB       testing.TB
	Clock    *Clock
	Record   *Record
	Registry *prometheus.Registry
	Dir      string
	stop     func()
}

// New runs a Tenant until the test ends or Stop is called.
func New(tb testing.TB, o Options) *World {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	if o.Clock == nil {
		o.Clock = NewClock()
	}
	if o.PresenceLease == 0 {
		o.PresenceLease = 24 * time.Hour
	}
	if o.Table == nil {
		o.Table = Table(2, 1)
	}
	st := o.Store
	if st == nil {
		st = openStore(tb, o)
	}
	w := &World{TB: tb, Clock: o.Clock, Dir: o.Dir, Registry: prometheus.NewRegistry(), Record: &Record{Store: st, updates: make(chan struct{}, 1)}}
	var under store.Store = w.Record
	if o.Wrap != nil {
		under = o.Wrap(under)
	}
	webhooks := events.NewClient(true)
	w.Tenant = tenant.New(tenant.Config{Store: under, Clock: o.Clock, Logger: slog.New(slog.DiscardHandler), Registerer: w.Registry, HTTPClient: o.HTTPClient,
		PresenceLease: o.PresenceLease, Pace: time.Millisecond, WebhookClient: webhooks})
	tb.Cleanup(webhooks.CloseIdleConnections)
	if !o.NoTable {
		w.UseTable(o.Table)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("Run: %v", err)
		}
		found, err := violations(st)
		if err != nil {
			tb.Errorf("auditing the store: %v", err)
		}
		for _, v := range found {
			tb.Errorf("the auditor finds: %s", v)
		}
		if o.Store != nil {
			return
		}
		if err := st.Close(); err != nil {
			tb.Errorf("closing the store: %v", err)
		}
	})
	tb.Cleanup(w.stop)
	return w
}

// OnPostgres is the environment variable that, if set, runs every World on PostgreSQL.
const OnPostgres = "HANDOFF_TEST_POSTGRES"

// openStore opens the store of a folder: the one in it, or a schema named after it.
func openStore(tb testing.TB, o Options) store.Store {
	tb.Helper()
	var st store.Store
	var err error
	now := func() time.Time { return o.Clock.Now().Add(o.StoreAhead) }
	if os.Getenv(OnPostgres) == "" {
		st, err = store.OpenSQLite(tb.Context(), o.Dir, now)
	} else {
		st, err = store.OpenPostgres(tb.Context(), store.PostgresOptions{DSN: postgrestest.Shared(tb).DSN(),
			Schema: fmt.Sprintf("test_%.16x", sha256.Sum256([]byte(o.Dir))), Clock: now,
			Timeout: Patience, Logger: slog.New(slog.DiscardHandler)})
	}
	if err != nil {
		tb.Fatal(err)
	}
	return st
}

// Stop ends the Tenant and closes its store.
func (w *World) Stop() { w.stop() }

// UseTable makes a table the current one.
func (w *World) UseTable(tb *routing.Table) {
	w.TB.Helper()
	if err := w.Use(w.TB.Context(), Inputs(tb)); err != nil {
		w.TB.Fatal(err)
	}
}

// Inputs are a table with the contents that it names.
func Inputs(tb *routing.Table) table.Inputs {
	return table.Inputs{Revision: routing.Revision(tb), Table: tb, ConfigMaps: map[string]map[string]string{"faq": {"faq.md": FAQ}},
		Secrets: map[string]map[string][]byte{"hooks": {"key": []byte("hook-key")}}}
}

// OpenConversation begins a conversation at the Channel "web".
func (w *World) OpenConversation() (id, token string) {
	w.TB.Helper()
	c, token, err := w.Open(w.TB.Context(), tenant.NewConversation{ChannelToken: Token, Customer: conversation.Customer{Name: "Cleo"}})
	if err != nil {
		w.TB.Fatal(err)
	}
	return c.ID, token
}

// OpenFor begins a conversation of a customer with an id at the site.
func (w *World) OpenFor(tb testing.TB, customer string) (id, token string) {
	tb.Helper()
	c, token, err := w.Open(tb.Context(), tenant.NewConversation{ChannelToken: Token, Customer: conversation.Customer{ID: customer}})
	if err != nil {
		tb.Fatal(err)
	}
	return c.ID, token
}

// Do wants an operation to succeed, and returns the conversation after it.
func (w *World) Do(c conversation.Conversation, err error) conversation.Conversation {
	w.TB.Helper()
	if err != nil {
		w.TB.Fatal(err)
	}
	return c
}

// Send sends a customer's message under an id, which is durable afterwards.
func (w *World) Send(id, clientID, text string) conversation.Event {
	w.TB.Helper()
	e, err := w.Say(w.TB.Context(), id, clientID, text)
	if err != nil {
		w.TB.Fatal(err)
	}
	return e
}

// AgentNamed returns an agent of the table in use.
func (w *World) AgentNamed(name string) routing.Agent {
	w.TB.Helper()
	a, ok, err := w.Agent(Email(name))
	if err != nil || !ok {
		w.TB.Fatalf("agent %s: found %v, %v", name, ok, err)
	}
	return a
}

// SetState sets the presence of an agent for ten hours.
func (w *World) SetState(name string, state store.PresenceState) {
	w.TB.Helper()
	if _, err := w.SetPresence(w.TB.Context(), w.AgentNamed(name), state, "", w.Clock.Now().Add(10*time.Hour)); err != nil {
		w.TB.Fatal(err)
	}
}

// AwaitPresence waits until an agent's state is written. Nobody is told when it is; the store's listeners are.
func (w *World) AwaitPresence(name string, state store.PresenceState) {
	w.TB.Helper()
	ctx, cancel := context.WithTimeout(w.TB.Context(), Patience)
	defer cancel()
	err := w.Record.Listen(ctx, func(store.Wake) {
		_ = w.Record.View(ctx, func(r store.Reader) error {
			if p, err := r.Presence(Email(name)); err == nil && p.State == state {
				cancel()
			}
			return nil
		})
	})
	if !errors.Is(err, context.Canceled) {
		w.TB.Fatalf("%s is not %s: %v", name, state, err)
	}
}

// Events returns the whole log of a conversation as agents see it.
func (w *World) Events(id string) []conversation.Event {
	w.TB.Helper()
	events, err := w.Log(context.Background(), id, 0, 100_000)
	if err != nil {
		w.TB.Fatal(err)
	}
	return events
}

// Await waits until the conversation's log has an event that fits, and returns the first one.
func (w *World) Await(id, what string, fits func(conversation.Event) bool) conversation.Event {
	w.TB.Helper()
	f := w.Follow(id)
	defer f.Close()
	for timeout := time.After(Patience); ; {
		events := w.Events(id)
		for _, e := range events {
			if fits(e) {
				return e
			}
		}
		select {
		case <-f.C:
		case <-timeout:
			w.TB.Fatalf("conversation %s: no %s in %s", id, what, Types(events))
		}
	}
}

// AwaitType waits for the nth event of a type.
func (w *World) AwaitType(id string, kind conversation.EventType, nth int) conversation.Event {
	w.TB.Helper()
	seen := map[int64]bool{}
	return w.Await(id, string(kind), func(e conversation.Event) bool {
		if e.Type == kind {
			seen[e.Seq] = true
		}
		return e.Type == kind && len(seen) >= nth
	})
}

// AwaitAnswer waits for the AI's message that answers the customer's message seq.
func (w *World) AwaitAnswer(id string, seq int64) conversation.Event {
	w.TB.Helper()
	return w.Await(id, "answer", func(e conversation.Event) bool { return e.AnswerTo == seq })
}

// Said returns what customers may see of an answer that is being said.
func (w *World) Said(id string) (tenant.Partial, bool) {
	w.TB.Helper()
	p, ok, err := w.Partial(context.Background(), id)
	if err != nil {
		w.TB.Fatal(err)
	}
	return p, ok
}

// AwaitPartial waits until the AI has said at least text in a conversation, and not in the log.
func (w *World) AwaitPartial(id, text string) tenant.Partial {
	w.TB.Helper()
	f := w.Follow(id)
	defer f.Close()
	for timeout := time.After(Patience); ; {
		p, ok := w.Said(id)
		if ok && len(p.Text) >= len(text) {
			return p
		}
		select {
		case <-f.C:
		case <-timeout:
			w.TB.Fatalf("conversation %s: the AI said %q, not yet %q", id, p.Text, text)
		}
	}
}

// AwaitIdle waits until no turn is at work in a conversation.
func (w *World) AwaitIdle(tb testing.TB, id string) {
	tb.Helper()
	f := w.Follow(id)
	defer f.Close()
	for timeout := time.After(Patience); ; {
		if _, at := w.Said(id); !at {
			return
		}
		select {
		case <-f.C:
		case <-timeout:
			tb.Fatalf("conversation %s: a turn does not end", id)
		}
	}
}

// Write appends customer's messages past the Tenant, as a former process would have left them.
func (w *World) Write(id string, texts ...string) error {
	return w.Record.Store.Update(context.Background(), func(tx store.Tx) error {
		for i, text := range texts {
			c, err := tx.Conversation(id)
			if err != nil {
				return err
			}
			change, err := c.CustomerWrites(fmt.Sprintf("written-%d", i), text, w.Clock.Now())
			if err != nil {
				return err
			}
			if err := tx.Save(change); err != nil {
				return err
			}
		}
		return nil
	})
}

// Types are the events' types in a line, for messages.
func Types(events []conversation.Event) []conversation.EventType {
	out := make([]conversation.EventType, len(events))
	for i, e := range events {
		out[i] = e.Type
	}
	return out
}
