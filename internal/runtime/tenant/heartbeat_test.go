package tenant_test

import (
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// wantAtOnce checks that a handoff was offered at once: nobody is told of a place in the queue.
func wantAtOnce(t *testing.T, w *World, id, agent string) {
	t.Helper()
	offeredTo(t, w, id, 1, agent)
	if told := told(w, id); len(told) != 1 {
		t.Errorf("the customer is told %q", told)
	}
}

// An agent whose heartbeats come in time is offered a handoff at the moment of it, also later than the first of their
// leases, and where no wake-up arrives.
func TestHeartbeatsReachTheNextHandoff(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(2, 1), PresenceLease: lease, Wrap: func(s store.Store) store.Store { return deaf{s} }})
	w.SetState("a1", store.Online)
	accepted(t, w, "a1") // the board is read
	w.SetState("a1", store.Busy)
	w.Clock.Step(time.Second)
	w.SetState("a0", store.Online)
	w.Clock.Step(lease - time.Second)
	beat(t, w, "a0")
	w.Clock.Step(2 * time.Second)
	wantAtOnce(t, w, wait(w), "a0")
}
