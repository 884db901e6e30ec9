package status

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Upgrade is what the operator's release has for a runtime that runs.
type Upgrade struct {
	// Known is false where nothing was rendered, so that nothing can be said.
	Known bool
	// From is the release that rendered the pod that runs, To the operator's, and Image its image of the runtime.
	From, To, Image string
	// Held says that somebody has to ask for the upgrade, and Told which release they asked for.
	Held bool
	Told string
	// Waiting says that the upgrade waits for its turn among Limit at a time.
	Waiting bool
	Limit   int
	// Stuck are the Copilots of the namespace whose upgrade does not come to an end, StuckElsewhere those of others.
	Stuck          []string
	StuckElsewhere int
}

// upgradable says nothing of how many wait, so that it need not be written anew for each that is done.
func upgradable(u Upgrade) []metav1.Condition {
	const kind = v1alpha1.ConditionUpgradable
	switch {
	case !u.Known:
		return nil
	case u.Held:
		text := fmt.Sprintf("The runtime is of release %s, the operator of release %s. To upgrade, annotate the Copilot with "+
			"handoff.opencopilot.so/upgrade-to: %q, or set spec.runtime.image: %s.", u.From, u.To, u.To, u.Image)
		if u.Told != "" {
			text += fmt.Sprintf(" Its annotation says %q, which is not the operator's release.", u.Told)
		}
		return []metav1.Condition{yes(kind, v1alpha1.ReasonUpgradeAvailable, text)}
	case u.Waiting:
		return []metav1.Condition{yes(kind, v1alpha1.ReasonUpgradeWaiting, fmt.Sprintf(
			"The runtime is of release %s, the operator of release %s. The upgrade waits for its turn: "+
				"the operator upgrades %d at a time (--max-concurrent-upgrades).", u.From, u.To, u.Limit)+heldUp(u))}
	}
	return []metav1.Condition{no(kind, v1alpha1.ReasonUpToDate, "The runtime is what the operator's release makes of the spec.")}
}

// heldUp names whose upgrade does not come to an end.
func heldUp(u Upgrade) string {
	var who []string
	if len(u.Stuck) > 0 {
		who = append(who, "Copilot "+strings.Join(u.Stuck[:min(shown, len(u.Stuck))], ", Copilot "))
	}
	if u.StuckElsewhere > 0 {
		who = append(who, fmt.Sprintf("%d in other namespaces", u.StuckElsewhere))
	}
	if len(who) == 0 {
		return ""
	}
	return " Upgrades that do not come to an end keep their place: " + strings.Join(who, " and ") +
		". Their condition Ready says why."
}
