package routing

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// storage returns the database, or nil for embedded storage.
func (r *report) storage(s *v1alpha1.CopilotSpec) (out *Postgres) {
	kind := v1alpha1.StorageEmbedded
	if s.Storage != nil {
		kind = oneOf(r, "spec.storage.type", s.Storage.Type, kind, v1alpha1.StorageEmbedded, v1alpha1.StoragePostgres)
	}
	if kind == v1alpha1.StoragePostgres {
		if p := s.Storage.Postgres; p != nil {
			out = &Postgres{DSN: SecretKey{p.DSNSecretRef.Name, p.DSNSecretRef.Key}}
		} else {
			r.invalid("spec.storage.postgres", "storage of type Postgres needs the field postgres: {dsnSecretRef: {name: ..., key: ...}}")
		}
		if s.Storage.Embedded != nil {
			r.invalid("spec.storage.embedded", "storage of type Postgres has no embedded; remove it")
		}
	}
	if kind == v1alpha1.StorageEmbedded && s.Storage != nil {
		r.volume(s.Storage)
	}
	if s.Runtime == nil {
		return out
	}
	if n := s.Runtime.Replicas; n != nil && kind == v1alpha1.StorageEmbedded && *n > 1 {
		r.invalid("spec.runtime.replicas", "%d replicas cannot share embedded storage; use 1, or storage of type Postgres", *n)
	}
	return out
}

// volume reports what does not fit embedded storage.
func (r *report) volume(s *v1alpha1.Storage) {
	if s.Postgres != nil {
		r.invalid("spec.storage.postgres", "storage of type Embedded has no postgres; set type: Postgres, or remove it")
	}
	e := s.Embedded
	if e == nil {
		return
	}
	if e.Size != nil && e.Size.Sign() <= 0 {
		r.invalid("spec.storage.embedded.size", "%q is no size of a volume; use one such as 1Gi", e.Size.String())
	}
	oneOf(r, "spec.storage.embedded.whenDeleted", e.WhenDeleted, "", v1alpha1.WhenDeletedRetain, v1alpha1.WhenDeletedDelete)
}

func (r *report) runtime(s *v1alpha1.Runtime) {
	if s == nil {
		return
	}
	r.between("spec.runtime.replicas", s.Replicas, 0, 100, 1)
	r.matches("spec.runtime.image", s.Image, imagePattern, "an image such as registry.acme.example/handoff-runtime:v1")
	r.resources(s.Resources)
	r.pod(s.PodTemplate)
	oneOf(r, "spec.runtime.upgrade", s.Upgrade, "", "Automatic", "Manual")
}

// resources reports requests above their limits, which no pod may have.
func (r *report) resources(res *corev1.ResourceRequirements) {
	if res == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(res.Requests)) {
		request := res.Requests[name]
		if limit, ok := res.Limits[name]; ok && request.Cmp(limit) > 0 {
			r.invalid("spec.runtime.resources.requests", "%q of %s is more than the limit %q; lower the request or raise the limit", request.String(), name, limit.String())
		}
	}
}
