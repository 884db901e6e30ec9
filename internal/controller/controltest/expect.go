package controltest

import (
	"fmt"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// StatusOf returns what the kinds that users write have in common.
func StatusOf(o client.Object) v1alpha1.CommonStatus {
	switch o := o.(type) {
	case *v1alpha1.Copilot:
		return o.Status.CommonStatus
	case *v1alpha1.Channel:
		return o.Status.CommonStatus
	case *v1alpha1.HandoffPolicy:
		return o.Status.CommonStatus
	case *v1alpha1.AgentPool:
		return o.Status.CommonStatus
	}
	panic(fmt.Sprintf("%T has no conditions", o))
}

// ExpectCondition waits until the current generation of the object that o names has the condition with the status, the
// reason and a message that contains every one of says.
func (w *World) ExpectCondition(o client.Object, kind string, is metav1.ConditionStatus, reason string, says ...string) {
	w.Helper()
	w.Until(o, func() error {
		s := StatusOf(o)
		if s.ObservedGeneration != o.GetGeneration() {
			return fmt.Errorf("generation %d was observed and %d is current", s.ObservedGeneration, o.GetGeneration())
		}
		c := meta.FindStatusCondition(s.Conditions, kind)
		if c == nil {
			return fmt.Errorf("it has no condition %s", kind)
		}
		if c.Status != is || c.Reason != reason || c.ObservedGeneration != o.GetGeneration() {
			return fmt.Errorf("want %s=%s/%s, have %s/%s: %s", kind, is, reason, c.Status, c.Reason, c.Message)
		}
		for _, s := range says {
			if !strings.Contains(c.Message, s) {
				return fmt.Errorf("the message of %s lacks %q: %s", kind, s, c.Message)
			}
		}
		return nil
	})
}

// ExpectAccepted waits until each object is Accepted.
func (w *World) ExpectAccepted(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		w.ExpectCondition(o, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted)
	}
}

// ExpectReady waits until each object is Ready, and kstatus must call it current.
func (w *World) ExpectReady(objects ...client.Object) {
	w.Helper()
	for _, o := range objects {
		w.ExpectCondition(o, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
		w.ExpectKstatus(o, status.CurrentStatus)
	}
}

// ExpectKstatus asserts what kstatus makes of the object that was last read into o.
func (w *World) ExpectKstatus(o client.Object, want status.Status) {
	w.Helper()
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	w.must(err, "convert "+describe(o))
	u := &unstructured.Unstructured{Object: raw}
	gvk, err := apiutil.GVKForObject(o, w.Client.Scheme())
	w.must(err, "kind")
	u.SetGroupVersionKind(gvk)
	have, err := status.Compute(u)
	w.must(err, "kstatus of "+describe(o))
	if have.Status != want {
		w.Fatalf("kstatus calls %s %s (%s), want %s", describe(o), have.Status, have.Message, want)
	}
}
