package faults

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// seeds of lost events.
func seeds() int {
	if long {
		return 4
	}
	return 1
}

// each plays every scenario but the named ones, or those of the sample, beside an undisturbed run.
func each(t *testing.T, play func(t *testing.T, s scenario, want outcome), but ...string) {
	for _, s := range scenarios() {
		if slices.Contains(but, s.name) || !long && !sampled[s.name] {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			want, _ := undisturbed(t, s)
			play(t, s, want)
		})
	}
}

// TestMergedEvents has the operator see nothing of all the steps of a scenario until the last is done. Then it lists what
// is there: what was deleted and made again is one change, what was made and deleted again none at all.
func TestMergedEvents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s scenario, want outcome) {
		eyes := controltest.NewEyes()
		r := &run{World: controltest.New(t), fault: &fault{}}
		r.setup.Reads = eyes.Read
		r.start()
		if !s.fromNothing {
			r.tenant()
		}
		r.settle()
		eyes.Shut()
		for _, step := range s.steps {
			step(r)
			r.React() // the garbage collector is not blind
		}
		eyes.Open()
		r.settle()
		if d := cmp.Diff(want.State, r.outcome().State); d != "" {
			t.Errorf("one step after the other (-) and all at once (+):\n%s", d)
		}
	}, "upgrade") // its step is another operator, which lists what is there anyway
}

// TestLostEvents loses events of watches that then expire.
func TestLostEvents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s scenario, want outcome) {
		for seed := range seeds() {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				r := &run{World: controltest.New(t), fault: &fault{}}
				r.setup.Reads = controltest.Lossy(uint64(seed))
				r.start()
				same(t, want, r.play(s))
			})
		}
	})
}

// TestStaleReads starts another operator on an API server that lags behind in one kind, or in all: it lists what was
// there before the scenario, while the cluster is where the scenario ends.
func TestStaleReads(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s scenario, want outcome) {
		for _, lag := range [][]string{
			nil, {"copilots"}, {"channels"}, {"handoffpolicies"}, {"agentpools"}, {"routingtables"}, {"deployments"},
			{"services", "ingresses", "roles"}, {"secrets", "configmaps"},
		} {
			if !long && len(lag) > 0 {
				continue
			}
			t.Run(fmt.Sprint(lag), func(t *testing.T) {
				r := &run{World: controltest.New(t), fault: &fault{}}
				r.start()
				if !s.fromNothing {
					r.tenant()
				}
				r.settle()
				before := r.op.Snapshot()
				for _, step := range s.steps {
					step(r)
					r.settle()
				}
				r.op.Kill()

				r.setup.Reads = before.Read(func(resource string) bool { return len(lag) == 0 || slices.Contains(lag, resource) })
				r.start()
				r.op.Still()
				t.Logf("what it does while it lags behind: %v", r.op.Writes())
				before.CatchUp()
				r.settle()
				if d := cmp.Diff(want.State, r.outcome().State); d != "" {
					t.Errorf("seeing what there is (-) and what there was (+):\n%s", d)
				}
			})
		}
	})
}
