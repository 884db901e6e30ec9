package faults

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// scenario is what users do to the tenant of testdata/tenant.yaml. All comes to rest after each step.
type scenario struct {
	name string
	// fromNothing says that the tenant is not there at first.
	fromNothing bool
	steps       []func(*run)
}

// child is the name of each of the Copilot's children.
const child = "shop-handoff"

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

// copilot is a step that edits the spec of the Copilot.
func copilot(edit func(*v1alpha1.CopilotSpec)) func(*run) {
	return func(r *run) {
		c := &v1alpha1.Copilot{ObjectMeta: named("shop")}
		r.Edit(c, func() { edit(&c.Spec) })
	}
}

func scenarios() []scenario {
	return []scenario{
		{name: "create", fromNothing: true, steps: []func(*run){(*run).tenant}},
		{name: "policy-reference", steps: []func(*run){
			copilot(func(s *v1alpha1.CopilotSpec) { s.PolicyRef.Name = "night" }),
			copilot(func(s *v1alpha1.CopilotSpec) { s.PolicyRef = nil }),
		}},
		{name: "pool-reference", steps: []func(*run){func(r *run) {
			p := &v1alpha1.HandoffPolicy{ObjectMeta: named("day")}
			r.Edit(p, func() { p.Spec.Routes[0].Targets[0].Pool.Name = "night" })
		}}},
		{name: "secret-reference", steps: []func(*run){
			copilot(func(s *v1alpha1.CopilotSpec) { s.Model.APIKeySecretRef.Name = "night-key" }),
			func(r *run) { r.ExpectDeleted(&corev1.Secret{ObjectMeta: named("night-key")}) },
			func(r *run) {
				r.ExpectCreated(&corev1.Secret{ObjectMeta: named("night-key"), StringData: map[string]string{"token": "c"}})
			},
		}},
		{name: "configmap-reference", steps: []func(*run){
			copilot(func(s *v1alpha1.CopilotSpec) { s.Knowledge[0].ConfigMapRef.Name = "night-faq" }),
			copilot(func(s *v1alpha1.CopilotSpec) { s.Knowledge[0].ConfigMapRef.Name = "missing" }),
		}},
		{name: "channels", steps: []func(*run){addChannel, func(r *run) {
			r.ExpectDeleted(&v1alpha1.Channel{ObjectMeta: named("shop-web")})
		}}},
		{name: "scale", steps: []func(*run){
			copilot(func(s *v1alpha1.CopilotSpec) { s.Runtime = &v1alpha1.Runtime{Replicas: ptr.To[int32](0)} }),
			copilot(func(s *v1alpha1.CopilotSpec) { s.Runtime.Replicas = ptr.To[int32](1) }),
		}},
		{name: "upgrade", steps: []func(*run){(*run).release}},
		{name: "expose", steps: []func(*run){
			copilot(func(s *v1alpha1.CopilotSpec) {
				s.Exposure = &v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: "shop.example"}
			}),
			copilot(func(s *v1alpha1.CopilotSpec) { s.Exposure = nil }),
		}},
		{name: "storage", steps: []func(*run){
			copilot(func(s *v1alpha1.CopilotSpec) {
				s.Storage = &v1alpha1.Storage{Embedded: &v1alpha1.EmbeddedStorage{WhenDeleted: v1alpha1.WhenDeletedDelete}}
			}),
			copilot(func(s *v1alpha1.CopilotSpec) { s.Storage.Embedded.WhenDeleted = v1alpha1.WhenDeletedRetain }),
		}},
		{name: "drift", steps: []func(*run){drift}},
		{name: "delete", steps: []func(*run){deleteAll, (*run).tenant}},
	}
}

func addChannel(r *run) {
	r.ExpectCreated(&v1alpha1.Channel{ObjectMeta: named("second"), Spec: v1alpha1.ChannelSpec{
		CopilotRef: v1alpha1.LocalRef{Name: "shop"}, Type: v1alpha1.ChannelTypeWeb,
		Web: &v1alpha1.WebChannel{Token: "second-web"},
	}})
}

func drift(r *run) {
	r.ExpectDeleted(&corev1.Service{ObjectMeta: named(child)})
	role := &rbacv1.Role{ObjectMeta: named(child)}
	r.Edit(role, func() { role.Rules = nil })
	d := &appsv1.Deployment{ObjectMeta: named(child)}
	r.Edit(d, func() {
		d.Spec.Template.Spec.Containers[0].Image = "somebody.example/else"
		d.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("3")}
	})
}

func deleteAll(r *run) {
	r.ExpectDeleted(&v1alpha1.Copilot{ObjectMeta: named("shop")})
	r.ExpectDeleted(&v1alpha1.Channel{ObjectMeta: named("shop-web")})
	r.ExpectDeleted(&v1alpha1.HandoffPolicy{ObjectMeta: named("day")})
	r.ExpectDeleted(&v1alpha1.AgentPool{ObjectMeta: named("day")})
}
