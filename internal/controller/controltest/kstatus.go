package controltest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// followKstatus fails the test at any state of any object of ours in which kstatus would tell people, Flux or
// `kubectl wait` something else than the object's conditions say. Benchmarks are spared it.
func (w *World) followKstatus() {
	w.Helper()
	if _, ok := w.TB.(*testing.T); !ok {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	for _, kind := range []string{"Copilot", "Channel", "HandoffPolicy", "AgentPool", "RoutingTable"} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
		events, err := w.Client.Watch(ctx, list, client.InNamespace(w.Namespace))
		w.must(err, "follow every "+kind)
		following.Go(func() {
			for e := range events.ResultChan() {
				if u, ok := e.Object.(*unstructured.Unstructured); ok && (e.Type == watch.Added || e.Type == watch.Modified) {
					if err := CheckKstatus(u); err != nil {
						w.Errorf("%s %s: %v", u.GetKind(), u.GetName(), err)
					}
				}
			}
		})
	}
	w.Cleanup(func() { cancel(); following.Wait() })
}

// CheckKstatus returns an error where kstatus reads an object of ours differently from what its conditions say. A
// RoutingTable has no conditions: it is current as soon as it is there, and its Copilot says who serves it.
func CheckKstatus(u *unstructured.Unstructured) error {
	have, err := status.Compute(u)
	if err != nil {
		return fmt.Errorf("kstatus: %w", err)
	}
	want := status.CurrentStatus
	if u.GetKind() != "RoutingTable" {
		var o struct {
			Status v1alpha1.CommonStatus `json:"status"`
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &o); err != nil {
			return fmt.Errorf("read its conditions: %w", err)
		}
		if want, err = meaning(o.Status, u.GetGeneration()); err != nil {
			return err
		}
	}
	if u.GetDeletionTimestamp() != nil {
		want = status.TerminatingStatus
	}
	if have.Status != want {
		return fmt.Errorf("kstatus calls it %s (%s), its conditions %s", have.Status, have.Message, want)
	}
	return nil
}

// meaning is what the conditions say about an object whose spec has the generation.
func meaning(s v1alpha1.CommonStatus, generation int64) (status.Status, error) {
	is := func(kind string) bool { return meta.IsStatusConditionTrue(s.Conditions, kind) }
	switch {
	case s.ObservedGeneration < generation:
		return status.InProgressStatus, nil
	case meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady) == nil:
		return "", fmt.Errorf("it has no condition Ready")
	case is(v1alpha1.ConditionStalled) && (is(v1alpha1.ConditionReconciling) || is(v1alpha1.ConditionReady)):
		return "", fmt.Errorf("it is Stalled and also Ready or Reconciling")
	case is(v1alpha1.ConditionStalled):
		return status.FailedStatus, nil
	case is(v1alpha1.ConditionReconciling), !is(v1alpha1.ConditionReady):
		return status.InProgressStatus, nil
	}
	for _, c := range s.Conditions {
		if c.ObservedGeneration != generation {
			return "", fmt.Errorf("%s speaks of generation %d, and %d is observed", c.Type, c.ObservedGeneration, generation)
		}
	}
	return status.CurrentStatus, nil
}
