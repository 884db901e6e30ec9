package faults

import (
	"fmt"
	"testing"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// burst makes a tenant and edits all of it before anything could come to rest.
func burst(r *run) {
	r.tenant()
	pool := &v1alpha1.AgentPool{ObjectMeta: named("day")}
	policy := &v1alpha1.HandoffPolicy{ObjectMeta: named("day")}
	for i := range 10 {
		copilot(func(s *v1alpha1.CopilotSpec) { s.DisplayName = fmt.Sprint("Shop ", i) })(r)
		r.Edit(pool, func() { pool.Spec.Agents[0].DisplayName = fmt.Sprint("Mara ", i) })
		r.Edit(policy, func() { policy.Spec.Routes[0].Name = v1alpha1.Name(fmt.Sprint("all-", i)) })
	}
	addChannel(r)
	copilot(func(s *v1alpha1.CopilotSpec) { s.PolicyRef.Name = "night" })(r)
}

// TestLeaderKilledInABurst kills the leader of two operators at one of its writes, in the middle of a burst of edits. The
// other has run beside it without writing anything, and takes over.
func TestLeaderKilledInABurst(t *testing.T) {
	t.Parallel()
	want, _ := undisturbed(t, scenario{fromNothing: true, steps: []func(*run){burst}})
	for _, at := range []int{1, 6, 11} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			w := controltest.New(t)
			user := w.Audited()
			var standby *controltest.Operator
			var beside []string
			leader := w.StartWith(controltest.Setup{As: user, Elect: true, Plan: func(n int, _ controltest.Request) controltest.Fault {
				if n != at {
					return controltest.None
				}
				beside = standby.Writes()
				return controltest.KillAfter
			}})
			leader.Rest() // it leads: before, its controllers do not begin
			standby = w.StartWith(controltest.Setup{As: user, Elect: true})
			r := &run{World: w, fault: &fault{}, started: []*controltest.Operator{leader, standby}}
			burst(r)
			<-leader.Killed()
			if len(beside) > 0 {
				t.Errorf("while the other led it wrote %v", beside)
			}
			leader.Stop()
			burstAfter(r)
			r.op = standby
			r.settle()
			have := r.outcome()
			for _, kind := range []string{"Role", "RoleBinding"} { // of the user, not of the tenant
				delete(have.State, kind+" handoff-operator-leader-election")
			}
			same(t, want, have)
		})
	}
}

// burstAfter is an edit that nobody leads at, and its reverse.
func burstAfter(r *run) {
	for _, name := range []string{"nobody", "night"} {
		copilot(func(s *v1alpha1.CopilotSpec) { s.PolicyRef.Name = name })(r)
	}
}
