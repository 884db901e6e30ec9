// Package upgrade decides when the pod of a runtime moves to the template that another release of the operator renders.
//
// A template that differs from the one in the cluster because its Copilot was edited, or because somebody else changed
// the Deployment, is applied at once. What is left is the operator's own doing, be it another release or other flags,
// and restarts nobody by itself: with spec.runtime.upgrade Manual the pod stays as it is until it is told, with
// Automatic it waits for its turn among a few (Slots).
package upgrade

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"

	appsac "k8s.io/client-go/applyconfigurations/apps/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Annotations of a Deployment.
const (
	// Release of the operator that rendered the pod template first.
	Release = "handoff.opencopilot.so/release"
	// Template is a hash of the pod template as it was rendered.
	Template = "handoff.opencopilot.so/template-hash"
	// Inputs is a hash of what of the Copilot's spec shapes the template.
	Inputs = "handoff.opencopilot.so/template-inputs"
)

// Mark is the label of a Deployment while an upgrade of it that took a slot is under way. It is no annotation, since a
// change of those would raise the Deployment's generation, as if it were rolled out once more.
const Mark = "handoff.opencopilot.so/upgrading"

// To is the annotation of a Copilot with upgrade Manual that names the release it is to move to. Once there, it is used
// up: what the same release renders anew, as with another --runtime-image, is not what somebody agreed to.
const To = "handoff.opencopilot.so/upgrade-to"

// unknown stands for a release that did not write its name.
const unknown = "unknown"

// manual is the value of spec.runtime.upgrade that leaves upgrades to people.
const manual = "Manual"

// Decision is what is to become of a pod template.
type Decision string

// The decisions.
const (
	// Apply the template as it was rendered.
	Apply Decision = "Apply"
	// Keep the template in the cluster until somebody says otherwise.
	Keep Decision = "Keep"
	// Wait for a slot, and keep the template meanwhile.
	Wait Decision = "Wait"
)

// Case is a Copilot's Deployment as it is and as it would be.
type Case struct {
	Copilot *v1alpha1.Copilot
	// Release of the operator.
	Release string
	// Live is the Deployment in the cluster, nil if there is none, and Owned what the operator owns of it.
	Live  *appsv1.Deployment
	Owned *appsac.DeploymentApplyConfiguration
	// Intent is the Deployment as the operator renders it now.
	Intent *appsac.DeploymentApplyConfiguration
}

// Decide says what is to become of the template.
func (c Case) Decide() Decision {
	template := templateHash(c.Intent)
	switch {
	case c.Live == nil, template == templateHash(c.Owned):
		return Apply // no pod of ours changes
	case template == c.Live.Annotations[Template]:
		return Apply // heals what somebody else changed
	case c.edited(), c.told():
		return Apply // somebody wants it now
	case c.Copilot.Spec.Runtime != nil && c.Copilot.Spec.Runtime.Upgrade == manual:
		return Keep
	case c.UnderWay(), c.Live.Status.AvailableReplicas == 0:
		return Apply // nobody is served who could be interrupted
	}
	return Wait
}

// edited says whether the Copilot's spec asks for another pod than when the template was rendered. Of a Deployment that
// does not say from what it was rendered nobody knows; a release of before the annotations made it.
func (c Case) edited() bool {
	rendered, known := c.Live.Annotations[Inputs]
	return known && rendered != inputs(c.Copilot)
}

// told says whether somebody asked for the operator's release, and has not got it yet.
func (c Case) told() bool {
	return c.Copilot.Annotations[To] == c.Release && c.Live.Annotations[Release] != c.Release
}

// UnderWay says whether the Deployment holds a slot: its upgrade began and it has not become available since.
func (c Case) UnderWay() bool { return c.Live != nil && UnderWay(c.Live) }

// UnderWay says whether the Deployment holds a slot.
func UnderWay(d *appsv1.Deployment) bool {
	_, began := d.Labels[Mark]
	want := ptr.Deref(d.Spec.Replicas, 1)
	s := d.Status
	done := s.ObservedGeneration >= d.Generation &&
		s.UpdatedReplicas == want && s.Replicas == want && s.AvailableReplicas >= want
	return began && !done
}

// Stuck says whether the Deployment's controller has given up waiting for its pods (progressDeadlineSeconds), or was
// told to pause.
func Stuck(d *appsv1.Deployment) bool {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			return c.Status != "True"
		}
	}
	return false
}

// Move makes the intent one that takes the new template. With a slot it says so until the upgrade is done.
func (c Case) Move(slot bool) {
	notes := map[string]string{
		Release: c.Release, Template: templateHash(c.Intent), Inputs: inputs(c.Copilot),
	}
	if c.Live != nil {
		if before := c.Live.Annotations[Release]; before != "" && c.Live.Annotations[Template] == notes[Template] {
			notes[Release] = before // a release that changes nothing writes nothing
		}
	}
	c.Intent.WithAnnotations(notes)
	c.mark(slot)
}

// Stay makes the intent one that leaves the template as it is, and heals all else.
func (c Case) Stay() {
	// From now on an edit can be told from an upgrade, also where the template says nothing of what it was made from.
	notes := map[string]string{Inputs: inputs(c.Copilot)}
	for _, key := range []string{Release, Template, Inputs} {
		if value, ok := c.Live.Annotations[key]; ok {
			notes[key] = value
		}
	}
	c.Intent.WithAnnotations(notes)
	c.mark(false)
	c.Intent.Spec.Template = nil
	if c.Owned.Spec != nil {
		c.Intent.Spec.Template = c.Owned.Spec.Template
	}
}

// mark says that an upgrade is under way, be it one that begins now.
func (c Case) mark(begins bool) {
	if begins || c.UnderWay() {
		c.Intent.WithLabels(map[string]string{Mark: "true"})
	}
}

// Before is the release that rendered the template in the cluster.
func (c Case) Before() string {
	if release := c.Live.Annotations[Release]; release != "" {
		return release
	}
	return unknown
}

// inputs is a hash of what of the spec shapes the pod template. It must not change from release to release, or every
// tenant is taken for edited at once; TestInputsStayTheSame holds it.
func inputs(c *v1alpha1.Copilot) string {
	var runtime v1alpha1.Runtime
	if c.Spec.Runtime != nil {
		runtime = *c.Spec.Runtime
	}
	runtime.Replicas, runtime.Upgrade = nil, ""
	storage := v1alpha1.StorageEmbedded
	if c.Spec.Storage != nil && c.Spec.Storage.Type != "" {
		storage = c.Spec.Storage.Type
	}
	return hash(struct {
		Runtime v1alpha1.Runtime
		Storage v1alpha1.StorageType
	}{runtime, storage})
}

func templateHash(d *appsac.DeploymentApplyConfiguration) string {
	if d == nil || d.Spec == nil {
		return hash(nil)
	}
	return hash(d.Spec.Template)
}

// hash of v's JSON form in 16 hexadecimal digits.
func hash(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("upgrade: %T consists of plain values and always encodes: %v", v, err))
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}
