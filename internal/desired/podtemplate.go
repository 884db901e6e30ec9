package desired

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// podTemplate is the operator's template with what the Copilot sets of it merged over, as kubectl's strategic merge does:
// containers, variables and volumes by name, mounts by path, maps by key; other lists are replaced.
func podTemplate(in Input) (*coreac.PodTemplateSpecApplyConfiguration, error) {
	base := coreac.PodTemplateSpec().
		WithAnnotations(map[string]string{"kubectl.kubernetes.io/default-container": container}).
		WithSpec(pod(in))
	merged, err := merge(base, in.Copilot)
	if err != nil {
		return nil, fmt.Errorf("merge spec.runtime.podTemplate of Copilot %s/%s: %w", in.Copilot.Namespace, in.Copilot.Name, err)
	}
	// Last, since without them the pod is not the Deployment's.
	return merged.WithLabels(Labels(in.Copilot.Name)), nil
}

func merge(base *coreac.PodTemplateSpecApplyConfiguration, c *v1alpha1.Copilot) (*coreac.PodTemplateSpecApplyConfiguration, error) {
	if c.Spec.Runtime == nil || c.Spec.Runtime.PodTemplate == nil {
		return base, nil
	}
	ours, err := json.Marshal(base)
	if err != nil {
		return nil, err
	}
	theirs, err := json.Marshal(c.Spec.Runtime.PodTemplate)
	if err != nil {
		return nil, err
	}
	both, err := strategicpatch.StrategicMergePatch(ours, theirs, corev1.PodTemplateSpec{})
	if err != nil {
		return nil, err
	}
	out := coreac.PodTemplateSpec()
	return out, json.Unmarshal(both, out)
}
