package status_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// Each names what runs, what would come, and a way that works.
func TestUpgradable(t *testing.T) {
	t.Parallel()
	const annotate, setImage, automatic = "upgrade-to", "set spec.runtime.image: r:2.", "spec.runtime.upgrade: Automatic"
	for name, tc := range map[string]struct {
		due    status.Upgrade
		reason string
		want   []string
		not    []string
	}{
		"another release": {
			status.Upgrade{Held: true, From: "v1", To: "v2", Running: "r:1", Image: "r:2"}, v1alpha1.ReasonUpgradeAvailable,
			[]string{"runtime is of release v1", "operator of release v2", annotate + `: "v2"`, setImage}, []string{automatic, "Its annotation"},
		},
		"told another": {
			status.Upgrade{Held: true, From: "v1", To: "v2", Running: "r:1", Image: "r:2", Told: "v3"}, v1alpha1.ReasonUpgradeAvailable,
			[]string{annotate + `: "v2"`, `says "v3"`}, nil,
		},
		"the same release, another image": {
			status.Upgrade{Held: true, From: "v2", To: "v2", Running: "r:1", Image: "r:2", Told: "v2"}, v1alpha1.ReasonUpgradeAvailable,
			[]string{"of release v2", "image is r:1", "would be r:2", setImage}, []string{annotate, automatic, "not the operator's release"},
		},
		"the same release and image": {
			status.Upgrade{Held: true, From: "v2", To: "v2", Running: "r:2", Image: "r:2"}, v1alpha1.ReasonUpgradeAvailable,
			[]string{"of release v2", "image is r:2", automatic}, []string{annotate, setImage},
		},
		"waits for another image": {
			status.Upgrade{Waiting: true, Limit: 5, From: "v2", To: "v2", Running: "r:1", Image: "r:2"}, v1alpha1.ReasonUpgradeWaiting,
			[]string{"image is r:1", "would be r:2", "5 at a time"}, []string{setImage},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := serving()
			o.Upgrade = tc.due
			o.Upgrade.Known = true
			have := meta.FindStatusCondition(status.Copilot(copilot(), o, noon).Conditions, v1alpha1.ConditionUpgradable)
			if have == nil || have.Reason != tc.reason {
				t.Fatalf("want %s, have %+v", tc.reason, have)
			}
			expectText(t, have.Message, tc.want, "")
			for _, s := range tc.not {
				if strings.Contains(have.Message, s) {
					t.Errorf("%q has %q", have.Message, s)
				}
			}
		})
	}
}
