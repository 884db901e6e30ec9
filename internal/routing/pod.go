package routing

import (
	"slices"
	"strings"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

const podAt = "spec.runtime.podTemplate."

// ours begins the labels and annotations that belong to the operator.
const ours = "handoff.opencopilot.so/"

// pod reports what a pod template cannot set, as the rules of api/v1alpha1 do.
func (r *report) pod(p *v1alpha1.PodTemplate) {
	if p == nil {
		return
	}
	if m := p.Metadata; m != nil {
		r.metadata(m)
	}
	s := p.Spec
	if s == nil {
		return
	}
	r.objectName(podAt+"spec.priorityClassName", s.PriorityClassName)
	if s.RuntimeClassName != nil {
		r.objectName(podAt+"spec.runtimeClassName", *s.RuntimeClassName)
	}
	if c := s.SecurityContext; c != nil && c.RunAsUser != nil && *c.RunAsUser < 1 {
		r.invalid(podAt+"spec.securityContext.runAsUser", "%d must be at least 1; root is not allowed", *c.RunAsUser)
	}
	seen := names{}
	for i, v := range s.Volumes {
		seen.fresh(r, podAt+"spec.volumes", i, v.Name)
		r.podVolume(index(podAt+"spec.volumes", i), v)
	}
	for i, c := range s.Containers {
		r.container(index(podAt+"spec.containers", i), c, s.Volumes)
	}
}

func (r *report) metadata(m *v1alpha1.PodMetadata) {
	own := []string{"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/managed-by"}
	for k := range m.Labels {
		if slices.Contains(own, k) || strings.HasPrefix(k, ours) {
			r.invalid(podAt+"metadata.labels", "labels app.kubernetes.io/name, instance and managed-by and those of %s belong to the operator; remove them", ours)
			break
		}
	}
	for k := range m.Annotations {
		if strings.HasPrefix(k, ours) {
			r.invalid(podAt+"metadata.annotations", "annotations of %s belong to the operator; remove them", ours)
			break
		}
	}
}

func (r *report) podVolume(field string, v v1alpha1.PodVolume) {
	switch {
	case (v.ConfigMap != nil) == (v.Secret != nil):
		r.invalid(field, "volume %q needs one of configMap and secret", v.Name)
	case v.ConfigMap != nil && v.ConfigMap.Name == "":
		r.invalid(field+".configMap", "volume %q names no ConfigMap; set configMap: {name: ...}", v.Name)
	case v.Secret != nil && v.Secret.SecretName == "":
		r.invalid(field+".secret", "volume %q names no Secret; set secret: {secretName: ...}", v.Name)
	}
	if v.Name == "data" || v.Name == "run" {
		r.invalid(field+".name", "volume %q belongs to the operator; choose another name", v.Name)
	}
}

func (r *report) container(field string, c v1alpha1.PodContainer, volumes []v1alpha1.PodVolume) {
	oneOf(r, field+".name", c.Name, "", "runtime")
	for i, e := range c.Env {
		if e.Name == "POD_NAME" {
			r.invalid(index(field+".env", i), "%q is set by the operator; remove it", e.Name)
		}
	}
	for i, m := range c.VolumeMounts {
		at := index(field+".volumeMounts", i)
		if !slices.ContainsFunc(volumes, func(v v1alpha1.PodVolume) bool { return string(v.Name) == m.Name }) {
			r.invalid(at+".name", "%q names none of podTemplate.spec.volumes; add the volume there or correct the name", m.Name)
		}
		switch {
		case !strings.HasPrefix(m.MountPath, "/"):
			r.invalid(at+".mountPath", "a mountPath begins with /; correct the one that does not: %q", m.MountPath)
		case taken(m.MountPath):
			r.invalid(at+".mountPath", "/, /run/handoff and /var/lib/handoff belong to the operator; mount elsewhere, such as /etc/ssl/acme")
		}
	}
}

// taken tells the paths that the operator mounts.
func taken(path string) bool {
	for _, own := range []string{"/run/handoff", "/var/lib/handoff"} {
		if path == own || strings.HasPrefix(path, own+"/") {
			return true
		}
	}
	return path == "/"
}
