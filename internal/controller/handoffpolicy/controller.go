// Package handoffpolicy writes the status of HandoffPolicies.
package handoffpolicy

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// Reconciler keeps the status of a HandoffPolicy true.
type Reconciler struct {
	Client    client.Client
	Snapshots *snapshot.Reader
	Reporter  *report.Reporter
	Now       func() time.Time
}

//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=handoffpolicies,verbs=get;list;watch
//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=handoffpolicies/status,verbs=patch

// Reconcile judges the policy in itself and under each Copilot that uses it.
func (r *Reconciler) Reconcile(ctx context.Context, p *v1alpha1.HandoffPolicy) (reconcile.Result, error) {
	if !p.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil
	}
	o, err := r.observe(ctx, p)
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("judge HandoffPolicy %s/%s: %w", p.Namespace, p.Name, err)
	}
	next := status.HandoffPolicy(p, o, metav1.NewTime(r.Now()))
	return reconcile.Result{}, report.Status(ctx, r.Reporter, p, &p.Status, next, status.Events(p.Status.Conditions, next.Conditions))
}

func (r *Reconciler) observe(ctx context.Context, p *v1alpha1.HandoffPolicy) (status.UseObservation, error) {
	var o status.UseObservation
	pools := map[string]*v1alpha1.AgentPool{}
	if err := r.Snapshots.Pools(ctx, p, pools); err != nil {
		return o, err
	}
	exists := map[string]bool{}
	for name := range pools {
		exists[name] = true
	}
	o.Problems = routing.CheckPolicy(p, exists)
	users, err := index.Copilots(ctx, r.Client, p.Namespace, index.CopilotPolicy, p.Name)
	if err != nil {
		return o, err
	}
	for i := range users {
		problems, err := r.Snapshots.Problems(ctx, &users[i])
		if err != nil {
			return o, err
		}
		o.Copilots = append(o.Copilots, users[i].Name)
		o.Problems = append(o.Problems, problems...)
	}
	return o, nil
}

// Register adds the controller to mgr.
func (r *Reconciler) Register(mgr manager.Manager) error {
	reader := mgr.GetCache()
	return builder.ControllerManagedBy(mgr).
		Named("handoffpolicy").
		For(&v1alpha1.HandoffPolicy{}, builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.Copilot{}, index.Enqueue(ofCopilot), builder.WithPredicates(index.Spec())).
		Watches(&v1alpha1.AgentPool{}, index.Enqueue(func(ctx context.Context, o client.Object) ([]reconcile.Request, error) {
			found, err := index.Policies(ctx, reader, o.GetNamespace(), index.PolicyPool, o.GetName())
			return index.Requests(found), err
		}), builder.WithPredicates(index.Spec())).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

func ofCopilot(_ context.Context, o client.Object) ([]reconcile.Request, error) {
	ref := o.(*v1alpha1.Copilot).Spec.PolicyRef
	if ref == nil {
		return nil, nil
	}
	return []reconcile.Request{index.Request(o.GetNamespace(), ref.Name)}, nil
}
