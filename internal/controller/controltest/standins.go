package controltest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/opencopilot/handoff-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// templateOf is the annotation by which the stand-in for the Deployment controller knows what a pod was made from.
const templateOf = "controltest/template"

// React does once what the rest of a cluster would: the garbage collector deletes what has lost its owner, each Deployment
// has its pods, says so, and each pod acknowledges its table. It reports whether anything was to do.
func (w *World) React() bool {
	w.Helper()
	changed := w.collectGarbage()
	var deployments appsv1.DeploymentList
	w.must(w.Client.List(w.Context(), &deployments, client.InNamespace(w.Namespace)), "list Deployments")
	for i := range deployments.Items {
		pods, made := w.roll(&deployments.Items[i])
		acknowledged := w.acknowledgeAll(deployments.Items[i].Name, pods)
		changed = changed || made || acknowledged
	}
	return changed
}

// collectGarbage deletes objects whose owners are all gone.
func (w *World) collectGarbage() bool {
	w.Helper()
	objects := w.Objects()
	lives := map[types.UID]bool{}
	for _, o := range objects {
		lives[o.GetUID()] = true
	}
	collected := false
	for _, o := range objects {
		owners := o.GetOwnerReferences()
		if len(owners) == 0 {
			continue
		}
		gone := 0
		for _, owner := range owners {
			if !lives[owner.UID] {
				gone++
			}
		}
		if gone == len(owners) {
			w.must(client.IgnoreNotFound(w.Client.Delete(w.Context(), &o, client.GracePeriodSeconds(0))), "collect "+describe(&o))
			collected = true
		}
	}
	return collected
}

// roll gives the Deployment the pods it asks for, each made from its template, and its status.
func (w *World) roll(d *appsv1.Deployment) (pods []string, changed bool) {
	w.Helper()
	raw, err := json.Marshal(d.Spec.Template)
	w.must(err, "read the template of "+d.Name)
	sum := sha256.Sum256(raw)
	hash := hex.EncodeToString(sum[:])
	var have corev1.PodList
	w.must(w.Client.List(w.Context(), &have, client.InNamespace(w.Namespace), client.MatchingLabels(d.Spec.Selector.MatchLabels)), "list pods")
	want := ptr.Deref(d.Spec.Replicas, 1)
	for i := range want {
		pods = append(pods, fmt.Sprintf("%s-%d", d.Name, i))
	}
	made := map[string]bool{}
	for i := range have.Items {
		p := &have.Items[i]
		if slices.Contains(pods, p.Name) && p.Annotations[templateOf] == hash {
			made[p.Name] = true
			continue
		}
		w.must(client.IgnoreNotFound(w.Client.Delete(w.Context(), p, client.GracePeriodSeconds(0))), "delete pod "+p.Name)
		changed = true
	}
	for _, name := range pods {
		if !made[name] {
			p := &corev1.Pod{ObjectMeta: *d.Spec.Template.ObjectMeta.DeepCopy(), Spec: d.Spec.Template.Spec}
			p.Name, p.Namespace = name, w.Namespace
			p.Annotations = map[string]string{templateOf: hash}
			w.must(w.Client.Create(w.Context(), p), "make pod "+name)
			changed = true
		}
	}
	return pods, w.available(d, want) || changed
}

// available has the Deployment say that its pods serve.
func (w *World) available(d *appsv1.Deployment, n int32) bool {
	w.Helper()
	before := d.DeepCopy()
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
	}
	if equality.Semantic.DeepEqual(before.Status, d.Status) {
		return false
	}
	w.must(client.IgnoreNotFound(w.Client.Status().Patch(w.Context(), d, client.MergeFrom(before))), "write the status of Deployment "+d.Name)
	return true
}

// acknowledgeAll has each of the pods acknowledge the table of that name.
func (w *World) acknowledgeAll(name string, pods []string) bool {
	w.Helper()
	var t v1alpha1.RoutingTable
	if err := w.Client.Get(w.Context(), client.ObjectKey{Namespace: w.Namespace, Name: name}, &t); err != nil {
		w.must(client.IgnoreNotFound(err), "read RoutingTable "+name)
		return false
	}
	changed := false
	for _, pod := range pods {
		entry := v1alpha1.ReplicaStatus{Name: pod, Revision: t.Spec.Revision}
		if slices.Contains(t.Status.Replicas, entry) {
			continue
		}
		intent := ac.RoutingTable(name, w.Namespace).WithStatus(ac.RoutingTableStatus().
			WithReplicas(ac.ReplicaStatus().WithName(pod).WithRevision(t.Spec.Revision)))
		err := w.Client.Status().Apply(w.Context(), intent, client.FieldOwner(pod), client.ForceOwnership)
		w.must(client.IgnoreNotFound(err), "acknowledge "+name)
		changed = true
	}
	return changed
}

// Settle lets the operator and the rest of the cluster react to each other until nothing changes any more. It returns
// false if the operator was killed before.
func (w *World) Settle(o *Operator) bool {
	w.Helper()
	for range settleRounds {
		if !o.Rest() {
			return false
		}
		if !w.React() {
			return true
		}
	}
	w.Fatalf("after %d rounds the operator and the cluster still react to each other", settleRounds)
	return false
}

// settleRounds is more than any change takes: children, then pods, then their acknowledgements, then what they were for.
const settleRounds = 20
