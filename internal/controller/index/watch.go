package index

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Enqueue makes a handler of a look-up in the indexes. A look-up fails only where a field is not registered.
func Enqueue(find func(context.Context, client.Object) ([]reconcile.Request, error)) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
		requests, err := find(ctx, o)
		if err != nil {
			log.FromContext(ctx).Error(err, "an event reaches nobody", "object", client.ObjectKeyFromObject(o))
		}
		return requests
	})
}

// behind is the priority of what Later puts into a queue: after what a user did, before what a start finds.
const behind = handler.LowPriority / 10

// Later makes a handler whose requests wait for those of others: where the API server is slow, what changes tables comes
// before what statuses tell of them.
func Later(h handler.EventHandler) handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { h.Create(ctx, e, later(q)) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) { h.Update(ctx, e, later(q)) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { h.Delete(ctx, e, later(q)) },
	}
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

func later(q queue) queue {
	if p, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		return laterQueue{p}
	}
	return q
}

type laterQueue struct {
	priorityqueue.PriorityQueue[reconcile.Request]
}

// Add adds a request.
func (q laterQueue) Add(r reconcile.Request) { q.AddWithOpts(priorityqueue.AddOpts{}, r) }

// AddWithOpts adds requests, behind others unless the options say a priority.
func (q laterQueue) AddWithOpts(o priorityqueue.AddOpts, requests ...reconcile.Request) {
	if o.Priority == nil {
		o.Priority = ptr.To(behind)
	}
	q.PriorityQueue.AddWithOpts(o, requests...)
}

// Existence lets pass that an object appears or goes, and no change of it.
func Existence() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

// Spec lets pass changes of what a user wrote. A controller's own status write is none, so it wakes nobody. An object that
// was deleted and made again while nothing was heard comes as an update too, and may be of the same generation.
func Spec() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return Rewritten(e) }}
}

// Rewritten says that a user wrote the object anew, or another one of its name.
func Rewritten(e event.UpdateEvent) bool {
	return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || e.ObjectOld.GetUID() != e.ObjectNew.GetUID()
}
