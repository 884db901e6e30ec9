package status

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Event is something about an object that a person would want to be told.
type Event struct {
	// Type is Normal or Warning, Action the condition it is about, Reason and Note those of the condition.
	Type, Action, Reason, Note string
}

// faults are the conditions that mistakes in objects turn off.
var faults = []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionResolvedRefs, v1alpha1.ConditionServed}

// Events says what the step from one status to the next is worth telling: a mistake, its correction, and that the object
// became Ready. It follows from what is written in the object, so that a restarted operator repeats nothing. That
// something is under way is not told, nor that an edit ended well.
func Events(before, after []metav1.Condition) []Event {
	var out []Event
	for _, kind := range faults {
		out = append(out, fault(kind, before, after)...)
	}
	is, was := find(v1alpha1.ConditionReady, before, after)
	if isTrue(is) && !isTrue(was) && !isUpdating(before) {
		out = append(out, event(corev1.EventTypeNormal, is))
	}
	return out
}

// CopilotEvents tells of a Copilot in addition that it no longer serves, that a child cannot be written or a table is
// refused, and what becomes of an upgrade.
func CopilotEvents(before, after []metav1.Condition) []Event {
	out := Events(before, after)
	if is, was := find(v1alpha1.ConditionProgrammed, before, after); is.Reason == v1alpha1.ReasonTableRefused && !same(is, was) {
		out = append(out, event(corev1.EventTypeWarning, is))
	}
	if is, was := find(v1alpha1.ConditionReconciling, before, after); is.Reason == v1alpha1.ReasonApplyFailed && !same(is, was) {
		out = append(out, event(corev1.EventTypeWarning, is))
	}
	if is, was := find(v1alpha1.ConditionUpgradable, before, after); is.Reason != "" && was.Reason != "" && is.Reason != was.Reason {
		out = append(out, event(corev1.EventTypeNormal, is))
	}
	if is, was := find(v1alpha1.ConditionReady, before, after); lost(is, was, before, after) {
		out = append(out, event(corev1.EventTypeWarning, is))
	}
	return out
}

// lost says whether Ready is off for a reason of its own that was not told yet. What passes by itself is worth telling
// only where it took service away from customers without anybody's edit.
func lost(is, was metav1.Condition, before, after []metav1.Condition) bool {
	if isTrue(is) || is.Reason == was.Reason && is.Status == was.Status {
		return false
	}
	switch is.Reason {
	case v1alpha1.ReasonNotAccepted, v1alpha1.ReasonNotServed, v1alpha1.ReasonTableRefused, v1alpha1.ReasonApplyFailed:
		return false // another condition tells it
	case v1alpha1.ReasonWaitingForReplicas, v1alpha1.ReasonProgressing:
		return isTrue(was) && !isUpdating(after)
	}
	return true
}

// fault tells that a condition went off, or is off for another reason, or is on again.
func fault(kind string, before, after []metav1.Condition) []Event {
	is, was := find(kind, before, after)
	switch {
	case is.Status == metav1.ConditionFalse && !same(is, was):
		return []Event{event(corev1.EventTypeWarning, is)}
	case isTrue(is) && was.Status == metav1.ConditionFalse:
		return []Event{event(corev1.EventTypeNormal, is)}
	}
	return nil
}

func event(kind string, c metav1.Condition) Event {
	return Event{Type: kind, Action: c.Type, Reason: c.Reason, Note: c.Message}
}

// find returns a condition of after and what it was before; one that was not there is empty.
func find(kind string, before, after []metav1.Condition) (is, was metav1.Condition) {
	for _, c := range after {
		if c.Type == kind {
			is = c
		}
	}
	for _, c := range before {
		if c.Type == kind {
			was = c
		}
	}
	return is, was
}

func same(a, b metav1.Condition) bool {
	return a.Status == b.Status && a.Reason == b.Reason && a.Message == b.Message
}

func isUpdating(conditions []metav1.Condition) bool {
	return slices.ContainsFunc(conditions, func(c metav1.Condition) bool {
		return c.Type == v1alpha1.ConditionReconciling && isTrue(c) && c.Reason == v1alpha1.ReasonUpdating
	})
}
