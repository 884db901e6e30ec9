package controller_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

func TestMissingReferencesAreNamedAndHeal(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	op := w.Start()
	b := ready(w)
	w.Edit(b.copilot, func() {
		b.copilot.Spec.Knowledge[0].ConfigMapRef.Name = "prices"
		b.copilot.Spec.Model = &v1alpha1.Model{Name: "m", APIKeySecretRef: &v1alpha1.SecretKeyRef{Name: "vendor", Key: "token"}}
	})
	missing := func(reason string, says ...string) {
		t.Helper()
		w.ExpectCondition(b.copilot, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, reason, says...)
	}
	missing(v1alpha1.ReasonNotFound, `ConfigMap "prices"`, `Secret "vendor"`)

	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot) // what it knows is gone, what it does is not

	w.ExpectCreated(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "prices"}})
	missing(v1alpha1.ReasonNotFound, "spec.model.apiKeySecretRef.name")
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "vendor"}, StringData: map[string]string{"other": "x"}}
	w.ExpectCreated(secret)
	missing(v1alpha1.ReasonKeyNotFound, "spec.model.apiKeySecretRef.key", `"token"`)
	w.Edit(secret, func() { secret.Data["token"] = []byte("x") })
	w.ExpectCondition(b.copilot, v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue, v1alpha1.ReasonResolved)
	if reads := count(op.Reads(), "GET secrets/vendor"); reads != 2 {
		t.Errorf("the Secret had two versions and was read %d times", reads)
	}

	w.ExpectDeleted(secret)
	missing(v1alpha1.ReasonNotFound, `Secret "vendor"`)
}

func count(list []string, what string) int {
	n := 0
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}

func TestDriftIsHealed(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	ready(w)
	for _, o := range owned() {
		w.Get(o)
		w.ExpectDeleted(o)
		w.UntilReplaced(o)
	}

	name := metav1.ObjectMeta{Name: "bikes-handoff"}
	d := &appsv1.Deployment{ObjectMeta: name}
	w.Edit(d, func() { d.Spec.Replicas = ptr.To[int32](0) })
	w.Until(d, func() error { return want(*d.Spec.Replicas, 1) })
	w.Edit(d, func() { d.Spec.Template.Spec.Containers[0].Image = "somebody.example/else" })
	w.Until(d, func() error { return want(d.Spec.Template.Spec.Containers[0].Image, controltest.Image) })

	role := &rbacv1.Role{ObjectMeta: name}
	w.Edit(role, func() {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}})
	})
	w.Until(role, func() error { return want(len(role.Rules), 3) })

	// Without the label the operator's cache does not show the object any more.
	s := &corev1.Service{ObjectMeta: name}
	w.Edit(s, func() { delete(s.Labels, desired.LabelManagedBy) })
	w.Until(s, func() error { return want(s.Labels[desired.LabelManagedBy], desired.ManagedBy) })

	// What others add and we do not own stays.
	w.Edit(s, func() {
		s.Annotations = map[string]string{"theirs": "kept"}
		s.Spec.Selector["app.kubernetes.io/instance"] = "x"
	})
	w.Until(s, func() error { return want(s.Spec.Selector["app.kubernetes.io/instance"], "bikes") })
	if s.Annotations["theirs"] != "kept" {
		t.Errorf("somebody else's annotation is gone: %v", s.Annotations)
	}
}

func want[T comparable](have, wanted T) error {
	if have != wanted {
		return fmt.Errorf("want %v, have %v", wanted, have)
	}
	return nil
}

func TestFieldNoLongerWantedIsPruned(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := ready(w)
	w.Edit(b.copilot, func() {
		b.copilot.Spec.Runtime = &v1alpha1.Runtime{ImagePullSecrets: []v1alpha1.LocalRef{{Name: "pull"}}}
	})
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "bikes-handoff"}}
	w.Until(d, func() error { return want(len(d.Spec.Template.Spec.ImagePullSecrets), 1) })
	w.Edit(b.copilot, func() { b.copilot.Spec.Runtime = nil })
	w.Until(d, func() error { return want(len(d.Spec.Template.Spec.ImagePullSecrets), 0) })
}

// The API server refuses what it can see to be wrong in one object. That two pools say different things of one person it
// cannot see.
func TestMistakeInPoolLeavesTenantServed(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := ready(w)
	w.Get(b.pool)
	person := b.pool.Spec.Agents[0]
	person.Phone = "+4930901820"
	night := &v1alpha1.AgentPool{
		ObjectMeta: metav1.ObjectMeta{Name: "night"}, Spec: v1alpha1.AgentPoolSpec{Agents: []v1alpha1.Agent{person}},
	}
	w.ExpectCreated(night)
	before := w.Current("bikes").Spec.Revision
	w.Edit(b.policy, func() {
		targets := &b.policy.Spec.Routes[0].Targets
		(*targets)[0].For = "1m"
		*targets = append(*targets, v1alpha1.Target{Type: v1alpha1.TargetTypePool, Pool: &v1alpha1.PoolTarget{Name: "night"}})
	})
	w.After("bikes", before)
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot, b.channel, b.pool, night)

	w.Edit(b.pool, func() { b.pool.Spec.Agents[0].Phone = "+4930901821" })
	w.ExpectCondition(b.pool, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonContradiction, "spec.agents[0].phone", "+4930901821")
	w.ExpectKstatus(b.pool, status.FailedStatus)
	w.ExpectAccepted(b.copilot, b.policy, night)
	w.ExpectReady(b.copilot, b.channel)

	w.Edit(b.pool, func() { b.pool.Spec.Agents[0].Phone = "" })
	w.ExpectReady(b.copilot, b.channel, b.pool)
}

func TestCopilotThatIsNotAcceptedKeepsItsChildren(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := ready(w)
	table := w.Current("bikes")
	w.Edit(b.copilot, func() {
		b.copilot.Spec.Runtime = &v1alpha1.Runtime{Resources: &corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")},
		}}
		b.copilot.Spec.DisplayName = "Other"
	})
	w.ExpectCondition(b.copilot, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "spec.runtime.resources")
	w.ExpectCondition(b.copilot, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotAccepted, "still served")
	w.ExpectKstatus(b.copilot, status.FailedStatus)
	w.ExpectCondition(b.channel, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCopilotNotReady)
	if now := w.Current("bikes"); now.UID != table.UID || now.Spec.Revision != table.Spec.Revision {
		t.Error("the table of before was replaced")
	}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "bikes-handoff"}}
	w.Get(d)
	if cpu := d.Spec.Template.Spec.Containers[0].Resources.Requests.Cpu(); cpu.String() != "20m" {
		t.Errorf("the Deployment went to requests of %s CPU", cpu)
	}

	w.Edit(b.copilot, func() { b.copilot.Spec.Runtime = nil })
	w.After("bikes", table.Spec.Revision)
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot, b.channel)
}

func TestObjectOfSomebodyElseIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	theirs := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "bikes-handoff"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 25}}},
	}
	w.ExpectCreated(theirs)
	w.Start()
	b := tenant(w)
	w.ExpectCondition(b.copilot, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonApplyFailed, "Service bikes-handoff exists", "rename")
	w.ExpectKstatus(b.copilot, status.InProgressStatus)
	w.Until(&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "bikes-handoff"}}, func() error { return nil })
	// Nobody is served by a runtime that nobody reaches.
	w.Run("bikes")
	w.Acknowledge("bikes")
	w.ExpectCondition(b.copilot, v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonProgrammed)
	w.ExpectCondition(b.copilot, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonApplyFailed, "Service bikes-handoff exists")
	w.Get(theirs)
	if len(theirs.OwnerReferences) > 0 || len(theirs.Spec.Ports) != 1 {
		t.Errorf("it was taken over: %+v", theirs)
	}

	w.ExpectDeleted(theirs)
	w.Until(theirs, func() error {
		if !metav1.IsControlledBy(theirs, b.copilot) {
			return errors.New("it is not the operator's")
		}
		return nil
	})
	w.ExpectReady(b.copilot, b.channel)
}

func TestNamespaceThatIsBeingDeletedIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.ExpectApplied(w.Manifests(controltest.Root("config/samples/minimal.yaml"))...)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}}
	if err := w.Client.Delete(t.Context(), ns); err != nil { // there is no namespace controller here: it stays Terminating
		t.Fatal(err)
	}
	op := w.Idle()
	reconcileAll(w, op, reconcilers(w, op)) // which fails the test on an error
	children := slices.DeleteFunc(slices.Clone(op.Writes()), func(s string) bool { return strings.HasSuffix(s, "/status") })
	if len(children) != 1 {
		t.Errorf("the operator tried to write %v; the first refusal says all", children)
	}
}
