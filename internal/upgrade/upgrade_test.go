package upgrade_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

// rendered is a Deployment of the image.
func rendered(image string) *appsac.DeploymentApplyConfiguration {
	return appsac.Deployment("c", "ns").WithSpec(appsac.DeploymentSpec().WithTemplate(coreac.PodTemplateSpec().
		WithSpec(coreac.PodSpec().WithContainers(coreac.Container().WithName("runtime").WithImage(image)))))
}

func copilot() *v1alpha1.Copilot {
	return &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c"}}
}

// running is what release v1 made of the Copilot, in the cluster and available, as release v2 finds it.
func running() upgrade.Case {
	v1 := upgrade.Case{Copilot: copilot(), Release: "v1", Intent: rendered("r:1")}
	v1.Move(false)
	return upgrade.Case{
		Copilot: copilot(), Release: "v2", Owned: rendered("r:1"), Intent: rendered("r:2"),
		Live: &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c", Generation: 1, Annotations: v1.Intent.Annotations},
			Status:     appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1},
		},
	}
}

func manual(c *upgrade.Case) { c.Copilot.Spec.Runtime = &v1alpha1.Runtime{Upgrade: "Manual"} }

// bare takes off what a release writes: as one that wrote nothing left it.
func bare(c *upgrade.Case) { c.Live.Annotations = nil }

func TestDecide(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change []func(*upgrade.Case)
		want   upgrade.Decision
	}{
		"another release":                 {nil, upgrade.Wait},
		"another release, manual":         {[]func(*upgrade.Case){manual}, upgrade.Keep},
		"a release that wrote nothing":    {[]func(*upgrade.Case){bare}, upgrade.Wait},
		"nothing was written, manual":     {[]func(*upgrade.Case){bare, manual}, upgrade.Keep},
		"the same release, another image": {[]func(*upgrade.Case){func(c *upgrade.Case) { c.Release = "v1" }}, upgrade.Wait},
		"no Deployment":                   {[]func(*upgrade.Case){func(c *upgrade.Case) { c.Live, c.Owned = nil, nil }, manual}, upgrade.Apply},
		"another release, the same pod":   {[]func(*upgrade.Case){func(c *upgrade.Case) { c.Intent = rendered("r:1") }, manual}, upgrade.Apply},
		"somebody else changed the image": {[]func(*upgrade.Case){func(c *upgrade.Case) { c.Intent, c.Owned = rendered("r:1"), rendered("else") }, manual}, upgrade.Apply},
		"nobody is served":                {[]func(*upgrade.Case){func(c *upgrade.Case) { c.Live.Status.AvailableReplicas = 0 }}, upgrade.Apply},
		"nobody is served, manual":        {[]func(*upgrade.Case){func(c *upgrade.Case) { c.Live.Status.AvailableReplicas = 0 }, manual}, upgrade.Keep},
		"its own upgrade goes on":         {[]func(*upgrade.Case){underWay}, upgrade.Apply},
		"the upgrade before is done":      {[]func(*upgrade.Case){underWay, func(c *upgrade.Case) { c.Live.Status.ObservedGeneration = 2 }}, upgrade.Wait},
		"the image was set":               {[]func(*upgrade.Case){manual, func(c *upgrade.Case) { c.Copilot.Spec.Runtime.Image = "r:2" }}, upgrade.Apply},
		"resources were set": {[]func(*upgrade.Case){func(c *upgrade.Case) {
			c.Copilot.Spec.Runtime = &v1alpha1.Runtime{Resources: &corev1.ResourceRequirements{}}
		}}, upgrade.Apply},
		"replicas were set":                 {[]func(*upgrade.Case){func(c *upgrade.Case) { c.Copilot.Spec.Runtime = &v1alpha1.Runtime{Replicas: ptr.To[int32](1)} }}, upgrade.Wait},
		"told to upgrade":                   {[]func(*upgrade.Case){manual, told("v2")}, upgrade.Apply},
		"told to upgrade before its turn":   {[]func(*upgrade.Case){told("v2")}, upgrade.Apply},
		"told to upgrade to something else": {[]func(*upgrade.Case){manual, told("v3")}, upgrade.Keep},
		"told to upgrade, and was":          {[]func(*upgrade.Case){manual, told("v1"), func(c *upgrade.Case) { c.Release = "v1" }}, upgrade.Keep},
		"told, was, and waits its turn now": {[]func(*upgrade.Case){told("v1"), func(c *upgrade.Case) { c.Release = "v1" }}, upgrade.Wait},
		"told, and nothing was written":     {[]func(*upgrade.Case){bare, manual, told("v2")}, upgrade.Apply},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := running()
			for _, change := range tc.change {
				change(&c)
			}
			if have := c.Decide(); have != tc.want {
				t.Errorf("want %s, have %s", tc.want, have)
			}
		})
	}
}

func underWay(c *upgrade.Case) {
	c.Live.Labels = map[string]string{upgrade.Mark: "true"}
	c.Live.Generation = 2
}

func told(release string) func(*upgrade.Case) {
	return func(c *upgrade.Case) { c.Copilot.Annotations = map[string]string{upgrade.To: release} }
}

func TestStayKeepsTemplateAndNotes(t *testing.T) {
	t.Parallel()
	c := running()
	before := c.Live.DeepCopy().Annotations
	c.Stay()
	if image := *c.Intent.Spec.Template.Spec.Containers[0].Image; image != "r:1" {
		t.Errorf("the image became %s", image)
	}
	for key, value := range before {
		if c.Intent.Annotations[key] != value {
			t.Errorf("%s became %q, was %q", key, c.Intent.Annotations[key], value)
		}
	}
	if len(c.Intent.Annotations) != len(before) {
		t.Errorf("want %v, have %v", before, c.Intent.Annotations)
	}
}

// What a Copilot asked for when the operator first saw its Deployment is what later edits are compared with.
func TestEditOfCopilotWhoseReleaseWroteNothing(t *testing.T) {
	t.Parallel()
	c := running()
	bare(&c)
	manual(&c)
	c.Stay()
	next := running()
	manual(&next)
	next.Live.Annotations = c.Intent.Annotations
	if have := next.Decide(); have != upgrade.Keep {
		t.Errorf("nothing was edited: want Keep, have %s", have)
	}
	next.Copilot.Spec.Runtime.Image = "mine"
	if have := next.Decide(); have != upgrade.Apply {
		t.Errorf("the image was set: want Apply, have %s", have)
	}
}

func TestMoveMarksTheSlotUntilAvailable(t *testing.T) {
	t.Parallel()
	c := running()
	c.Move(true)
	if _, marked := c.Intent.Labels[upgrade.Mark]; !marked {
		t.Fatal("an upgrade that took a slot lacks the mark")
	}
	next := running()
	next.Owned, next.Live.Annotations, next.Live.Labels, next.Live.Generation = rendered("r:2"), c.Intent.Annotations, c.Intent.Labels, 2
	if !next.UnderWay() {
		t.Error("it is not under way, though its Deployment was not looked at yet")
	}
	next.Move(false)
	if _, marked := next.Intent.Labels[upgrade.Mark]; !marked {
		t.Error("under way it lost its mark")
	}
	next.Intent = rendered("r:2")
	next.Live.Status.ObservedGeneration = 2
	next.Move(false)
	if _, marked := next.Intent.Labels[upgrade.Mark]; marked || next.UnderWay() {
		t.Error("it is available and still marked")
	}
}

// A release that renders the same pod changes nothing in the cluster.
func TestReleaseWithTheSamePodWritesNothing(t *testing.T) {
	t.Parallel()
	c := running()
	c.Intent = rendered("r:1")
	c.Move(false)
	for key, value := range c.Live.Annotations {
		if c.Intent.Annotations[key] != value {
			t.Errorf("%s became %q, was %q", key, c.Intent.Annotations[key], value)
		}
	}
}

func TestStuck(t *testing.T) {
	t.Parallel()
	for status, want := range map[corev1.ConditionStatus]bool{"": false, "True": false, "False": true, "Unknown": true} {
		d := &appsv1.Deployment{}
		if status != "" {
			d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: status}}
		}
		if have := upgrade.Stuck(d); have != want {
			t.Errorf("Progressing=%s: want %v, have %v", status, want, have)
		}
	}
}
