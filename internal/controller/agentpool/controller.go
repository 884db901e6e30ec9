// Package agentpool writes the status of AgentPools.
package agentpool

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
	"github.com/opencopilot/handoff-operator/internal/controller/report"
	"github.com/opencopilot/handoff-operator/internal/controller/snapshot"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// Reconciler keeps the status of an AgentPool true.
type Reconciler struct {
	Client    client.Client
	Snapshots *snapshot.Reader
	Reporter  *report.Reporter
	Now       func() time.Time
}

//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=agentpools,verbs=get;list;watch
//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=agentpools/status,verbs=patch

// Reconcile judges the pool in itself and under each Copilot whose policy names it.
func (r *Reconciler) Reconcile(ctx context.Context, p *v1alpha1.AgentPool) (reconcile.Result, error) {
	if !p.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil
	}
	o, err := r.observe(ctx, p)
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("judge AgentPool %s/%s: %w", p.Namespace, p.Name, err)
	}
	next := status.AgentPool(p, o, metav1.NewTime(r.Now()))
	return reconcile.Result{}, report.Status(ctx, r.Reporter, p, &p.Status, next, status.Events(p.Status.Conditions, next.Conditions))
}

func (r *Reconciler) observe(ctx context.Context, p *v1alpha1.AgentPool) (status.UseObservation, error) {
	o := status.UseObservation{Problems: routing.CheckPool(p)}
	users, err := index.CopilotsOfPool(ctx, r.Client, p.Namespace, p.Name)
	if err != nil {
		return o, err
	}
	judged := map[string]bool{}
	for i := range users {
		o.Copilots = append(o.Copilots, users[i].Name)
		// What is wrong with a pool beside others is the same for every Copilot of their policy.
		policy := users[i].Spec.PolicyRef.Name
		if judged[policy] {
			continue
		}
		judged[policy] = true
		problems, err := r.Snapshots.Problems(ctx, &users[i])
		if err != nil {
			return o, err
		}
		o.Problems = append(o.Problems, problems...)
	}
	return o, nil
}

// Register adds the controller to mgr. A policy is watched for the pools it names, another pool of the same policy
// because people may be in both.
func (r *Reconciler) Register(mgr manager.Manager) error {
	w := watches{mgr.GetCache()}
	return builder.ControllerManagedBy(mgr).
		Named("agentpool").
		For(&v1alpha1.AgentPool{}, builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.AgentPool{}, index.Enqueue(w.siblings), builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.HandoffPolicy{}, index.Enqueue(w.policy), builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.Copilot{}, index.Enqueue(w.copilot), builder.WithPredicates(index.Spec())).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

type watches struct{ client.Reader }

func (w watches) siblings(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	policies, err := index.Policies(ctx, w, o.GetNamespace(), index.PolicyPool, o.GetName())
	var out []reconcile.Request
	for i := range policies {
		out = append(out, poolsOf(&policies[i])...)
	}
	return out, err
}

func (w watches) policy(_ context.Context, o client.Object) ([]reconcile.Request, error) {
	return poolsOf(o.(*v1alpha1.HandoffPolicy)), nil
}

func (w watches) copilot(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
	ref := o.(*v1alpha1.Copilot).Spec.PolicyRef
	if ref == nil {
		return nil, nil
	}
	var p v1alpha1.HandoffPolicy
	err := w.Get(ctx, types.NamespacedName{Namespace: o.GetNamespace(), Name: ref.Name}, &p)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return poolsOf(&p), err
}

func poolsOf(p *v1alpha1.HandoffPolicy) []reconcile.Request {
	var out []reconcile.Request
	for _, name := range index.PolicyPools(p) {
		out = append(out, index.Request(p.Namespace, name))
	}
	return out
}
