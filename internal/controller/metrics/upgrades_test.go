package metrics

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

func TestUpgrades(t *testing.T) {
	t.Parallel()
	due := func(reason string) *v1alpha1.Copilot {
		c := &v1alpha1.Copilot{}
		c.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionUpgradable, Reason: reason}}
		return c
	}
	marked := func(available int32, progressing corev1.ConditionStatus) *appsv1.Deployment {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{upgrade.Mark: "true"}}}
		d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.AvailableReplicas = 1, 1, available
		d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: progressing}}
		return d
	}
	for name, test := range map[string]struct {
		have objects
		want []string
	}{
		"nothing is counted as well": {
			objects{due(v1alpha1.ReasonUpToDate), &v1alpha1.Copilot{}},
			[]string{"state=available 0", "state=running 0", "state=stuck 0", "state=waiting 0"}},
		"each state": {
			objects{
				due(v1alpha1.ReasonUpgradeWaiting), due(v1alpha1.ReasonUpgradeWaiting), due(v1alpha1.ReasonUpgradeAvailable),
				marked(0, "True"), marked(0, "True"), marked(0, "True"), marked(0, "False"), marked(1, "True"),
			},
			[]string{"state=available 1", "state=running 3", "state=stuck 1", "state=waiting 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, gather(t, upgrades{test.have})); diff != "" {
				t.Errorf("-want +have:\n%s", diff)
			}
		})
	}
}
