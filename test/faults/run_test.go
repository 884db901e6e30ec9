// Package faults proves that the operator ends where it should whatever befalls it on the way: killed at any write,
// answered wrongly, shown old or incomplete news, or replaced by another.
package faults

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

func TestMain(m *testing.M) { os.Exit(controltest.Run(m)) }

// long says that all of the proof is wanted, and not the sample that `make test` has time for.
var long = os.Getenv("SOAK") != ""

// run is one World in which a scenario is played by one operator after another, until none is killed any more.
type run struct {
	*controltest.World
	op      *controltest.Operator
	setup   controltest.Setup
	fault   *fault
	started []*controltest.Operator
}

// fault befalls one write, counted from when it is armed and over all operators of a run.
type fault struct {
	at   int
	kind controltest.Fault

	mu    sync.Mutex
	armed bool
	n     int
}

func (f *fault) plan(int, controltest.Request) controltest.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.armed {
		return controltest.None
	}
	if f.n++; f.n == f.at {
		return f.kind
	}
	return controltest.None
}

func (f *fault) arm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = true
}

// writes are how many the fault has seen.
func (f *fault) writes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// outcome is what a run must come to.
type outcome struct {
	State   map[string]string
	Created map[string]int
	Deleted map[string]int
}

func newRun(t *testing.T, f *fault) *run {
	t.Helper()
	r := &run{World: controltest.New(t), fault: f}
	r.setup.Plan = f.plan
	r.start()
	return r
}

func (r *run) start() {
	r.Helper()
	r.op = r.StartWith(r.setup)
	r.started = append(r.started, r.op)
}

// release replaces the operator by one of the next release, whose runtimes have another image.
func (r *run) release() {
	r.Helper()
	r.op.Stop()
	o := controltest.Options()
	o.RuntimeImage, o.Release = "registry.example/handoff-runtime:next", "next"
	r.setup.Options = &o
	r.start()
}

// settle waits until all is at rest, with a new operator in the place of one that was killed.
func (r *run) settle() {
	r.Helper()
	for !r.Settle(r.op) {
		r.op.Stop()
		r.start()
	}
}

// play runs the scenario and returns what it came to.
func (r *run) play(s scenario) outcome {
	r.Helper()
	if s.fromNothing {
		r.settle()
	} else {
		r.tenant()
		r.settle()
	}
	r.fault.arm()
	for _, step := range s.steps {
		step(r)
		r.settle()
	}
	return r.outcome()
}

// outcome ends the run.
func (r *run) outcome() outcome {
	r.Helper()
	r.op.Stop()
	out := outcome{State: r.State(), Created: map[string]int{}, Deleted: map[string]int{}}
	for _, op := range r.started {
		for _, w := range op.Log() {
			switch {
			case w.Code == 201:
				out.Created[w.What]++
			case w.Method == "DELETE" && w.Code == 200:
				out.Deleted[w.What]++
			}
		}
	}
	return out
}

func (r *run) tenant() {
	r.Helper()
	r.ExpectApplied(r.Manifests(controltest.Root("test/faults/testdata/tenant.yaml"))...)
}

// undisturbed plays the scenario without a fault and returns what it comes to and how many writes that takes.
func undisturbed(t *testing.T, s scenario) (outcome, int) {
	t.Helper()
	r := newRun(t, &fault{})
	out := r.play(s)
	if len(out.State) == 0 || r.fault.writes() == 0 {
		t.Fatal("the scenario makes the operator write nothing")
	}
	return out, r.fault.writes()
}

// same fails the test where two runs came to different ends.
func same(t *testing.T, want, have outcome) {
	t.Helper()
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("without the fault (-) and with it (+):\n%s", d)
	}
}

// String is for the names of tests.
func (f *fault) String() string {
	kind := map[controltest.Fault]string{
		controltest.KillBefore: "killed-before", controltest.KillAfter: "killed-after",
		controltest.Conflict: "409", controltest.TooManyRequests: "429", controltest.Timeout: "504", controltest.Reset: "reset",
	}[f.kind]
	return fmt.Sprintf("%s-%d", kind, f.at)
}
