package controltest

import (
	"context"
	"net/http"
	"slices"
	"strings"
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

// Operator is a running operator and what it asked of the API server.
type Operator struct {
	// Manager that runs it.
	Manager manager.Manager
	stop    func()
	mu      sync.Mutex
	writes  []string
	reads   []string
}

// Start runs the operator on the World's namespace and those of others, with the operator's own rights. It ends with
// the test or at Stop.
func (w *World) Start(others ...string) *Operator {
	w.Helper()
	o := &Operator{}
	mgr := w.manager(o, append([]string{w.Namespace}, others...))
	o.Manager = mgr
	ctx, cancel := context.WithCancel(context.Background())
	w.must(controller.Register(ctx, mgr, Options()), "register the controllers")
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	o.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.Errorf("the operator ended: %v", err)
		}
	})
	w.Cleanup(o.stop)
	return o
}

// Options of the operators of tests.
func Options() controller.Options { return controller.Options{RuntimeImage: Image, Now: time.Now} }

// Idle is an operator that never runs by itself: a test starts its cache and calls its reconcilers.
func (w *World) Idle() *Operator {
	w.Helper()
	o := &Operator{}
	o.Manager = w.manager(o, []string{w.Namespace})
	return o
}

func (w *World) manager(o *Operator, namespaces []string) manager.Manager {
	w.Helper()
	scheme, err := controller.Scheme()
	w.must(err, "scheme")
	c := rest.CopyConfig(cluster.operator)
	c.Wrap(func(next http.RoundTripper) http.RoundTripper { return &recording{next, o} })
	tuning := controller.Tuning()
	tuning.SkipNameValidation = ptr.To(true) // several operators run in a test's process
	mgr, err := manager.New(c, manager.Options{
		Scheme:     scheme,
		Cache:      controller.Cache(namespaces),
		Client:     controller.Client(namespaces),
		Metrics:    server.Options{BindAddress: "0"},
		Controller: tuning,
	})
	w.must(err, "make the operator")
	return mgr
}

// Stop ends the operator and waits for it.
func (o *Operator) Stop() { o.stop() }

// Writes are the requests so far that were to change something, such as "PATCH services/x", in order; Events are not
// among them.
func (o *Operator) Writes() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.writes)
}

// Reads are the GETs of single objects so far, such as "GET secrets/x".
func (o *Operator) Reads() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.reads)
}

type recording struct {
	next http.RoundTripper
	o    *Operator
}

// RoundTrip notes the request and passes it on.
func (r *recording) RoundTrip(request *http.Request) (*http.Response, error) {
	_, what, _ := strings.Cut(request.URL.Path, "/namespaces/")
	if _, what, namespaced := strings.Cut(what, "/"); namespaced && !strings.HasPrefix(what, "events") {
		r.o.mu.Lock()
		switch {
		case request.Method != http.MethodGet:
			r.o.writes = append(r.o.writes, request.Method+" "+what)
		case strings.Contains(what, "/"):
			r.o.reads = append(r.o.reads, "GET "+what)
		}
		r.o.mu.Unlock()
	}
	return r.next.RoundTrip(request)
}
