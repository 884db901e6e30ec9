package controller

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/apply"
)

// trimChild keeps of a child's managed fields what the operator applied: that is what it compares with its intent. Who
// else owns which field is most of what such an object takes in memory.
func trimChild(o any) (any, error) {
	object, err := meta.Accessor(o)
	if err != nil {
		return o, nil // the informers' mark of an object whose deletion they missed
	}
	object.SetManagedFields(slices.DeleteFunc(object.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager != apply.Manager || f.Operation != metav1.ManagedFieldsOperationApply || f.Subresource != ""
	}))
	return o, nil
}

// trimMetadata keeps what tells that a Secret or ConfigMap exists, and in which version. kubectl apply leaves a whole
// Secret in an annotation of it, and contents are never cached.
func trimMetadata(o any) (any, error) {
	full, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return o, nil
	}
	return &metav1.PartialObjectMetadata{TypeMeta: full.TypeMeta, ObjectMeta: metav1.ObjectMeta{
		Namespace: full.Namespace, Name: full.Name, UID: full.UID, ResourceVersion: full.ResourceVersion,
		DeletionTimestamp: full.DeletionTimestamp,
	}}, nil
}
