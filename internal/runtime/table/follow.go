package table

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// listTimeout bounds reading one object; a watch is bounded by its transport's health checks.
const listTimeout = 15 * time.Second

// reconnectBackoff says how long to wait before a failed read or watch is tried again: doubled each time, spread so that
// the runtimes of a cluster do not come back at once, and at most 20 s so that an outage ends for us soon after it ends.
func reconnectBackoff() *wait.Backoff {
	return &wait.Backoff{Duration: 250 * time.Millisecond, Factor: 2, Jitter: 1, Steps: 10, Cap: 10 * time.Second}
}

// follower holds what the API server last said of one object. It is the store of a reflector.
type follower struct {
	client    rest.Interface
	namespace string
	ref       ref
	metrics   *Metrics
	log       *slog.Logger
	changed   func()
	cancel    context.CancelFunc
	done      chan struct{}

	mu      sync.Mutex
	known   bool
	failing bool
	object  runtime.Object
}

// start follows the object until stop, through every outage. changed is called after each change and must not block.
func (f *follower) start(ctx context.Context) {
	ctx, f.cancel = context.WithCancel(ctx)
	f.done = make(chan struct{})
	logger := logr.FromSlogHandler(f.log.Handler())
	lw := cache.ToListWatcherWithWatchListSemantics(
		&cache.ListWatch{ListWithContextFunc: f.list, WatchFuncWithContext: f.watch}, f)
	r := cache.NewReflectorWithOptions(lw, nil, f, cache.ReflectorOptions{
		Name: f.ref.String(), Logger: &logger, Backoff: reconnectBackoff(),
	})
	go func() {
		defer close(f.done)
		r.RunWithContext(klog.NewContext(ctx, logger))
	}()
}

// stop ends following and waits for it to have ended.
func (f *follower) stop() {
	f.cancel()
	<-f.done
}

// get returns the object, or nil if it does not exist; known is false until the API server has told which.
func (f *follower) get() (object runtime.Object, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.object, f.known
}

// list reads the object past every cache, so that a restarted runtime never goes back to an older table.
func (f *follower) list(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	if options.ResourceVersion == "0" {
		options.ResourceVersion = ""
	}
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := f.request(&options).Do(ctx).Get()
	f.contact(ctx, err)
	return list, err
}

func (f *follower) watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	w, err := f.request(&options).Watch(ctx)
	f.contact(ctx, err)
	return w, err
}

// request selects by name as a field: that is how a Role with resourceNames permits list and watch.
func (f *follower) request(options *metav1.ListOptions) *rest.Request {
	options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, f.ref.name).String()
	return f.client.Get().Namespace(f.namespace).Resource(f.ref.resource).VersionedParams(options, metav1.ParameterCodec)
}

// contact notes how a request ended, and logs the first of a row of failures and the end of the row.
func (f *follower) contact(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	f.mu.Lock()
	failed := f.failing
	f.failing = err != nil
	f.mu.Unlock()
	if err == nil {
		f.metrics.touch()
		if failed {
			f.log.InfoContext(ctx, "the API server answers again", "input", f.ref.String())
		}
		return
	}
	f.metrics.reconnects.Inc()
	if !failed {
		f.log.WarnContext(ctx, "cannot read from the API server, trying on; what is in use stays in use",
			"input", f.ref.String(), "error", err)
	}
}

// IsWatchListSemanticsUnSupported keeps the reflector to list and watch: for one object streaming the list saves
// nothing, and without an API server the streaming path neither reports errors nor ends with its context.
func (f *follower) IsWatchListSemanticsUnSupported() bool { return true }

// Add is part of cache.ReflectorStore, as are the methods below.
func (f *follower) Add(object any) error { return f.set(object.(runtime.Object)) }

// Update stores the object.
func (f *follower) Update(object any) error { return f.set(object.(runtime.Object)) }

// Delete notes that the object does not exist.
func (f *follower) Delete(any) error { return f.set(nil) }

// Replace stores what a list returned: the object, or nothing.
func (f *follower) Replace(objects []any, _ string) error {
	if len(objects) == 0 {
		return f.set(nil)
	}
	return f.set(objects[0].(runtime.Object))
}

// Resync does nothing: the object is in memory.
func (f *follower) Resync() error { return nil }

// Bookmark notes a sign of life.
func (f *follower) Bookmark(string) error {
	f.metrics.touch()
	return nil
}

func (f *follower) set(object runtime.Object) error {
	f.metrics.touch()
	f.mu.Lock()
	f.object, f.known = object, true
	f.mu.Unlock()
	f.changed()
	return nil
}
