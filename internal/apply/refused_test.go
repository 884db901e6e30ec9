package apply_test

import (
	"strings"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// A field of somebody else that contradicts ours is not ours to take out. The error says what is in the way, and where.
func TestContradictionIsNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.copilot.Spec.Storage = &v1alpha1.Storage{Type: v1alpha1.StoragePostgres}
	f.apply()
	budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "c-handoff"}}
	f.Edit(budget, func() {
		budget.Spec.MaxUnavailable, budget.Spec.MinAvailable = nil, ptr.To(intstr.FromInt32(1))
	})
	children, err := desired.Render(f.input())
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range children {
		wrote, err := f.applier.Apply(t.Context(), child)
		if kindOf(child) != "PodDisruptionBudget" {
			if wrote || err != nil {
				t.Errorf("%s: wrote %v, %v", kindOf(child), wrote, err)
			}
			continue
		}
		if wrote || !apierrors.IsInvalid(err) {
			t.Fatalf("wrote %v, %v", wrote, err)
		}
		for _, want := range []string{"PodDisruptionBudget", f.Namespace + "/c-handoff", "minAvailable and maxUnavailable cannot be both set"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("want an error that says %q, have %v", want, err)
			}
		}
	}
	f.Edit(budget, func() { budget.Spec.MinAvailable = nil })
	f.expectWritten("PodDisruptionBudget")
	f.expectWritten()
}
