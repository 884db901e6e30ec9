package channel

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
)

// Register adds the controller to mgr. Policies and pools reach a Channel through the status of its Copilot, which
// names the table.
func (r *Reconciler) Register(mgr manager.Manager) error {
	w := watches{mgr.GetCache()}
	return builder.ControllerManagedBy(mgr).
		Named("channel").
		For(&v1alpha1.Channel{}, builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.Channel{}, index.Enqueue(w.rivals), builder.WithPredicates(index.ChannelSpec())).
		Watches(&v1alpha1.Copilot{}, index.Enqueue(w.copilot)).
		WatchesMetadata(&corev1.Secret{}, index.Enqueue(w.secret)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

type watches struct{ client.Reader }

// rivals are the other Channels that claim the same.
func (w watches) rivals(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	claim := index.Claim(o.(*v1alpha1.Channel))
	if claim == "" {
		return nil, nil
	}
	found, err := index.Channels(ctx, w, metav1.NamespaceAll, index.ChannelClaim, claim)
	var others []v1alpha1.Channel
	for _, ch := range found {
		if ch.UID != o.GetUID() {
			others = append(others, ch)
		}
	}
	return index.Requests(others), err
}

func (w watches) copilot(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	found, err := index.Channels(ctx, w, o.GetNamespace(), index.ChannelCopilot, o.GetName())
	return index.Requests(found), err
}

func (w watches) secret(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	found, err := index.Channels(ctx, w, o.GetNamespace(), index.ChannelSecret, o.GetName())
	return index.Requests(found), err
}
