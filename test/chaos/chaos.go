// Package chaos proves that a runtime loses and doubles nothing, however often it is killed: it lets customers and agents
// talk (package traffic), kills the runtime with SIGKILL at random moments meanwhile, and has the logs checked in the end
// (package logcheck). Where the runtime runs is a Target's affair.
package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/test/chaos/logcheck"
	"github.com/opencopilot/handoff-operator/test/chaos/traffic"
)

// Target is a runtime that can be killed and comes back at the same address with the same data.
type Target interface {
	// Kill ends the runtime's process with SIGKILL, and returns when it is gone.
	Kill(ctx context.Context) error
	// Ready returns when customers can be served.
	Ready(ctx context.Context) error
}

// Options of a proof.
type Options struct {
	// Traffic; More is set by Prove.
	Traffic traffic.Options
	// Capacities of the agents by address.
	Capacities map[string]int
	// Kills at random moments, each at most Moment after the one before or after the runtime was ready again.
	Kills  int
	Moment time.Duration
}

// Report is what a proof found.
type Report struct {
	Kills, Conversations, Messages, Interrupted, Handoffs, Assignments, ExpiredOffers int
	// Repeated requests, and the longest time for which one had to be repeated until it was answered.
	Repeated int
	Outage   time.Duration
	// Planted faults, of which the checker found Found in the very logs that it had passed.
	Planted, Found int
	Violations     []logcheck.Violation
}

func (r Report) String() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "kills %d, conversations %d, messages %d (interrupted answers %d), handoffs %d, assignments %d, expired offers %d\n",
		r.Kills, r.Conversations, r.Messages, r.Interrupted, r.Handoffs, r.Assignments, r.ExpiredOffers)
	_, _ = fmt.Fprintf(&b, "requests repeated %d, longest outage of a client %s\n", r.Repeated, r.Outage.Round(time.Millisecond))
	_, _ = fmt.Fprintf(&b, "violations %d; planted faults found %d of %d", len(r.Violations), r.Found, r.Planted)
	for _, v := range r.Violations {
		_, _ = fmt.Fprintf(&b, "\n  %s", v)
	}
	return b.String()
}

// Prove runs the proof. An error means that it could not be finished; what it found is in the Report.
func Prove(ctx context.Context, target Target, o Options) (*Report, error) {
	var killed atomic.Bool
	o.Traffic.More = func() bool { return !killed.Load() }
	report := &Report{}
	var result *traffic.Result
	g, running := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		result, err = traffic.Run(running, o.Traffic)
		return err
	})
	g.Go(func() error {
		defer killed.Store(true)
		return report.kill(running, target, o)
	})
	if err := g.Wait(); err != nil {
		return report, err
	}
	// Once more at rest: what was settled is durable, not only remembered.
	if err := target.Kill(ctx); err != nil {
		return report, fmt.Errorf("killing the runtime at rest: %w", err)
	}
	report.Kills++
	if err := target.Ready(ctx); err != nil {
		return report, fmt.Errorf("waiting for the runtime to come back: %w", err)
	}
	logs, err := traffic.ReadLogs(ctx, o.Traffic.Agents[0], result.Journal.Opened)
	if err != nil {
		return report, err
	}
	report.count(logs)
	report.Outage, report.Repeated = result.Outage, result.Repeated
	report.Violations = logcheck.Check(result.Journal, logs, o.Capacities)
	report.plant(result.Journal, logs, o)
	return report, nil
}

// kill kills the runtime at random moments, one in four times before it has recovered from the kill before.
func (r *Report) kill(ctx context.Context, target Target, o Options) error {
	random := rand.New(rand.NewPCG(o.Traffic.Seed, 1))
	for range o.Kills {
		moment := time.NewTimer(time.Duration(random.Int64N(int64(o.Moment))))
		select {
		case <-moment.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := target.Kill(ctx); err != nil {
			return fmt.Errorf("killing the runtime: %w", err)
		}
		r.Kills++
		if random.IntN(4) == 0 {
			continue
		}
		if err := target.Ready(ctx); err != nil {
			return fmt.Errorf("waiting for the runtime to come back: %w", err)
		}
	}
	return nil
}

func (r *Report) count(logs map[string][]conversation.Event) {
	r.Conversations = len(logs)
	for _, events := range logs {
		for _, e := range events {
			switch e.Type {
			case conversation.EventMessage:
				r.Messages++
				if e.Interrupted {
					r.Interrupted++
				}
			case conversation.EventHandoff:
				r.Handoffs++
			case conversation.EventAssigned, conversation.EventTakenOver:
				r.Assignments++
			case conversation.EventOfferExpired:
				r.ExpiredOffers++
			}
		}
	}
}
