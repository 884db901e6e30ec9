package upgrade_test

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

func TestTheSameReleaseWritesNothing(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	served(w, 3, nil)
	expectQuiet(w, release(w, "v1"))
}

func TestAFewUpgradeAtATimeAndAllGetThere(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	all := served(w, 7, nil)
	op := release(w, "v2")
	for round := 0; ; round++ {
		op.Rest()
		moved, unavailable := on(w, all, "v2")
		if len(unavailable) > limit {
			t.Fatalf("round %d: %v upgrade at once, %d may", round, unavailable, limit)
		}
		if len(unavailable) == 0 {
			if len(moved) != len(all) {
				t.Fatalf("round %d: only %v moved, and nothing is under way", round, moved)
			}
			break
		}
		if want := min(limit, len(all)-len(moved)+len(unavailable)); len(unavailable) < want {
			t.Fatalf("round %d: %v upgrade while others wait, want %d", round, unavailable, want)
		}
		if round%2 == 1 { // another process goes on where the one before was
			op.Stop()
			op = release(w, "v2")
			op.Rest()
			if now, _ := on(w, all, "v2"); len(now) != len(moved) {
				t.Fatalf("round %d: a restart of the operator moved %v, before it were %v", round, now, moved)
			}
		}
		w.Run(unavailable[0])
	}
	op.Rest()
	for _, c := range all {
		w.ExpectReady(c)
		w.ExpectCondition(c, v1alpha1.ConditionUpgradable, metav1.ConditionFalse, v1alpha1.ReasonUpToDate)
		d := deployment(w, c.Name)
		if _, marked := d.Labels[upgrade.Mark]; marked || d.Annotations[upgrade.Release] != "v2" {
			t.Errorf("%s ends with annotations %v", c.Name, d.Annotations)
		}
	}
	op.Stop()
	expectQuiet(w, release(w, "v2"))
}

// At rest is also where an upgrade is stuck: the operator is restarted and writes nothing.
func TestStuckUpgradeHoldsUpTheRestAndSaysSo(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	all := served(w, 4, nil)
	op := release(w, "v2")
	op.Rest()
	moved, _ := on(w, all, "v2")
	if len(moved) != limit {
		t.Fatalf("moved: %v", moved)
	}
	waiting := rest(all, moved)
	w.ExpectCondition(waiting[0], v1alpha1.ConditionUpgradable, metav1.ConditionTrue, v1alpha1.ReasonUpgradeWaiting, "release v1", "release v2", "2 at a time")
	w.ExpectCondition(waiting[0], v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady)
	giveUp(w, moved[0])
	for _, c := range waiting {
		w.ExpectCondition(c, v1alpha1.ConditionUpgradable, metav1.ConditionTrue, v1alpha1.ReasonUpgradeWaiting, "Copilot "+moved[0])
	}
	op.Rest()
	op.Stop()
	again := release(w, "v2")
	expectQuiet(w, again)

	// Deleting the one that is stuck lets the next go on.
	w.ExpectDeleted(&v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: moved[0]}})
	w.ExpectDeleted(deployment(w, moved[0])) // no garbage collector runs here
	again.Rest()
	if now, _ := on(w, waiting, "v2"); len(now) != 1 {
		t.Errorf("one place came free, and %v moved", now)
	}
}

// A Copilot that becomes wrong in the middle of its upgrade keeps its place in the cluster until its pod is there, and
// then passes it on, though nothing is rendered for it any more.
func TestWrongCopilotPassesItsPlaceOn(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	all := served(w, 4, nil)
	op := release(w, "v2")
	op.Rest()
	moved, _ := on(w, all, "v2")
	w.ExpectCreated(&v1alpha1.HandoffPolicy{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}})
	for _, c := range all {
		if slices.Contains(moved, c.Name) {
			w.Edit(c, func() { c.Spec.PolicyRef = &v1alpha1.LocalRef{Name: "nobody"} })
			w.ExpectCondition(c, v1alpha1.ConditionAccepted, metav1.ConditionFalse, "NobodyToHandOffTo")
		}
	}
	op.Rest()
	if now, _ := on(w, all, "v2"); len(now) != limit {
		t.Fatalf("none of %v is there yet, and there moved %v", moved, now)
	}
	for _, name := range moved {
		w.Run(name)
	}
	op.Rest()
	if now, unavailable := on(w, all, "v2"); len(now) != len(all) || len(unavailable) != limit {
		t.Errorf("%d places came free: %v moved, of them %v are under way", limit, now, unavailable)
	}
}

// What has the mark and is nobody's child holds up nobody.
func TestDeploymentWithoutCopilotTakesNoPlace(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	all := served(w, 2, nil)
	stray := deployment(w, all[0].Name)
	stray.ObjectMeta = metav1.ObjectMeta{Name: "stray", Labels: stray.Labels}
	stray.Labels[upgrade.Mark] = "true"
	w.ExpectCreated(stray)
	release(w, "v2").Rest()
	if moved, _ := on(w, all, "v2"); len(moved) != limit {
		t.Errorf("%v moved, want %d", moved, limit)
	}
}

// giveUp has the Deployment say what its controller does after progressDeadlineSeconds.
func giveUp(w *controltest.World, copilot string) {
	w.Helper()
	d := deployment(w, copilot)
	before := d.DeepCopy()
	d.Status.ObservedGeneration, d.Status.AvailableReplicas, d.Status.ReadyReplicas = d.Generation, 0, 0
	d.Status.Conditions = []appsv1.DeploymentCondition{{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
	}}
	if err := w.Client.Status().Patch(w.Context(), d, client.MergeFrom(before)); err != nil {
		w.Fatal(err)
	}
}

func rest(all []*v1alpha1.Copilot, without []string) []*v1alpha1.Copilot {
	var out []*v1alpha1.Copilot
	for _, c := range all {
		if !slices.Contains(without, c.Name) {
			out = append(out, c)
		}
	}
	return out
}

func TestManualMovesWhenTold(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	all := served(w, 3, func(c *v1alpha1.Copilot) { c.Spec.Runtime = &v1alpha1.Runtime{Upgrade: "Manual"} })
	byAnnotation, byImage, never := all[0], all[1], all[2]
	op := release(w, "v2")
	for _, c := range all {
		w.ExpectCondition(c, v1alpha1.ConditionUpgradable, metav1.ConditionTrue, v1alpha1.ReasonUpgradeAvailable,
			"release v1", upgrade.To+`: "v2"`, "spec.runtime.image: "+image("v2"))
		w.ExpectReady(c)
		if c.Status.RuntimeImage != image("v1") {
			t.Errorf("status.runtimeImage is %s", c.Status.RuntimeImage)
		}
	}
	w.Edit(byAnnotation, func() { byAnnotation.Annotations = map[string]string{upgrade.To: "v9"} })
	w.ExpectCondition(byAnnotation, v1alpha1.ConditionUpgradable, metav1.ConditionTrue, v1alpha1.ReasonUpgradeAvailable, `says "v9"`)
	w.Edit(byAnnotation, func() { byAnnotation.Annotations[upgrade.To] = "v2" })
	w.Edit(byImage, func() { byImage.Spec.Runtime.Image = image("v2") })
	for _, c := range []*v1alpha1.Copilot{byAnnotation, byImage} {
		w.ExpectCondition(c, v1alpha1.ConditionUpgradable, metav1.ConditionFalse, v1alpha1.ReasonUpToDate)
		if have := imageOf(deployment(w, c.Name)); have != image("v2") {
			t.Errorf("%s was told to upgrade and has %s", c.Name, have)
		}
	}
	op.Rest()
	if have := imageOf(deployment(w, never.Name)); have != image("v1") {
		t.Errorf("%s was told nothing and has %s", never.Name, have)
	}
	// What is not the pod is kept as it should be all the same.
	d := deployment(w, never.Name)
	w.Edit(d, func() { *d.Spec.Replicas = 0 })
	w.Until(d, func() error { return want(*d.Spec.Replicas, 1) })
	op.Rest()
	op.Stop()
	expectQuiet(w, release(w, "v2"))
}

// The annotation stays on the Copilot, and is no consent to what the same release renders later.
func TestManualMovesOncePerAnnotation(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	c := served(w, 1, func(c *v1alpha1.Copilot) {
		c.Spec.Runtime = &v1alpha1.Runtime{Upgrade: "Manual"}
		c.Annotations = map[string]string{upgrade.To: "v2"}
	})[0]
	op := release(w, "v2")
	w.ExpectCondition(c, v1alpha1.ConditionUpgradable, metav1.ConditionFalse, v1alpha1.ReasonUpToDate)
	op.Rest()
	op.Stop()
	op = releaseWith(w, "v2", image("other"))
	w.ExpectCondition(c, v1alpha1.ConditionUpgradable, metav1.ConditionTrue, v1alpha1.ReasonUpgradeAvailable,
		"image is "+image("v2"), "set spec.runtime.image: "+image("other"))
	op.Rest()
	if have := imageOf(deployment(w, c.Name)); have != image("v2") {
		t.Errorf("nobody asked for it, and it has %s", have)
	}
	w.Edit(c, func() { c.Spec.Runtime.Image = image("other") })
	w.ExpectCondition(c, v1alpha1.ConditionUpgradable, metav1.ConditionFalse, v1alpha1.ReasonUpToDate)
	if have := imageOf(deployment(w, c.Name)); have != image("other") {
		t.Errorf("the image was set, and it has %s", have)
	}
}

func TestEditDoesNotWaitForItsTurn(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	all := served(w, 3, nil)
	op := release(w, "v2")
	op.Rest()
	moved, _ := on(w, all, "v2")
	last := rest(all, moved)[0]
	w.Edit(last, func() {
		last.Spec.Runtime = &v1alpha1.Runtime{Resources: &corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("48Mi")}}}
	})
	w.ExpectCondition(last, v1alpha1.ConditionUpgradable, metav1.ConditionFalse, v1alpha1.ReasonUpToDate)
	if have := imageOf(deployment(w, last.Name)); have != image("v2") {
		t.Errorf("%s was edited and has %s", last.Name, have)
	}
}

// The release before the first that writes annotations left Deployments without any.
func TestDeploymentsWithoutAnnotationsAreNotRestartedAtOnce(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	all := served(w, 4, nil)
	for _, c := range all {
		d := deployment(w, c.Name)
		w.Edit(d, func() { d.Annotations = nil })
	}
	op := release(w, "v2")
	op.Rest()
	if moved, _ := on(w, all, "v2"); len(moved) != limit {
		t.Errorf("%v moved, %d may at a time", moved, limit)
	}
	op.Stop()

	same := controltest.New(t)
	all = served(same, 3, nil)
	for _, c := range all {
		d := deployment(same, c.Name)
		same.Edit(d, func() { d.Annotations = nil })
	}
	release(same, "v1").Rest()
	for _, c := range all {
		d := deployment(same, c.Name)
		if _, marked := d.Labels[upgrade.Mark]; marked || d.Annotations[upgrade.Release] != "v1" || imageOf(d) != image("v1") {
			t.Errorf("%s: image %s, labels %v, annotations %v", c.Name, imageOf(d), d.Labels, d.Annotations)
		}
	}
}
