package channel

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
)

// Register adds the controller to mgr. Policies and pools reach a Channel through the status of its Copilot, which
// names the table.
func (r *Reconciler) Register(mgr manager.Manager) error {
	cached := mgr.GetCache()
	return builder.ControllerManagedBy(mgr).
		Named("channel").
		For(&v1alpha1.Copilot{}, builder.WithPredicates(copilotChanges())).
		Watches(&v1alpha1.Channel{}, index.Enqueue(func(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
			return index.CopilotsOfClaim(ctx, cached, o.(*v1alpha1.Channel))
		}), builder.WithPredicates(index.Spec())).
		WatchesMetadata(&corev1.Secret{}, index.Enqueue(func(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
			found, err := index.Channels(ctx, cached, o.GetNamespace(), index.ChannelSecret, o.GetName())
			return index.CopilotsOf(found), err
		})).
		Complete(r)
}

// copilotChanges lets pass what the status of a Channel is made from.
func copilotChanges() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.Copilot), e.ObjectNew.(*v1alpha1.Copilot)
		return index.Rewritten(e) || before.Status.TableRevision != after.Status.TableRevision ||
			before.Status.URL != after.Status.URL ||
			changed(v1alpha1.ConditionProgrammed, before, after) || changed(v1alpha1.ConditionReady, before, after)
	}}
}

func changed(kind string, before, after *v1alpha1.Copilot) bool {
	return !equality.Semantic.DeepEqual(
		meta.FindStatusCondition(before.Status.Conditions, kind), meta.FindStatusCondition(after.Status.Conditions, kind))
}
