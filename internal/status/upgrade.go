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
	// From is the release that rendered the pod that runs, To the operator's. They may be the same.
	From, To string
	// Running is the image that runs, Image the operator's.
	Running, Image string
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
		return []metav1.Condition{yes(kind, v1alpha1.ReasonUpgradeAvailable, apart(u)+" "+way(u))}
	case u.Waiting:
		return []metav1.Condition{yes(kind, v1alpha1.ReasonUpgradeWaiting, apart(u)+fmt.Sprintf(
			" The upgrade waits for its turn: the operator upgrades %d at a time (--max-concurrent-upgrades).", u.Limit)+heldUp(u))}
	}
	return []metav1.Condition{no(kind, v1alpha1.ReasonUpToDate, "The runtime is what the operator's release makes of the spec.")}
}

// apart says in what the pod that runs is behind the operator.
func apart(u Upgrade) string {
	switch {
	case u.From != u.To:
		return fmt.Sprintf("The runtime is of release %s, the operator of release %s.", u.From, u.To)
	case u.Running != u.Image:
		return fmt.Sprintf("The runtime and the operator are of release %s; the runtime's image is %s, the operator's would be %s.", u.To, u.Running, u.Image)
	}
	return fmt.Sprintf("The runtime and the operator are of release %s and its image is %s, but the operator makes the rest of the pod otherwise now.", u.To, u.Image)
}

// way says how to take what the operator has. The annotation asks for a release, so it takes nothing of the same one.
func way(u Upgrade) string {
	switch {
	case u.From == u.To && u.Running != u.Image:
		return fmt.Sprintf("To take it, set spec.runtime.image: %s.", u.Image)
	case u.From == u.To:
		return "To take it, set spec.runtime.upgrade: Automatic until this condition is False."
	}
	text := fmt.Sprintf("To upgrade, annotate the Copilot with handoff.opencopilot.so/upgrade-to: %q, or set spec.runtime.image: %s.", u.To, u.Image)
	if u.Told != "" {
		text += fmt.Sprintf(" Its annotation says %q, which is not the operator's release.", u.Told)
	}
	return text
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
