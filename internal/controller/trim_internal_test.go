package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/opencopilot/handoff-operator/internal/apply"
)

func TestOfSecretsNoContentsAreCached(t *testing.T) {
	t.Parallel()
	given := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: "keys", UID: "u", ResourceVersion: "7",
		Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: `{"stringData":{"apiKey":"sk-1"}}`},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
	}}
	out, err := trimMetadata(given)
	if err != nil {
		t.Fatal(err)
	}
	have := out.(*metav1.PartialObjectMetadata)
	if len(have.Annotations)+len(have.ManagedFields) > 0 {
		t.Errorf("kept: %v %v", have.Annotations, have.ManagedFields)
	}
	if have.Namespace != "ns" || have.Name != "keys" || have.UID != "u" || have.ResourceVersion != "7" {
		t.Errorf("lost: %+v", have.ObjectMeta)
	}
}

func TestOfManagersOnlyTheOperatorsApplyIsCached(t *testing.T) {
	t.Parallel()
	ours := metav1.ManagedFieldsEntry{Manager: apply.Manager, Operation: metav1.ManagedFieldsOperationApply}
	status, update := ours, ours
	status.Subresource, update.Operation = "status", metav1.ManagedFieldsOperationUpdate
	given := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "s", ManagedFields: []metav1.ManagedFieldsEntry{
		{Manager: "kubectl", Operation: metav1.ManagedFieldsOperationApply}, status, ours, update,
	}}}
	out, err := trimChild(given)
	if err != nil {
		t.Fatal(err)
	}
	if kept := out.(*corev1.Service).ManagedFields; len(kept) != 1 || kept[0] != ours {
		t.Errorf("kept: %v", kept)
	}
}

func TestMarksOfMissedDeletionsPass(t *testing.T) {
	t.Parallel()
	mark := cache.DeletedFinalStateUnknown{Key: "ns/gone"}
	for _, trim := range []cache.TransformFunc{trimChild, trimMetadata} {
		if out, err := trim(mark); err != nil || out != mark {
			t.Errorf("have %v, %v", out, err)
		}
	}
}
