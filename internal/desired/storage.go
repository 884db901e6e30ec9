package desired

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// claim holds the conversations. It has no owner, and so outlives the Copilot, unless whenDeleted is Delete: a manifest
// that is pruned by mistake destroys nothing, and the Copilot applied again finds its conversations.
func claim(in Input) runtime.ApplyConfiguration {
	embedded := v1alpha1.EmbeddedStorage{}
	if s := in.Copilot.Spec.Storage; s != nil && s.Embedded != nil {
		embedded = *s.Embedded
	}
	size := resource.MustParse("1Gi")
	if embedded.Size != nil {
		size = *embedded.Size
	}
	spec := coreac.PersistentVolumeClaimSpec().
		WithAccessModes(corev1.ReadWriteOnce).
		WithResources(coreac.VolumeResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceStorage: size}))
	if embedded.StorageClassName != nil {
		spec.WithStorageClassName(*embedded.StorageClassName)
	}
	out := coreac.PersistentVolumeClaim(Name(in.Copilot.Name), in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithSpec(spec)
	if embedded.WhenDeleted == v1alpha1.WhenDeletedDelete {
		out.WithOwnerReferences(owner(in.Copilot))
	}
	return out
}
