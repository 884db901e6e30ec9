package copilot

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// observe adds to o what the children and the runtime's pods say.
func (r *Reconciler) observe(ctx context.Context, c *v1alpha1.Copilot, o *status.CopilotObservation) error {
	key := types.NamespacedName{Namespace: c.Namespace, Name: desired.Name(c.Name)}
	o.Selector = labels.Set(desired.Selector(c.Name)).String()
	pods, err := r.pods(ctx, c)
	if err != nil {
		return err
	}
	for i := range pods {
		o.Pods = append(o.Pods, pods[i].Name)
	}

	var d appsv1.Deployment
	switch err := r.Client.Get(ctx, key, &d); {
	case err == nil:
		o.Available, o.RolledOut = d.Status.AvailableReplicas, rolledOut(&d)
		o.RuntimeImage = runtimeImage(&d)
		if desired.Replicas(c) == nil { // whoever scales the Deployment says how many
			o.Desired = ptr.Deref(d.Spec.Replicas, 1)
		}
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("read Deployment %s: %w", key, err)
	}
	o.Troubles = troubles(&d, pods, c.Spec.Runtime)

	// The cache does not show a Service of that name that is somebody else's.
	switch err := r.Client.Get(ctx, key, &corev1.Service{}); {
	case err == nil:
		o.Reachable = true
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("read Service %s: %w", key, err)
	}

	var t v1alpha1.RoutingTable
	switch err := r.Client.Get(ctx, key, &t); {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("read RoutingTable %s: %w", key, err)
	}
	o.Before, o.Acks = true, t.Status.Replicas
	return r.forgetGone(ctx, &t, o.Pods)
}

// pods are the runtime pods that live. The cache leaves out those that ended, and most of each pod: see TrimPod.
func (r *Reconciler) pods(ctx context.Context, c *v1alpha1.Copilot) ([]corev1.Pod, error) {
	var list corev1.PodList
	if err := r.Client.List(ctx, &list, client.InNamespace(c.Namespace),
		client.MatchingLabels{desired.LabelCopilot: desired.LabelValue(c.Name)}); err != nil {
		return nil, fmt.Errorf("list the runtime pods of Copilot %s/%s: %w", c.Namespace, c.Name, err)
	}
	return slices.DeleteFunc(list.Items, func(p corev1.Pod) bool { return !p.DeletionTimestamp.IsZero() }), nil
}

// troubles are why d cannot make pods or its pods cannot start.
func troubles(d *appsv1.Deployment, pods []corev1.Pod, spec *v1alpha1.Runtime) []string {
	all := []string{status.CreationTrouble(d)}
	for i := range pods {
		all = append(all, status.PodTrouble(&pods[i], spec))
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.Sort(all)
	return slices.Compact(all)
}

func runtimeImage(d *appsv1.Deployment) string {
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name == desired.Container {
			return c.Image
		}
	}
	return ""
}

func rolledOut(d *appsv1.Deployment) bool {
	want := ptr.Deref(d.Spec.Replicas, 1)
	return d.Status.ObservedGeneration >= d.Generation &&
		d.Status.UpdatedReplicas == want && d.Status.Replicas == want
}

// forgetGone removes the entries of pods that no longer exist from the table's status. A pod that the cache does not
// show may be newer than the cache, so the API server is asked before a live pod's acknowledgement would be lost.
func (r *Reconciler) forgetGone(ctx context.Context, t *v1alpha1.RoutingTable, pods []string) error {
	known := map[string]bool{}
	for _, name := range pods {
		known[name] = true
	}
	before := t.DeepCopy()
	var kept []v1alpha1.ReplicaStatus
	for _, entry := range t.Status.Replicas {
		lives := known[entry.Name]
		if !lives {
			var err error
			if lives, err = r.exists(ctx, t.Namespace, entry.Name); err != nil {
				return err
			}
		}
		if lives {
			kept = append(kept, entry)
		}
	}
	if len(kept) == len(t.Status.Replicas) {
		return nil
	}
	t.Status.Replicas = kept
	// The lock keeps an acknowledgement that arrived meanwhile; its event brings us back here.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Status().Patch(ctx, t, patch); client.IgnoreNotFound(err) != nil && !apierrors.IsConflict(err) {
		return fmt.Errorf("remove the entries of gone pods from RoutingTable %s/%s: %w", t.Namespace, t.Name, err)
	}
	return nil
}

func (r *Reconciler) exists(ctx context.Context, namespace, name string) (bool, error) {
	pod := &metav1.PartialObjectMetadata{}
	pod.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	err := r.Uncached.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, pod)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether Pod %s/%s is gone: %w", namespace, name, err)
	}
	return true, nil
}
