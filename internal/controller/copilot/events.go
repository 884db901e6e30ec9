package copilot

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// tell records what a person would want to be told: that the Copilot serves, or what keeps it from it. That something
// is under way is neither. The recorder counts repetitions instead of writing each.
func (r *Reconciler) tell(c *v1alpha1.Copilot, before, after []metav1.Condition) {
	was := meta.FindStatusCondition(before, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	if was != nil && was.Reason == is.Reason {
		return
	}
	switch {
	case is.Reason == v1alpha1.ReasonWaitingForReplicas, is.Reason == v1alpha1.ReasonProgressing:
	case is.Status == metav1.ConditionTrue:
		r.Recorder.Eventf(c, nil, corev1.EventTypeNormal, is.Reason, "Serve", "%s", is.Message)
	default:
		r.Recorder.Eventf(c, nil, corev1.EventTypeWarning, is.Reason, "Serve", "%s", is.Message)
	}
}
