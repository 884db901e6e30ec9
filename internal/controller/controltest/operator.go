package controltest

import (
	"context"
	"runtime/pprof"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/opencopilot/handoff-operator/internal/controller"
)

// Image is the runtime's image in tests. Nothing pulls it.
const Image = "registry.example/handoff-runtime:test"

// Setup is how an operator of a test differs from the usual one.
type Setup struct {
	// Others are namespaces to watch besides the World's.
	Others []string
	// Options of the controllers; Options() if nil.
	Options *controller.Options
	// Plan of faults.
	Plan Plan
	// Reads, if set, carries out the operator's GETs, lists and watches.
	Reads Reads
	// As is the user that the operator is, instead of the usual one.
	As *Audited
	// Elect has it work only while it holds a Lease of the World's namespace.
	Elect bool
}

// Operator is a running operator and what it asked of the API server.
type Operator struct {
	// Manager that runs it.
	Manager  manager.Manager
	world    *World
	wire     *wire
	activity *activity
	stop     func()
}

// Start runs the operator on the World's namespace and those of others, with the operator's own rights. It ends with
// the test or at Stop. A reconcile that repeats without cause fails the test.
func (w *World) Start(others ...string) *Operator {
	w.Helper()
	return w.StartWith(Setup{Others: others})
}

// StartWith runs an operator that differs from the usual one.
func (w *World) StartWith(s Setup) *Operator {
	w.Helper()
	o := w.prepare(s)
	options := Options()
	if s.Options != nil {
		options = *s.Options
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.must(controller.Register(ctx, o.Manager, options), "register the controllers")
	o.run(ctx, cancel)
	return o
}

// run starts the manager.
func (o *Operator) run(ctx context.Context, cancel func()) {
	ended := make(chan error, 1)
	go func() { ended <- o.Manager.Start(ctx) }()
	o.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !o.wire.dead() {
			o.world.Errorf("the operator ended: %v", err)
		}
	})
	o.world.Cleanup(o.stop)
}

// Options of the operators of tests.
func Options() controller.Options {
	return controller.Options{RuntimeImage: Image, Release: "test", MaxConcurrentUpgrades: 5, Now: time.Now}
}

// Idle is an operator that never runs by itself: a test starts its cache and calls its reconcilers.
func (w *World) Idle() *Operator {
	w.Helper()
	return w.prepare(Setup{})
}

func (w *World) prepare(s Setup) *Operator {
	w.Helper()
	scheme, err := controller.Scheme()
	w.must(err, "scheme")
	o := &Operator{world: w, wire: newWire(scheme, s.Plan)}
	o.wire.answers = s.Reads
	loops := newLoops(o.wire, func(format string, args ...any) { w.Errorf(format, args...) })
	o.wire.loops = loops
	o.activity = newActivity(loops)
	c := rest.CopyConfig(cluster.operator)
	if s.As != nil {
		c = rest.CopyConfig(s.As.Config)
	}
	c.Wrap(o.wire.over)
	namespaces := append([]string{w.Namespace}, s.Others...)
	tuning := controller.Tuning()
	tuning.SkipNameValidation = ptr.To(true) // several operators run in a test's process
	mgr, err := manager.New(c, manager.Options{
		Scheme:                  scheme,
		Cache:                   controller.Cache(namespaces),
		NewCache:                o.activity.newCache,
		Client:                  controller.Client(namespaces),
		Metrics:                 server.Options{BindAddress: "0"},
		Controller:              tuning,
		LeaderElection:          s.Elect,
		LeaderElectionID:        "handoff-operator",
		LeaderElectionNamespace: w.Namespace,
		LeaseDuration:           ptr.To(3 * time.Second),
		RenewDeadline:           ptr.To(2 * time.Second),
		RetryPeriod:             ptr.To(200 * time.Millisecond),
	})
	w.must(err, "make the operator")
	o.Manager = observed{mgr, o.activity}
	return o
}

// Stop ends the operator and waits for it.
func (o *Operator) Stop() { o.stop() }

// Failed is the error of the reconcile that failed last, or nil if none has.
func (o *Operator) Failed() error { return o.activity.loops.lastFailure() }

// Still waits until the operator has dealt with all that it was shown, which Rest would also compare with what there is.
func (o *Operator) Still() {
	o.world.Helper()
	o.until(func(context.Context) string { return "" })
}

// Rest waits until the operator has nothing to do: its handlers have dealt with every object as the API server has it,
// its queues are empty, also of retries, and no reconcile runs. It returns false if the operator was killed before.
func (o *Operator) Rest() bool {
	o.world.Helper()
	return o.until(o.behind)
}

// until waits until nothing is under way and nothing has begun while behind looked for what is still on its way.
func (o *Operator) until(behind func(context.Context) string) bool {
	o.world.Helper()
	ctx, cancel := deadline()
	defer cancel()
	for {
		steps, next, busy := o.activity.now()
		if busy == "" {
			busy = behind(ctx)
			now, _, again := o.activity.now()
			if busy == "" && again == "" && now == steps {
				return !o.wire.dead()
			}
			if now != steps {
				continue
			}
		}
		select {
		case <-next:
		case <-o.wire.killed:
			return false
		case <-ctx.Done():
			_ = pprof.Lookup("goroutine").WriteTo(o.world.Output(), 1)
			o.world.Fatalf("the operator does not come to rest: %s; the last error of a reconcile: %v", busy, o.activity.loops.lastFailure())
		}
	}
}
