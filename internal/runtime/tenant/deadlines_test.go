package tenant_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// claiming is a store that calls before once, when deadlines are claimed next after it was armed, and after behind it.
type claiming struct {
	store.Store
	armed         atomic.Bool
	before, after func()
}

func (s *claiming) wrap(under store.Store) store.Store {
	s.Store = under
	return s
}

func (s *claiming) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Update(ctx, func(tx store.Tx) error { return fn(claimingTx{tx, s}) })
}

type claimingTx struct {
	store.Tx
	of *claiming
}

func (x claimingTx) ClaimDeadlines(limit int) ([]store.Deadline, error) {
	if x.of.armed.Load() {
		x.of.before()
	}
	due, err := x.Tx.ClaimDeadlines(limit)
	if len(due) > 0 && x.of.armed.CompareAndSwap(true, false) {
		x.of.after()
	}
	return due, err
}

// Time passes while deadlines are claimed, and the clock of a database may be set back: what was claimed is met, or stays
// a deadline.
func TestNoDeadlineIsLostBetweenTwoReadsOfTheClock(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]time.Duration{"time passes": 0, "the clock is set back": -time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clk := NewClock()
			due := clk.Now().Add(OfferTimeout)
			claimed := make(chan struct{})
			s := &claiming{before: func() { clk.SetTime(due) }, after: func() {
				clk.SetTime(due.Add(back))
				close(claimed)
			}}
			w := New(t, Options{Table: Table(1, 1), Clock: clk, Wrap: s.wrap})
			w.SetState("a0", store.Online)
			id := wait(w)
			offeredTo(t, w, id, 1, "a0")
			clk.AwaitTimer(t, due)
			clk.Step(OfferTimeout - 2*time.Millisecond)
			s.armed.Store(true)
			wait(w) // wakes the assigner before the offer's end
			<-claimed
			if back != 0 {
				clk.AwaitTimer(t, due)
				clk.SetTime(due)
			}
			w.AwaitType(id, conversation.EventOfferExpired, 1)
		})
	}
}
