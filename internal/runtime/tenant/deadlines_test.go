package tenant_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
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

// A deadline that fails, or panics, keeps no other from being met and no work from being offered. It is tried again, and
// met as soon as it can be.
func TestAFailingDeadlineHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func() bool{"fails": func() bool { return true }, "panics": func() bool { panic("nobody thought of this") }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &faults{}
			w := New(t, Options{Table: Table(2, 1), Wrap: faults.wrap})
			bad := wait(w)
			w.Clock.Step(time.Second)
			good := wait(w)
			w.SetState("a0", store.Online)
			offeredTo(t, w, bad, 1, "a0")
			w.SetState("a1", store.Online)
			offeredTo(t, w, good, 1, "a1")
			due := w.Clock.Now().Add(OfferTimeout)
			var mended atomic.Bool
			faults.fail(func(c conversation.Change) bool {
				return !mended.Load() && c.Conversation.ID == bad && c.Events[len(c.Events)-1].Type == conversation.EventOfferExpired && fault()
			}, 1000)
			w.Clock.AwaitTimer(t, due)
			w.Clock.SetTime(due)
			w.AwaitType(good, conversation.EventOfferExpired, 1)
			w.AwaitType(good, conversation.EventOffered, 2)

			again := due.Add(10 * time.Second)
			w.Clock.AwaitTimer(t, again)
			if n := metrics(t, w)["handoff_deadlines_failed_total offer"]; n != 1 {
				t.Errorf("%v deadlines failed, want 1", n)
			}
			mended.Store(true)
			w.Clock.SetTime(again)
			w.AwaitType(bad, conversation.EventOfferExpired, 1)
		})
	}
}

// So does what is due of an agent.
func TestAFailingDeadlineOfAnAgentHoldsUpNobody(t *testing.T) {
	t.Parallel()
	const lease = time.Minute
	faults := &faults{}
	w := New(t, Options{Table: Table(2, 1), Wrap: faults.wrap, PresenceLease: lease})
	owned := [2]string{}
	for i, name := range []string{"a0", "a1"} {
		w.SetState(name, store.Online)
		owned[i] = accepted(t, w, name)
		w.Send(owned[i], "2", "Are you there?")
	}
	var mended atomic.Bool
	faults.fail(func(c conversation.Change) bool {
		if c.Conversation.ID == owned[0] && !mended.Load() {
			panic("nobody thought of this")
		}
		return false
	}, 1000)
	due := w.Clock.Now().Add(lease + tenant.PresenceGrace)
	w.Clock.AwaitTimer(t, due)
	w.Clock.SetTime(due)
	w.AwaitPresence("a1", store.Offline)
	w.Clock.AwaitTimer(t, due.Add(10*time.Second))
	if n := metrics(t, w)["handoff_deadlines_failed_total presence"]; n != 1 {
		t.Errorf("%v deadlines failed, want 1", n)
	}
	mended.Store(true)
	w.Clock.SetTime(due.Add(10 * time.Second))
	w.AwaitPresence("a0", store.Offline)
}
