package copilot

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// Register adds the controller to mgr. It wakes for everything that a Copilot's table, children or status come from.
func (r *Reconciler) Register(mgr manager.Manager) error {
	w := watches{mgr.GetCache()}
	b := builder.ControllerManagedBy(mgr).
		Named("copilot").
		WithOptions(controller.Options{RateLimiter: retries()}).
		For(&v1alpha1.Copilot{}, builder.WithPredicates(predicate.Or(index.Spec(), toldToUpgrade()))).
		Owns(&v1alpha1.RoutingTable{}).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&rbacv1.Role{}).
		Owns(&rbacv1.RoleBinding{}).
		Owns(&networkingv1.NetworkPolicy{}).
		Owns(&networkingv1.Ingress{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		// A claim that outlives its Copilot has no owner.
		Watches(&corev1.PersistentVolumeClaim{}, index.Enqueue(w.labelled)).
		Watches(&corev1.Pod{}, index.Enqueue(w.labelled), builder.WithPredicates(podChanges())).
		Watches(&v1alpha1.Channel{}, index.Enqueue(w.channel), builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.Copilot{}, index.Enqueue(w.rivals), builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.HandoffPolicy{}, index.Enqueue(w.policy), builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.AgentPool{}, index.Enqueue(w.pool), builder.WithPredicates(index.Spec())).
		WatchesMetadata(&corev1.Secret{}, index.Enqueue(w.secret)).
		WatchesMetadata(&corev1.ConfigMap{}, index.Enqueue(w.configMap), builder.WithPredicates(index.Existence())).
		WatchesRawSource(r.Upgrades.source())
	switch {
	case !r.atStart.known:
		b.Watches(CRD(), index.Enqueue(w.gatewayAPI))
	case r.atStart.gatewayAPI:
		b.Owns(&gatewayv1.HTTPRoute{})
	}
	c, err := b.Build(reconcile.Func(r.reconcile))
	if err != nil {
		return err
	}
	r.gateway.follow(mgr, c)
	return nil
}

// patience is the longest pause between two tries. What no watch shows, such as that an object of somebody else no longer
// has a child's name, or that a quota has room again, is found out by a try.
const patience = 5 * time.Minute

// retries pause as controller-runtime does, but not for up to a quarter of an hour.
func retries() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](5*time.Millisecond, patience)
}

// reconcile reads the Copilot of the request.
func (r *Reconciler) reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var c v1alpha1.Copilot
	err := r.Client.Get(ctx, request.NamespacedName, &c)
	if apierrors.IsNotFound(err) {
		r.Upgrades.slots.Gone(request.NamespacedName)
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("read Copilot %s: %w", request, err)
	}
	return r.Reconcile(ctx, &c)
}

// watches find the Copilots that an object concerns.
type watches struct{ client.Reader }

func (w watches) labelled(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	value := o.GetLabels()[desired.LabelCopilot]
	found, err := index.Copilots(ctx, w, o.GetNamespace(), index.CopilotLabel, value)
	return index.Requests(found), err
}

func (w watches) channel(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	return index.CopilotsOfClaim(ctx, w, o.(*v1alpha1.Channel))
}

func (w watches) rivals(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	return index.CopilotsOfHost(ctx, w, o.(*v1alpha1.Copilot))
}

func (w watches) policy(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	found, err := index.Copilots(ctx, w, o.GetNamespace(), index.CopilotPolicy, o.GetName())
	return index.Requests(found), err
}

func (w watches) pool(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	found, err := index.CopilotsOfPool(ctx, w, o.GetNamespace(), o.GetName())
	return index.Requests(found), err
}

func (w watches) secret(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	found, err := index.Copilots(ctx, w, o.GetNamespace(), index.CopilotSecret, o.GetName())
	if err != nil {
		return nil, err
	}
	out := index.Requests(found)
	channels, err := index.Channels(ctx, w, o.GetNamespace(), index.ChannelSecret, o.GetName())
	return append(out, index.CopilotsOf(channels)...), err
}

func (w watches) configMap(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	found, err := index.Copilots(ctx, w, o.GetNamespace(), index.CopilotConfigMap, o.GetName())
	return index.Requests(found), err
}

// gatewayAPI wakes the Copilots that want an HTTPRoute.
func (w watches) gatewayAPI(ctx context.Context, _ client.Object) ([]reconcile.Request, error) {
	var list v1alpha1.CopilotList
	if err := w.List(ctx, &list); err != nil {
		return nil, err
	}
	wanting := slices.DeleteFunc(list.Items, func(c v1alpha1.Copilot) bool {
		return len(desired.Missing(&c, desired.Platform{})) == 0
	})
	return index.Requests(wanting), nil
}
