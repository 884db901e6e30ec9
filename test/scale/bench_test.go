// Package scale_test measures the operator with many Copilots, each figure beside a floor of the same run: what plain
// client-go needs for the same requests. docs/scale.md says how and shows the figures.
package scale_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

const (
	// atRest is how long the operator is left alone before its memory counts as that of rest.
	atRest = 30 * time.Second
	// canaries are the objects that show that the operator runs before anything is measured.
	canaries = 1
)

// BenchmarkCopilots measures, for each number of Copilots of SCALE_SIZES, created → all Ready and a restart, and for the
// number SCALE_CHANGES_AT, SCALE_CHANGES changes of AgentPools. It writes its tables to the file SCALE_REPORT or prints them.
func BenchmarkCopilots(b *testing.B) {
	ctrl.SetLogger(logr.Discard())
	binary := build(b)
	r := &report{load: loadAverage(), started: time.Now()}
	changesAt, changes := numbers(b, "SCALE_CHANGES_AT", "1000")[0], numbers(b, "SCALE_CHANGES", "1000")[0]
	if changesAt < 3*measured {
		b.Fatalf("SCALE_CHANGES_AT: %d are too few for %d measured pools, as many for the floor, and others; say at least %d", changesAt, measured, 3*measured)
	}
	for _, n := range numbers(b, "SCALE_SIZES", "10,100,1000") {
		f := &figures{copilots: n}
		if n == changesAt {
			f.changes = changes
		}
		var writes []*write
		// Each takes longer than the second that package testing wants, so none is repeated.
		if !b.Run(strconv.Itoa(n)+"/operator", func(b *testing.B) { writes = f.withOperator(b, binary) }) ||
			!b.Run(strconv.Itoa(n)+"/floor", func(b *testing.B) { f.withoutOperator(b, writes) }) {
			return
		}
		r.all = append(r.all, f)
	}
	must(b, r.publish())
}

func numbers(b *testing.B, variable, otherwise string) []int {
	b.Helper()
	value := os.Getenv(variable)
	if value == "" {
		value = otherwise
	}
	var out []int
	for part := range strings.SplitSeq(value, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 {
			b.Fatalf("%s: %q is not a number above 0; say for example %s=%s", variable, part, variable, otherwise)
		}
		out = append(out, n)
	}
	return out
}

// flags are more of the operator's, from SCALE_FLAGS, such as an address for its profiles.
func flags() []string { return strings.Fields(os.Getenv("SCALE_FLAGS")) }

// figures are those of one number of Copilots.
type figures struct {
	copilots int

	// created is from the first request of the users until every object is Ready; floor the same requests without an operator.
	created, floor time.Duration
	// writes by who and what.
	operator, users, standIn map[string]int
	// cpu that the operator used until then, and the API server's in both runs.
	cpu, apiCPU, floorAPICPU time.Duration
	// memory at rest and at its largest, in bytes.
	memory, peak float64
	goroutines   float64
	restart      restart

	// changes is how many changes of pools to measure.
	changes                          int
	idle, busy, idleFloor, busyFloor series
}

// withOperator fills in all figures but the floor's, and returns what was written from creation until all were Ready.
func (f *figures) withOperator(b *testing.B, binary string) []*write {
	c, t := newCluster(b), loadTenant(b)
	t.prepare(b, c, 0, f.copilots+2)
	informers := newInformers(b, c)
	ready := followReadiness(b, informers)
	pods := startStandIn(b, c, informers, f.realRuntimes())
	o := startOperator(b, binary, c, flags()...)
	f.canary(b, c, ready)

	discard(b, c.audit)
	api := cpuOf("kube-apiserver")
	start := time.Now()
	t.create(b, c.client(b, usersAgent), 0, f.copilots)
	ready.wait(b, canaries+len(kinds)*f.copilots)
	f.created = time.Since(start)
	f.cpu, f.apiCPU = cpu(o.cmd.Process.Pid), cpuOf("kube-apiserver")-api
	writes, err := c.audit.next()
	must(b, err)
	f.operator, f.users, f.standIn = by(operatorUser, writes), by(usersAgent, writes), by(standInAgent, writes)
	b.ReportMetric(f.created.Seconds(), "s-to-ready")

	o.settle(b)
	<-time.After(atRest)
	f.memory, f.peak = o.memory(b)
	f.goroutines = o.metric("go_goroutines")
	b.ReportMetric(f.memory/(1<<20), "MiB-at-rest")

	changer := newChanger(b, c, pods, f.copilots)
	if f.changes > 0 {
		f.idle = changer.measure(0, f.changes, 0)
		f.busy = changer.measure(0, f.changes, otherChanges)
		o.settle(b)
	}
	o = f.measureRestart(b, c, binary, o, ready, t)
	b.ReportMetric(f.restart.looked.Seconds(), "s-restart")
	if f.changes > 0 {
		o.kill()
		chain(b, c, informers, pods)
		f.idleFloor = changer.measure(measured, f.changes, 0)
		f.busyFloor = changer.measure(measured, f.changes, otherChanges)
	}
	return writes
}

// realRuntimes are the namespaces that have the runtime's own table source: where changes are measured.
func (f *figures) realRuntimes() map[string]bool {
	out := map[string]bool{}
	if f.changes > 0 {
		for i := range min(measured, f.copilots) {
			out[namespace(i)] = true
		}
	}
	return out
}

// canary makes a pool outside the tenants and waits for it: the operator's caches are full then, and it works.
func (f *figures) canary(b *testing.B, c *cluster, ready *readiness) {
	b.Helper()
	pool := &v1alpha1.AgentPool{}
	pool.Namespace, pool.Name = "default", "canary"
	pool.Spec.Agents = []v1alpha1.Agent{{Name: "a", Email: "a@acme.example"}}
	must(b, c.client(b, setupAgent).Create(b.Context(), pool))
	ready.wait(b, canaries)
}

// withoutOperator fills in the floor.
func (f *figures) withoutOperator(b *testing.B, writes []*write) {
	c := newCluster(b)
	loadTenant(b).prepare(b, c, 0, f.copilots+2)
	api := cpuOf("kube-apiserver")
	f.floor = replay(b, c, writes)
	f.floorAPICPU = cpuOf("kube-apiserver") - api
	b.ReportMetric(f.floor.Seconds(), "s-floor")
	b.ReportMetric(f.created.Seconds()/f.floor.Seconds(), "x-floor")
}

func discard(b *testing.B, l *auditLog) {
	b.Helper()
	_, err := l.next()
	must(b, err)
}
