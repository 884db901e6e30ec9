package status

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// UseObservation is what the operator knows about an object that Copilots share: a policy or a pool.
type UseObservation struct {
	// Problems of the object, from compiling each Copilot that uses it, or the object alone if none does.
	Problems []routing.Problem
	// Copilots that use the object, sorted by name.
	Copilots []string
}

// HandoffPolicy returns the status of p.
func HandoffPolicy(p *v1alpha1.HandoffPolicy, o UseObservation, now metav1.Time) v1alpha1.HandoffPolicyStatus {
	conditions := useConditions(routing.Object{Kind: "HandoffPolicy", Name: p.Name}, o)
	out := v1alpha1.HandoffPolicyStatus{Copilots: o.Copilots}
	out.ObservedGeneration = p.Generation
	out.Conditions = stamp(p.Status.Conditions, conditions, p.Generation, now)
	return out
}

// AgentPool returns the status of p.
func AgentPool(p *v1alpha1.AgentPool, o UseObservation, now metav1.Time) v1alpha1.AgentPoolStatus {
	conditions := append(useConditions(routing.Object{Kind: "AgentPool", Name: p.Name}, o), shared(o.Copilots))
	out := v1alpha1.AgentPoolStatus{Copilots: o.Copilots, Agents: int32(len(p.Spec.Agents))}
	out.ObservedGeneration = p.Generation
	out.Conditions = stamp(p.Status.Conditions, conditions, p.Generation, now)
	return out
}

func useConditions(object routing.Object, o UseObservation) []metav1.Condition {
	accepted := accepted(o.Problems, object)
	resolved := resolved(o.Problems, object)
	ready := useReady(o, accepted, resolved)
	return append([]metav1.Condition{accepted, resolved, served(o.Problems, object), ready}, progress(ready, false, "", "")...)
}

func useReady(o UseObservation, accepted, resolved metav1.Condition) metav1.Condition {
	const kind = v1alpha1.ConditionReady
	switch {
	case !isTrue(accepted):
		return no(kind, v1alpha1.ReasonNotAccepted, accepted.Message)
	case !isTrue(resolved):
		return no(kind, resolved.Reason, resolved.Message)
	case len(o.Copilots) == 0:
		return yes(kind, v1alpha1.ReasonUnused, "Valid, but no Copilot uses it.")
	}
	return yes(kind, v1alpha1.ReasonReady, "In use by Copilot "+list(o.Copilots)+".")
}

func shared(copilots []string) metav1.Condition {
	if len(copilots) > 1 {
		return yes(v1alpha1.ConditionSharedAcrossCopilots, v1alpha1.ReasonShared, fmt.Sprintf(
			"Copilots %s use this pool and each counts an agent's capacity for itself.", list(copilots)))
	}
	return no(v1alpha1.ConditionSharedAcrossCopilots, v1alpha1.ReasonNotShared, "At most one Copilot uses this pool.")
}

// list spells out the first names and counts the rest.
func list(names []string) string {
	text := strings.Join(names[:min(shown, len(names))], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
