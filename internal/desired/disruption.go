package desired

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyac "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// several says whether more than one replica may run. For a single one a budget would only stop nodes from being drained.
func several(c *v1alpha1.Copilot) bool {
	n := Replicas(c)
	return n == nil || *n > 1
}

// disruptionBudget lets a drain take one replica at a time, and always one that does not serve.
func disruptionBudget(in Input) runtime.ApplyConfiguration {
	return policyac.PodDisruptionBudget(Name(in.Copilot.Name), in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithSpec(policyac.PodDisruptionBudgetSpec().
			WithSelector(metaac.LabelSelector().WithMatchLabels(Selector(in.Copilot.Name))).
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow))
}
