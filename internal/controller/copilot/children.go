package copilot

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// apply writes every child that differs, and deletes those that the Copilot no longer wants. One that the API server
// refuses does not hold up the others; in a namespace that is being deleted all of them go, and the Copilot with them, so
// there is nothing to do or to complain about. Whoever does not get as far as its Deployment leaves its turn to the next.
func (r *Reconciler) apply(ctx context.Context, in desired.Input, o *status.CopilotObservation) error {
	key := client.ObjectKeyFromObject(in.Copilot)
	children, err := desired.Render(in)
	if err != nil {
		r.Upgrades.leave(key)
		return err
	}
	var failed error
	for _, child := range children {
		err := r.applyOne(ctx, in, child, o)
		if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			r.Upgrades.leave(key)
			return nil
		}
		failed = errors.Join(failed, err)
	}
	for _, absent := range desired.Absent(in) {
		_, err := r.Applier.Remove(ctx, in.Copilot, absent)
		failed = errors.Join(failed, err)
	}
	return failed
}

// applyOne writes a child. A Deployment gets the pod template whose turn it is; where it cannot be written, it is the
// turn of the next.
func (r *Reconciler) applyOne(ctx context.Context, in desired.Input, child runtime.ApplyConfiguration, o *status.CopilotObservation) error {
	deployment, ok := child.(*appsac.DeploymentApplyConfiguration)
	if !ok {
		_, err := r.Applier.Apply(ctx, child)
		return err
	}
	var err error
	if o.Upgrade, err = r.Upgrades.settle(ctx, in.Copilot, deployment); err == nil {
		_, err = r.Applier.Apply(ctx, deployment)
	}
	if err != nil {
		r.Upgrades.leave(client.ObjectKeyFromObject(in.Copilot))
	}
	return err
}
