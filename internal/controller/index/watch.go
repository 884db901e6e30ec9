package index

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
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
