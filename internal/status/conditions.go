// Package status says what an object's status is, from the compiler's problems and what was observed in the cluster.
//
// Its functions are pure: the time is an argument, and a condition keeps its lastTransitionTime until its status moves.
// Ready, Reconciling and Stalled follow kstatus; Reconciling and Stalled are abnormal-true.
package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// longest message that the API server takes.
const longest = 32768

// shown is how many problems a condition's message spells out. More would hide the first, which is the one to mend.
const shown = 5

// yes and no make conditions.
func yes(kind, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message}
}

func no(kind, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionFalse, Reason: reason, Message: message}
}

func isTrue(c metav1.Condition) bool { return c.Status == metav1.ConditionTrue }

// stamp gives the conditions the generation and the time since which each has its status.
func stamp(before, conditions []metav1.Condition, generation int64, now metav1.Time) []metav1.Condition {
	for i := range conditions {
		c := &conditions[i]
		c.ObservedGeneration = generation
		c.Message = Shorten(c.Message, longest)
		c.LastTransitionTime = now
		for _, b := range before {
			if b.Type == c.Type && b.Status == c.Status {
				c.LastTransitionTime = b.LastTransitionTime
			}
		}
	}
	return conditions
}

// Shorten cuts a text to at most size bytes, never inside a character, and shows with "…" that it did.
func Shorten(text string, size int) string {
	if len(text) <= size {
		return text
	}
	const more = "…"
	end := size - len(more)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}

// about keeps the problems of one object that turn off one condition, each once.
func about(problems []routing.Problem, o routing.Object, condition string) []routing.Problem {
	var out []routing.Problem
	for _, p := range problems {
		if p.Object == o && p.Condition == condition && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// judge is the condition that problems leave of kind: good if there is none.
func judge(kind string, problems []routing.Problem, good, message string) metav1.Condition {
	if len(problems) == 0 {
		return yes(kind, good, message)
	}
	return no(kind, problems[0].Reason, spell(problems))
}

func spell(problems []routing.Problem) string {
	var texts []string
	for _, p := range problems[:min(shown, len(problems))] {
		texts = append(texts, p.Field+": "+p.Message)
	}
	text := strings.Join(texts, "; ")
	if more := len(problems) - shown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func accepted(problems []routing.Problem, o routing.Object) metav1.Condition {
	return judge(v1alpha1.ConditionAccepted, about(problems, o, v1alpha1.ConditionAccepted),
		v1alpha1.ReasonAccepted, "The object is valid.")
}

func resolved(problems []routing.Problem, o routing.Object) metav1.Condition {
	return judge(v1alpha1.ConditionResolvedRefs, about(problems, o, v1alpha1.ConditionResolvedRefs),
		v1alpha1.ReasonResolved, "Everything the object names exists.")
}

func served(problems []routing.Problem, o routing.Object) metav1.Condition {
	return judge(v1alpha1.ConditionServed, about(problems, o, v1alpha1.ConditionServed),
		v1alpha1.ReasonServed, "This release serves every part of the spec.")
}

// progress derives the abnormal-true conditions. reason and busy say what goes on, also where the object is Ready; they
// are empty if nothing does and Ready says enough. returning says that the object is on its way back to Ready.
func progress(ready metav1.Condition, returning bool, reason, busy string) []metav1.Condition {
	reconciling := no(v1alpha1.ConditionReconciling, v1alpha1.ReasonSettled, "Nothing is being worked on.")
	stalled := no(v1alpha1.ConditionStalled, v1alpha1.ReasonSettled, "Nothing waits for somebody to edit an object.")
	if returning && passes(ready) && reason != v1alpha1.ReasonApplyFailed {
		reason = v1alpha1.ReasonUpdating
	}
	switch {
	case isTrue(ready) && busy != "":
		reconciling = yes(v1alpha1.ConditionReconciling, reason, busy)
	case isTrue(ready):
	case stalls(ready.Reason):
		stalled = yes(v1alpha1.ConditionStalled, ready.Reason, ready.Message)
	default:
		reconciling = yes(v1alpha1.ConditionReconciling, cmp.Or(reason, v1alpha1.ReasonProgressing), ready.Message)
	}
	return []metav1.Condition{reconciling, stalled}
}

// returns says whether an object was Ready before an edit, and nothing but that edit has kept it from Ready since. before
// are its conditions until now.
func returns(before []metav1.Condition, edited bool) bool {
	return edited && meta.IsStatusConditionTrue(before, v1alpha1.ConditionReady) || isUpdating(before)
}

// passes tells the states of Ready that an edit goes through.
func passes(ready metav1.Condition) bool {
	switch ready.Reason {
	case v1alpha1.ReasonReady, v1alpha1.ReasonWaitingForReplicas, v1alpha1.ReasonProgressing, v1alpha1.ReasonCopilotNotReady:
		return true
	}
	return false
}

// stalls tells the reasons that only an edit or another release removes from those that heal by themselves.
func stalls(reason string) bool {
	switch reason {
	case v1alpha1.ReasonNotAccepted, v1alpha1.ReasonNotServed, v1alpha1.ReasonTableRefused, v1alpha1.ReasonScaledToZero:
		return true
	}
	return false
}
