package status

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// ChannelObservation is what the operator knows about a Channel when it writes its status.
type ChannelObservation struct {
	// Copilot that the Channel names, or nil if there is none.
	Copilot *v1alpha1.Copilot
	// Problems of the Channel, and the Table that Compile returned for the Copilot, with its Revision.
	Problems []routing.Problem
	Table    *routing.Table
	Revision string
	// Token of a Web channel, and Address at which the Copilot is served.
	Token, Address string
}

// Channel returns the status of ch.
func Channel(ch *v1alpha1.Channel, o ChannelObservation, now metav1.Time) v1alpha1.ChannelStatus {
	out := v1alpha1.ChannelStatus{Token: o.Token}
	object := routing.Object{Kind: "Channel", Name: ch.Name}
	accepted, resolved, served := accepted(o.Problems, object), resolved(o.Problems, object), served(o.Problems, object)
	programmed := channelProgrammed(ch, o, accepted, served)
	ready := channelReady(o, programmed)
	if carried(ch, o.Table) {
		out.Address = o.Address
	}
	// A Channel without a fault of its own follows its Copilot, which tells what happened, unless that goes nowhere.
	back := returns(ch.Status.Conditions, o.Copilot != nil) && !stalled(o.Copilot)
	conditions := append([]metav1.Condition{accepted, resolved, served, programmed, ready}, progress(ready, back, "", "")...)
	out.ObservedGeneration = ch.Generation
	out.Conditions = stamp(ch.Status.Conditions, conditions, ch.Generation, now)
	return out
}

// carried says whether the Channel is part of the table.
func carried(ch *v1alpha1.Channel, t *routing.Table) bool {
	if t == nil {
		return false
	}
	for i := range t.Channels {
		if t.Channels[i].Name == ch.Name {
			return true
		}
	}
	return false
}

func channelProgrammed(ch *v1alpha1.Channel, o ChannelObservation, accepted, served metav1.Condition) metav1.Condition {
	const kind = v1alpha1.ConditionProgrammed
	switch {
	case !isTrue(accepted):
		return no(kind, v1alpha1.ReasonNotAccepted, accepted.Message)
	case ch.Spec.Type != v1alpha1.ChannelTypeWeb:
		return no(kind, v1alpha1.ReasonNotServed, served.Message)
	case o.Copilot == nil:
		return no(kind, v1alpha1.ReasonNotFound, fmt.Sprintf("Copilot %q does not exist.", ch.Spec.CopilotRef.Name))
	case o.Table == nil:
		return no(kind, v1alpha1.ReasonCopilotNotReady, fmt.Sprintf("Copilot %q is not Accepted.", o.Copilot.Name))
	case o.Copilot.Status.TableRevision != o.Revision:
		return no(kind, v1alpha1.ReasonWaitingForReplicas, "The routing table is being published.")
	}
	of := meta.FindStatusCondition(o.Copilot.Status.Conditions, kind)
	if of == nil || !isTrue(*of) {
		return no(kind, reasonOf(of, v1alpha1.ReasonWaitingForReplicas), messageOf(of))
	}
	return yes(kind, v1alpha1.ReasonProgrammed, "Every replica acknowledged the routing table with this Channel.")
}

func channelReady(o ChannelObservation, programmed metav1.Condition) metav1.Condition {
	const kind = v1alpha1.ConditionReady
	if !isTrue(programmed) {
		return no(kind, programmed.Reason, programmed.Message)
	}
	of := meta.FindStatusCondition(o.Copilot.Status.Conditions, kind)
	if of == nil || !isTrue(*of) {
		return no(kind, v1alpha1.ReasonCopilotNotReady, fmt.Sprintf("Copilot %q is not Ready: %s", o.Copilot.Name, messageOf(of)))
	}
	return yes(kind, v1alpha1.ReasonReady, "Customers are served.")
}

func stalled(c *v1alpha1.Copilot) bool {
	return c != nil && meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionStalled)
}

func reasonOf(c *metav1.Condition, otherwise string) string {
	if c == nil {
		return otherwise
	}
	return c.Reason
}

func messageOf(c *metav1.Condition) string {
	if c == nil {
		return "The operator has not looked at the Copilot yet."
	}
	return c.Message
}
