package faults

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// stride is how many writes apart the faults of the sample are. It is no divisor of a Copilot's number of children.
const stride = 5

// points are the faults to try where a scenario takes n writes.
func points(n int, kinds func(at int) []controltest.Fault) []*fault {
	var out []*fault
	for at := 1; at <= n; at++ {
		if !long && at%stride != 1 {
			continue
		}
		for _, kind := range kinds(at) {
			out = append(out, &fault{at: at, kind: kind})
		}
	}
	return out
}

// sampled are the scenarios of the sample: with the most children to make, and with one to take away.
var sampled = map[string]bool{"create": true, "expose": true}

// everyPoint plays each scenario with each fault at each of its writes.
func everyPoint(t *testing.T, kinds func(at int) []controltest.Fault) {
	var tried, unreached atomic.Int32
	began := time.Now()
	t.Cleanup(func() {
		t.Logf("%d points in %s, %d of them beyond the last write", tried.Load(), time.Since(began).Round(time.Second), unreached.Load())
	})
	for _, s := range scenarios() {
		if !long && !sampled[s.name] {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			want, writes := undisturbed(t, s)
			t.Logf("%d writes, creates %v, deletes %v", writes, want.Created, want.Deleted)
			for _, f := range points(writes, kinds) {
				t.Run(f.String(), func(t *testing.T) {
					r := newRun(t, f)
					same(t, want, r.play(s))
					tried.Add(1)
					if f.writes() < f.at {
						unreached.Add(1)
					}
				})
			}
		})
	}
}

// TestCrash kills the operator before and after every write of every scenario.
func TestCrash(t *testing.T) {
	t.Parallel()
	everyPoint(t, func(int) []controltest.Fault {
		return []controltest.Fault{controltest.KillBefore, controltest.KillAfter}
	})
}

// TestCrashIsNoticed plays a scenario that comes to another end, so that an equal end means something.
func TestCrashIsNoticed(t *testing.T) {
	t.Parallel()
	want, _ := undisturbed(t, scenarios()[0])
	other := scenario{name: "other", fromNothing: true, steps: []func(*run){(*run).tenant, addChannel, drift}}
	have, _ := undisturbed(t, other)
	if len(want.State) >= len(have.State) || want.State["Copilot shop"] == have.State["Copilot shop"] ||
		want.Created["services/"+child] >= have.Created["services/"+child] {
		t.Error("a second Channel and a Service that was made twice look the same")
	}
}

// TestWrongAnswers does each write and then says that it failed, in one way after the other.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	wrong := []controltest.Fault{controltest.Conflict, controltest.TooManyRequests, controltest.Timeout, controltest.Reset}
	everyPoint(t, func(at int) []controltest.Fault { return wrong[at%len(wrong) : at%len(wrong)+1] })
}
