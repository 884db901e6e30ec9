package copilot

import (
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// noteSize is the longest note of an event in bytes. The API server refuses those above 1,024.
const noteSize = 1000

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
		r.Recorder.Eventf(c, nil, corev1.EventTypeNormal, is.Reason, "Serve", "%s", note(is.Message))
	default:
		r.Recorder.Eventf(c, nil, corev1.EventTypeWarning, is.Reason, "Serve", "%s", note(is.Message))
	}
}

// note cuts a message to what fits in an event, never inside a character.
func note(message string) string {
	if len(message) <= noteSize {
		return message
	}
	const more = "…"
	end := noteSize - len(more)
	for !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + more
}
