package index

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func TestSpecLetsPass(t *testing.T) {
	t.Parallel()
	before := metav1.ObjectMeta{UID: "1", Generation: 1, ResourceVersion: "1"}
	for name, tc := range map[string]struct {
		edit func(*v1alpha1.AgentPool)
		want bool
	}{
		"a status":            {func(p *v1alpha1.AgentPool) { p.ResourceVersion, p.Status.Agents = "2", 1 }, false},
		"an edit":             {func(p *v1alpha1.AgentPool) { p.ResourceVersion, p.Generation = "2", 2 }, true},
		"one that came again": {func(p *v1alpha1.AgentPool) { p.ResourceVersion, p.UID = "2", "2" }, true},
	} {
		after := &v1alpha1.AgentPool{ObjectMeta: before}
		tc.edit(after)
		if have := Spec().Update(event.UpdateEvent{ObjectOld: &v1alpha1.AgentPool{ObjectMeta: before}, ObjectNew: after}); have != tc.want {
			t.Errorf("%s: %v, want %v", name, have, tc.want)
		}
	}
}
