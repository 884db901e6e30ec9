package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Labels of every child.
const (
	// LabelManagedBy with the value ManagedBy is on everything the operator makes; its cache selects by it.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is the value of LabelManagedBy.
	ManagedBy = "handoff-operator"
	// LabelCopilot names the Copilot, as LabelValue writes it.
	LabelCopilot = "handoff.opencopilot.so/copilot"

	// Container is the name of the runtime's container in its pod.
	Container = container

	labelName     = "app.kubernetes.io/name"
	labelInstance = "app.kubernetes.io/instance"
	runtimeName   = "handoff-runtime"
)

const nameSuffix = "-handoff"

// Name is the name of every child of the Copilot: "<copilot>-handoff". A Copilot's name may hold dots, begin with a
// digit and be 253 characters long, a Service's name may not; such a name is bent into shape and told apart by a hash.
func Name(copilot string) string {
	if name := copilot + nameSuffix; len(validation.IsDNS1035Label(name)) == 0 {
		return name
	}
	base := strings.ReplaceAll(copilot, ".", "-")
	if base[0] >= '0' && base[0] <= '9' {
		base = "c" + base
	}
	return shorten(base, copilot, validation.DNS1035LabelMaxLength-len(nameSuffix)) + nameSuffix
}

// LabelValue is the Copilot's name as a label's value, of at most 63 characters.
func LabelValue(copilot string) string {
	if len(copilot) <= validation.LabelValueMaxLength {
		return copilot
	}
	return shorten(copilot, copilot, validation.LabelValueMaxLength)
}

// shorten cuts base so that with a hash of whole it fits into length characters.
func shorten(base, whole string, length int) string {
	sum := sha256.Sum256([]byte(whole))
	hash := "-" + hex.EncodeToString(sum[:4])
	if keep := length - len(hash); len(base) > keep {
		base = strings.TrimRight(base[:keep], "-.")
	}
	return base + hash
}

// Labels of the children of a Copilot.
func Labels(copilot string) map[string]string {
	labels := Selector(copilot)
	labels[LabelManagedBy] = ManagedBy
	labels[LabelCopilot] = LabelValue(copilot)
	return labels
}

// Selector has the labels that select the Copilot's runtime pods. It can never change: a Deployment's is immutable.
func Selector(copilot string) map[string]string {
	return map[string]string{labelName: runtimeName, labelInstance: LabelValue(copilot)}
}
