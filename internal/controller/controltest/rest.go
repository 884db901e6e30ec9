package controltest

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// activity knows what an operator has before it: events on their way from the API server to a queue, requests in a
// queue, and reconciles that run. An operator with none of them is at rest until something outside of it changes.
type activity struct {
	loops *loops

	mu        sync.Mutex
	changed   chan struct{}
	steps     uint64
	queues    []*queue
	listeners []*listener
}

func newActivity(l *loops) *activity { return &activity{loops: l, changed: make(chan struct{})} }

// step wakes those who wait for rest. The caller holds mu.
func (a *activity) step() {
	a.steps++
	close(a.changed)
	a.changed = make(chan struct{})
}

// now returns how many steps there were, what is closed at the next one, and what keeps the operator from rest.
func (a *activity) now() (steps uint64, next <-chan struct{}, busy string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range a.queues {
		switch {
		case !q.started:
			busy = "controller " + q.controller + " has not begun"
		case len(q.pending) > 0 || len(q.running) > 0 || q.Len() > 0:
			busy = fmt.Sprintf("controller %s has %v in its queue, %d ready, and reconciles %v", q.controller, q.pending, q.Len(), q.running)
		}
	}
	return a.steps, a.changed, busy
}

// observed is a manager whose controllers tell the activity about their queues and reconciles.
type observed struct {
	manager.Manager
	activity *activity
}

// Add puts a queue and a reconciler that tell around those of a controller. controller-runtime offers no option for the
// queue that reaches through builder.Builder; the fields it sets are exported, their type is not.
func (m observed) Add(r manager.Runnable) error {
	if c, ok := r.(controller.Controller); ok {
		v := reflect.ValueOf(c).Elem()
		make := v.FieldByName("NewQueue").Interface().(func(string, workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request])
		q := &queue{
			activity: m.activity, controller: v.FieldByName("Name").String(),
			pending: map[reconcile.Request]int{}, running: map[reconcile.Request]int{}, handed: map[reconcile.Request]int{},
		}
		v.FieldByName("NewQueue").Set(reflect.ValueOf(func(name string, limit workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
			m.activity.mu.Lock()
			defer m.activity.mu.Unlock()
			q.PriorityQueue = make(name, limit).(priorityqueue.PriorityQueue[reconcile.Request])
			return q
		}))
		v.FieldByName("Do").Set(reflect.ValueOf(reconcile.Reconciler(&judged{
			v.FieldByName("Do").Interface().(reconcile.Reconciler), q,
		})))
		m.activity.mu.Lock()
		m.activity.queues = append(m.activity.queues, q)
		m.activity.mu.Unlock()
	}
	return m.Manager.Add(r)
}

// queue tells what it holds, also what it holds back for a retry.
type queue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
	activity   *activity
	controller string
	started    bool
	// pending and running are the requests that wait and those that are handed out, with the time at which they were first
	// asked for. handed says when a request was last handed out.
	pending, running, handed map[reconcile.Request]int
}

// Add adds an item.
func (q *queue) Add(r reconcile.Request) { q.AddWithOpts(priorityqueue.AddOpts{}, r) }

// AddWithOpts adds items.
func (q *queue) AddWithOpts(o priorityqueue.AddOpts, items ...reconcile.Request) {
	q.activity.mu.Lock()
	defer q.activity.mu.Unlock()
	for _, r := range items {
		if _, waits := q.pending[r]; !waits {
			q.pending[r] = q.activity.loops.tick()
		}
	}
	q.PriorityQueue.AddWithOpts(o, items...)
	q.activity.step()
}

// GetWithPriority hands out an item. The workers ask for the first one when all their watches have delivered what there is.
func (q *queue) GetWithPriority() (reconcile.Request, int, bool) {
	q.activity.mu.Lock()
	if !q.started {
		q.started = true
		q.activity.step()
	}
	q.activity.mu.Unlock()
	r, priority, shutdown := q.PriorityQueue.GetWithPriority()
	q.activity.mu.Lock()
	defer q.activity.mu.Unlock()
	if !shutdown {
		asked, pending := q.pending[r]
		if !pending { // it was asked for again between leaving the queue and the last time that we were here
			asked = q.handed[r]
		}
		delete(q.pending, r)
		q.running[r] = asked
		q.handed[r] = q.activity.loops.tick()
	}
	return r, priority, shutdown
}

// asked is when a request that is handed out was first asked for.
func (q *queue) asked(r reconcile.Request) int {
	q.activity.mu.Lock()
	defer q.activity.mu.Unlock()
	return q.running[r]
}

// Done takes the item back.
func (q *queue) Done(r reconcile.Request) {
	q.activity.mu.Lock()
	defer q.activity.mu.Unlock()
	delete(q.running, r)
	q.PriorityQueue.Done(r)
	q.activity.step()
}

// Len is how many items are ready.
func (q *queue) Len() int {
	if q.PriorityQueue == nil {
		return 0
	}
	return q.PriorityQueue.Len()
}

// newCache makes a cache whose informers tell what their handlers have dealt with.
func (a *activity) newCache(c *rest.Config, o cache.Options) (cache.Cache, error) {
	made, err := cache.New(c, o)
	if err != nil {
		return nil, err
	}
	return &tellingCache{made, a, o}, nil
}

type tellingCache struct {
	cache.Cache
	activity *activity
	options  cache.Options
}

// GetInformer returns the informer of a kind.
func (c *tellingCache) GetInformer(ctx context.Context, o client.Object, opts ...cache.InformerGetOption) (cache.Informer, error) {
	i, err := c.Cache.GetInformer(ctx, o, opts...)
	if err != nil {
		return nil, err
	}
	gvk, err := apiutil.GVKForObject(o, c.options.Scheme)
	return &informer{i, c.activity, gvk}, err
}

type informer struct {
	cache.Informer
	activity *activity
	gvk      schema.GroupVersionKind
}

// AddEventHandlerWithOptions adds a handler.
func (i *informer) AddEventHandlerWithOptions(h toolscache.ResourceEventHandler, o toolscache.HandlerOptions) (toolscache.ResourceEventHandlerRegistration, error) {
	l := &listener{next: h, activity: i.activity, gvk: i.gvk, seen: map[string]string{}}
	i.activity.mu.Lock()
	i.activity.listeners = append(i.activity.listeners, l)
	i.activity.mu.Unlock()
	return i.Informer.AddEventHandlerWithOptions(l, o)
}

// listener is a handler that tells which version of each object it has dealt with.
type listener struct {
	next     toolscache.ResourceEventHandler
	activity *activity
	gvk      schema.GroupVersionKind
	seen     map[string]string
}

// OnAdd passes an object on.
func (l *listener) OnAdd(o any, initial bool) {
	l.dealt(o.(client.Object), false, func() { l.next.OnAdd(o, initial) })
}

// OnUpdate passes a change on.
func (l *listener) OnUpdate(before, after any) {
	l.dealt(after.(client.Object), false, func() { l.next.OnUpdate(before, after) })
}

// OnDelete passes a deletion on.
func (l *listener) OnDelete(o any) {
	last := o
	if unknown, ok := o.(toolscache.DeletedFinalStateUnknown); ok {
		last = unknown.Obj
	}
	l.dealt(last.(client.Object), true, func() { l.next.OnDelete(o) })
}

func (l *listener) dealt(o client.Object, gone bool, deal func()) {
	key, version := o.GetNamespace()+"/"+o.GetName(), o.GetResourceVersion()
	l.activity.mu.Lock()
	// Whoever listens again after a lost event cannot tell what has not changed.
	news := gone || l.seen[key] != version || l.activity.loops.wire.answers != nil
	l.activity.mu.Unlock()
	if news {
		l.activity.loops.deal(l.gvk.Kind+" "+key, version, gone, deal)
	} else {
		deal()
	}
	l.activity.mu.Lock()
	defer l.activity.mu.Unlock()
	l.seen[key] = version
	if gone {
		delete(l.seen, key)
	}
	l.activity.step()
}

// dealtWith returns for each kind what every handler of it has dealt with, by "namespace/name".
func (a *activity) dealtWith() map[schema.GroupVersionKind][]map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[schema.GroupVersionKind][]map[string]string{}
	for _, l := range a.listeners {
		out[l.gvk] = append(out[l.gvk], maps.Clone(l.seen))
	}
	return out
}
