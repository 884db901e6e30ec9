package status

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// CopilotObservation is what the operator knows about a Copilot when it writes its status.
type CopilotObservation struct {
	// Problems and Table are what Compile returned: no Table for a Copilot that is not Accepted.
	Problems []routing.Problem
	Table    *routing.Table
	// Before says that a table of an earlier spec is still being served.
	Before bool
	// ApplyError is why a child could not be written, or nil. It is tried again.
	ApplyError error
	// Reachable says that the Service is there, and the operator's.
	Reachable bool
	// Pods are the runtime pods that live: those neither ended nor about to be deleted.
	Pods []string
	// Troubles are why pods cannot start, each once, sorted.
	Troubles []string
	// Acks are the entries of the RoutingTable's status.
	Acks []v1alpha1.ReplicaStatus
	// Desired is how many replicas are asked for, Available how many are ready to serve.
	Desired, Available int32
	// RolledOut says that every pod is of the current template.
	RolledOut bool
	// Upgrade is what the operator's release has for the runtime.
	Upgrade Upgrade
	// RuntimeImage is the image that the Deployment names, Selector what selects its pods.
	RuntimeImage, Selector string
	// URL under which customers reach the runtime from outside the cluster, or empty.
	URL string
}

// Copilot returns the status of c.
func Copilot(c *v1alpha1.Copilot, o CopilotObservation, now metav1.Time) v1alpha1.CopilotStatus {
	object := routing.Object{Kind: "Copilot", Name: c.Name}
	out := v1alpha1.CopilotStatus{Replicas: int32(len(o.Pods)), Selector: o.Selector, RuntimeImage: o.RuntimeImage, URL: o.URL}
	if o.Table != nil {
		out.TableRevision = routing.Revision(o.Table)
		out.Channels = int32(len(o.Table.Channels))
		out.Acknowledged = int32(len(acknowledged(o, out.TableRevision)))
	}
	accepted := accepted(o.Problems, object)
	programmed := programmed(o, accepted, out.TableRevision)
	resolved := resolved(o.Problems, object)
	ready := withMissing(copilotReady(o, accepted, programmed), resolved)
	reason, doing := work(o)
	edited := c.Status.TableRevision != out.TableRevision || c.Status.ObservedGeneration != c.Generation
	conditions := append([]metav1.Condition{
		accepted, resolved, served(o.Problems, object), programmed, ready,
	}, progress(ready, returns(c.Status.Conditions, edited), reason, doing)...)
	conditions = append(conditions, upgradable(o.Upgrade)...)
	out.ObservedGeneration = c.Generation
	out.Conditions = stamp(c.Status.Conditions, conditions, c.Generation, now)
	return out
}

// work is what goes on, also where the Copilot is Ready: reason and message.
func work(o CopilotObservation) (reason, message string) {
	switch {
	case o.ApplyError != nil:
		return v1alpha1.ReasonApplyFailed, "This is tried again: " + o.ApplyError.Error()
	case !o.RolledOut && len(o.Troubles) > 0:
		return v1alpha1.ReasonPodFailing, podFailing(o)
	case !o.RolledOut:
		return v1alpha1.ReasonProgressing, "The runtime is being rolled out."
	}
	return "", ""
}

func acknowledged(o CopilotObservation, revision string) []v1alpha1.ReplicaStatus {
	return acks(o, func(r v1alpha1.ReplicaStatus) bool { return r.Revision == revision })
}

func withoutStorage(o CopilotObservation) []v1alpha1.ReplicaStatus {
	return acks(o, func(r v1alpha1.ReplicaStatus) bool { return r.StorageError != "" })
}

// acks are those of the pods that live.
func acks(o CopilotObservation, fits func(v1alpha1.ReplicaStatus) bool) []v1alpha1.ReplicaStatus {
	live := map[string]bool{}
	for _, name := range o.Pods {
		live[name] = true
	}
	var out []v1alpha1.ReplicaStatus
	for _, r := range o.Acks {
		if live[r.Name] && fits(r) {
			out = append(out, r)
		}
	}
	return out
}

func programmed(o CopilotObservation, accepted metav1.Condition, revision string) metav1.Condition {
	const kind = v1alpha1.ConditionProgrammed
	if o.Table == nil {
		return no(kind, v1alpha1.ReasonNotAccepted, kept(o, accepted.Message))
	}
	refused := acks(o, func(r v1alpha1.ReplicaStatus) bool { return r.Refused == revision })
	if len(refused) > 0 {
		return no(kind, v1alpha1.ReasonTableRefused, fmt.Sprintf(
			"%d of %d replicas refused the routing table and keep serving the one before: %s",
			len(refused), len(o.Pods), refused[0].Message))
	}
	done, pods := int32(len(acknowledged(o, revision))), int32(len(o.Pods))
	switch behind := done < pods || done < o.Desired; {
	case behind && len(o.Troubles) > 0:
		return no(kind, v1alpha1.ReasonPodFailing, podFailing(o))
	case behind:
		return no(kind, v1alpha1.ReasonWaitingForReplicas, fmt.Sprintf(
			"%d of %d replicas acknowledged the current routing table.", done, max(pods, o.Desired)))
	}
	return yes(kind, v1alpha1.ReasonProgrammed, "Every replica acknowledged the current routing table.")
}

// copilotReady does not turn off for a child that cannot be written while customers are served: most such errors pass.
// Where customers wait for something, that child is why.
func copilotReady(o CopilotObservation, accepted, programmed metav1.Condition) metav1.Condition {
	ready := serves(o, accepted, programmed)
	if o.ApplyError != nil && !isTrue(ready) && !stalls(ready.Reason) {
		return no(ready.Type, v1alpha1.ReasonApplyFailed, o.ApplyError.Error())
	}
	return ready
}

// withMissing adds to Ready, which is what people look at, what the Copilot names and does not exist. It may be why its
// pods do not start, and is to be mended also where customers are served.
func withMissing(ready, resolved metav1.Condition) metav1.Condition {
	if !isTrue(resolved) && !stalls(ready.Reason) {
		ready.Message += " Something it names is missing: " + resolved.Message
	}
	return ready
}

func serves(o CopilotObservation, accepted, programmed metav1.Condition) metav1.Condition {
	const kind = v1alpha1.ConditionReady
	switch {
	case o.Table == nil:
		return no(kind, v1alpha1.ReasonNotAccepted, kept(o, accepted.Message))
	case o.Desired == 0:
		return no(kind, v1alpha1.ReasonScaledToZero, "spec.runtime.replicas: 0 replicas serve nobody: set 1 or more.")
	case !isTrue(programmed):
		return no(kind, programmed.Reason, programmed.Message)
	case len(withoutStorage(o)) > 0:
		without := withoutStorage(o)
		return no(kind, v1alpha1.ReasonStorageUnavailable, fmt.Sprintf(
			"%d of %d replicas cannot use the storage and tell customers to try again: %s", len(without), len(o.Pods), without[0].StorageError))
	case o.Available < o.Desired && len(o.Troubles) > 0:
		return no(kind, v1alpha1.ReasonPodFailing, podFailing(o))
	case o.Available < o.Desired:
		return no(kind, v1alpha1.ReasonProgressing, fmt.Sprintf("%d of %d replicas are available.", o.Available, o.Desired))
	case !o.Reachable:
		return no(kind, v1alpha1.ReasonProgressing, "There is no Service yet under which customers reach the runtime.")
	}
	return yes(kind, v1alpha1.ReasonReady, "Customers are served.")
}

func podFailing(o CopilotObservation) string {
	return "A pod of the runtime cannot start: " + strings.Join(o.Troubles, "; and another: ") + "."
}

// kept adds to why what became of the tenant.
func kept(o CopilotObservation, why string) string {
	if o.Before {
		return why + " (customers are still served by the routing table from before)"
	}
	return why
}
