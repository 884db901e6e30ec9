package controltest

import (
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/opencopilot/handoff-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// There is no kubelet and no Deployment controller here. The functions of this file stand in for them and for the
// runtime's table sync: they make the pod that the Deployment asks for, and say in the RoutingTable's status and the
// Deployment's what a running pod would. Nothing of the data plane runs.

// Table waits for the RoutingTable of the Copilot to fit.
func (w *World) Table(copilot string, fits func(*v1alpha1.RoutingTable) error) *v1alpha1.RoutingTable {
	w.Helper()
	t := &v1alpha1.RoutingTable{}
	t.Name = desired.Name(copilot)
	w.Until(t, func() error { return fits(t) })
	return t
}

// Current is the RoutingTable as soon as there is one.
func (w *World) Current(copilot string) *v1alpha1.RoutingTable {
	w.Helper()
	return w.Table(copilot, func(*v1alpha1.RoutingTable) error { return nil })
}

// After is the RoutingTable as soon as it has another revision than before.
func (w *World) After(copilot, revision string) *v1alpha1.RoutingTable {
	w.Helper()
	return w.Table(copilot, func(t *v1alpha1.RoutingTable) error {
		if t.Spec.Revision == revision {
			return errors.New("it still has revision " + revision)
		}
		return nil
	})
}

// PodName is the name of the stand-in for the Copilot's pod.
func PodName(copilot string) string { return desired.Name(copilot) + "-0" }

// pod makes the Copilot's pod from its Deployment, unless it is there.
func (w *World) pod(copilot string) *appsv1.Deployment {
	w.Helper()
	d := &appsv1.Deployment{}
	d.Name = desired.Name(copilot)
	w.Until(d, func() error { return nil })
	pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
	pod.Name, pod.Namespace = PodName(copilot), w.Namespace
	if err := w.Client.Create(w.Context(), pod); !apierrors.IsAlreadyExists(err) {
		w.must(err, "make the pod of "+copilot)
	}
	return d
}

// Run has the Deployment say that its pod is available.
func (w *World) Run(copilot string) {
	w.Helper()
	d := w.pod(copilot)
	before := d.DeepCopy()
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
	}
	w.must(w.Client.Status().Patch(w.Context(), d, client.MergeFrom(before)), "write the status of the Deployment of "+copilot)
}

// Acknowledge has the pod say that it serves the current table.
func (w *World) Acknowledge(copilot string) {
	w.Helper()
	w.pod(copilot)
	w.say(copilot, ac.ReplicaStatus().WithName(PodName(copilot)).WithRevision(w.Current(copilot).Spec.Revision))
}

// Refuse has the pod say that it serves the table of the revision and refuses the current one.
func (w *World) Refuse(copilot, serves, message string) {
	w.Helper()
	w.say(copilot, ac.ReplicaStatus().WithName(PodName(copilot)).WithRevision(serves).
		WithRefused(w.Current(copilot).Spec.Revision).WithMessage(message))
}

// LoseStorage has the pod say that it serves the current table and cannot use its storage.
func (w *World) LoseStorage(copilot, why string) {
	w.Helper()
	w.say(copilot, ac.ReplicaStatus().WithName(PodName(copilot)).WithRevision(w.Current(copilot).Spec.Revision).WithStorageError(why))
}

func (w *World) say(copilot string, entry *ac.ReplicaStatusApplyConfiguration) {
	w.Helper()
	intent := ac.RoutingTable(desired.Name(copilot), w.Namespace).WithStatus(ac.RoutingTableStatus().WithReplicas(entry))
	err := w.Client.Status().Apply(w.Context(), intent, client.FieldOwner(PodName(copilot)), client.ForceOwnership)
	w.must(err, fmt.Sprintf("acknowledge the table of %s", copilot))
}
