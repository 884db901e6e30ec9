package routing

import (
	"fmt"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// mapUse is one place where an object names a ConfigMap.
type mapUse struct{ field, configMap string }

// volumeSecret ends the field of a volume's Secret, which Kubernetes spells in a way of its own.
const volumeSecret = ".secret"

// nameField and keyField are the fields of a reference that hold the Secret's name and its key.
func nameField(reference string) string {
	if strings.HasSuffix(reference, volumeSecret) {
		return reference + ".secretName"
	}
	return reference + ".name"
}

func keyField(reference string) string {
	if strings.HasSuffix(reference, volumeSecret) {
		return reference + ".items"
	}
	return reference + ".key"
}

// podSecrets and podConfigMaps are those that the pod template names. The kubelet reads them, and starts no pod without
// those that are not optional; whether a ConfigMap has a key it tells itself.
func podSecrets(s *v1alpha1.CopilotSpec) []use {
	pod, field := podSpec(s)
	var uses []use
	for i, v := range pod.Volumes {
		if v.Secret == nil || ptr.Deref(v.Secret.Optional, false) {
			continue
		}
		at := fmt.Sprintf("%s.volumes[%d]%s", field, i, volumeSecret)
		uses = append(uses, use{field: at, secret: v.Secret.SecretName})
		for _, item := range v.Secret.Items {
			uses = append(uses, use{at, v.Secret.SecretName, item.Key})
		}
	}
	for i, c := range pod.Containers {
		for j, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil && !ptr.Deref(e.ValueFrom.SecretKeyRef.Optional, false) {
				ref := e.ValueFrom.SecretKeyRef
				uses = append(uses, use{fmt.Sprintf("%s.containers[%d].env[%d].valueFrom.secretKeyRef", field, i, j), ref.Name, ref.Key})
			}
		}
	}
	return uses
}

func podConfigMaps(s *v1alpha1.CopilotSpec) []mapUse {
	pod, field := podSpec(s)
	var uses []mapUse
	for i, v := range pod.Volumes {
		if v.ConfigMap != nil && !ptr.Deref(v.ConfigMap.Optional, false) {
			uses = append(uses, mapUse{fmt.Sprintf("%s.volumes[%d].configMap.name", field, i), v.ConfigMap.Name})
		}
	}
	for i, c := range pod.Containers {
		for j, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil && !ptr.Deref(e.ValueFrom.ConfigMapKeyRef.Optional, false) {
				uses = append(uses, mapUse{fmt.Sprintf("%s.containers[%d].env[%d].valueFrom.configMapKeyRef.name", field, i, j), e.ValueFrom.ConfigMapKeyRef.Name})
			}
		}
	}
	return uses
}

// podSpec is the pod template's, empty if there is none, and its field.
func podSpec(s *v1alpha1.CopilotSpec) (v1alpha1.PodSpec, string) {
	const field = "spec.runtime.podTemplate.spec"
	if s.Runtime == nil || s.Runtime.PodTemplate == nil || s.Runtime.PodTemplate.Spec == nil {
		return v1alpha1.PodSpec{}, field
	}
	return *s.Runtime.PodTemplate.Spec, field
}

// resolvePod reports ConfigMaps of the pod template that do not exist.
func (r *report) resolvePod(s *v1alpha1.CopilotSpec, configMaps map[string]Keys) {
	for _, u := range podConfigMaps(s) {
		if configMaps[u.configMap] == nil {
			r.notFound(u.field, "there is no ConfigMap %q in this namespace; create it or correct the name. Until then no new pod starts", u.configMap)
		}
	}
}
