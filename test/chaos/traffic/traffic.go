// Package traffic plays many customers and agents against a runtime that may be killed at any moment, and keeps a journal
// of what each of them did and saw. Like real clients they repeat what was not acknowledged, under the same id.
package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/test/chaos/logcheck"
)

const (
	// attempt bounds one request, retry is the pause before it is repeated.
	attempt = 10 * time.Second
	retry   = 20 * time.Millisecond
	// look is how often an agent looks for work, pause the longest time they think before they act.
	look  = 30 * time.Millisecond
	pause = 60 * time.Millisecond
)

// Agent is a signed-in agent.
type Agent struct {
	*client.Agent
	Email string
}

// Options say who talks to whom, and how much.
type Options struct {
	// Base is the runtime's address, which it must come back to after a restart.
	Base string
	// ChannelToken of the Channel that customers write to.
	ChannelToken string
	// Agents are there all the time.
	Agents []Agent
	// Customers is how many talk at a time.
	Customers int
	// Conversations to begin at least, and more as long as More returns true; nil for no more.
	Conversations int
	More          func() bool
	// Takeovers lets agents take conversations over while the AI owes or gives an answer.
	Takeovers bool
	// Seed of all that the clients do by chance.
	Seed uint64
}

// Result is what came of it.
type Result struct {
	Journal logcheck.Journal
	// Outage is the longest time for which one request had to be repeated until it was answered.
	Outage time.Duration
	// Repeated counts the requests that had to be.
	Repeated int
}

// Run plays until all conversations are settled: every customer has what they were owed, and no agent holds or is
// offered anything. An error means that a client got an answer that no restart excuses, or that ctx ended.
func Run(ctx context.Context, o Options) (*Result, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * o.Customers}
	defer transport.CloseIdleConnections()
	d := &driver{Options: o, transport: transport, journal: logcheck.Journal{Seen: map[string][]logcheck.Seen{}}, live: map[string]bool{}}
	for _, a := range o.Agents {
		if err := d.persist(ctx, func(ctx context.Context) error { return a.SetPresence(ctx, "online") }); err != nil {
			return nil, fmt.Errorf("agent %s going online: %w", a.Email, err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	served := make(chan struct{})
	for i, a := range o.Agents {
		g.Go(func() error { return newAgent(d, a, uint64(i)).run(ctx, served) })
	}
	g.Go(func() error {
		defer close(served)
		return d.customers(ctx)
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return &Result{Journal: d.journal, Outage: d.outage, Repeated: d.repeated}, nil
}

// ReadLogs reads the logs of conversations as an agent sees them.
func ReadLogs(ctx context.Context, a Agent, ids []string) (map[string][]conversation.Event, error) {
	logs := map[string][]conversation.Event{}
	for _, id := range ids {
		events, err := a.Log(ctx, id, 0)
		if err != nil {
			return nil, fmt.Errorf("reading the log of conversation %s: %w", id, err)
		}
		for _, e := range events {
			logs[id] = append(logs[id], e.Event)
		}
	}
	return logs, nil
}

// driver is what all clients share.
type driver struct {
	Options
	transport http.RoundTripper

	mu       sync.Mutex
	journal  logcheck.Journal
	outage   time.Duration
	repeated int
	// live are the conversations whose customer is still there.
	live map[string]bool
}

// customers lets one customer after the other come, Options.Customers at a time.
func (d *driver) customers(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(d.Customers)
	for n := 0; ctx.Err() == nil && (n < d.Conversations || d.More != nil && d.More()); n++ {
		g.Go(func() error {
			if err := newCustomer(d, uint64(n)).run(ctx); err != nil {
				return fmt.Errorf("customer %d: %w", n, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// persist repeats a request until there is an answer that is not the server's failure.
func (d *driver) persist(ctx context.Context, request func(context.Context) error) error {
	var failing time.Time
	for {
		one, cancel := context.WithTimeout(ctx, attempt)
		err := request(one)
		cancel()
		var answer *client.Error
		if err == nil || errors.As(err, &answer) && answer.Status < http.StatusInternalServerError {
			d.answered(failing)
			return err
		}
		if failing.IsZero() {
			failing = time.Now()
		}
		if ended := wait(ctx, retry); ended != nil {
			return fmt.Errorf("%w; the last failure: %w", ended, err)
		}
	}
}

func (d *driver) answered(failing time.Time) {
	if failing.IsZero() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.repeated++
	d.outage = max(d.outage, time.Since(failing))
}

// refused says whether the answer is that the conversation's owner does not allow it.
func refused(err error) bool {
	var answer *client.Error
	return errors.As(err, &answer) && answer.Status == http.StatusConflict
}

func (d *driver) opened(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journal.Opened = append(d.journal.Opened, id)
	d.live[id] = true
}

func (d *driver) left(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.live, id)
}

// someone returns a conversation whose customer is still there, by chance, or "".
func (d *driver) someone() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range d.live {
		return id
	}
	return ""
}

func (d *driver) seen(id string, s logcheck.Seen) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journal.Seen[id] = append(d.journal.Seen[id], s)
}

// send journals a text before and after it is sent by request.
func (d *driver) send(ctx context.Context, s logcheck.Sent, request func(context.Context) error) error {
	d.mu.Lock()
	at := len(d.journal.Sent)
	d.journal.Sent = append(d.journal.Sent, s)
	d.mu.Unlock()
	if err := d.persist(ctx, request); err != nil {
		return fmt.Errorf("sending %s %q of %s to conversation %s: %w", s.Type, s.ClientID, s.Author.Kind, s.Conversation, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journal.Sent[at].Acknowledged = true
	return nil
}

// attempted journals a move before it is made, and returns how to journal that it was acknowledged.
func (d *driver) attempted(m logcheck.Move) (acknowledged func(handoff int)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := len(d.journal.Moves)
	d.journal.Moves = append(d.journal.Moves, m)
	return func(handoff int) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.journal.Moves[at].Handoff, d.journal.Moves[at].Acknowledged = handoff, true
	}
}

// wait waits, and returns an error if ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// chance is a source of chance of one client's own.
func chance(seed, client uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, client)) }

func think(ctx context.Context, r *rand.Rand) error {
	return wait(ctx, time.Duration(r.Int64N(int64(pause))))
}
