package apply_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// drift is what happens to a child of one kind behind the operator's back.
type drift struct {
	// of makes the Copilot one that has the child.
	of func(*v1alpha1.CopilotSpec)
	// child is the object of the API server, which the functions below see and change.
	child client.Object
	// theirs adds what the operator does not own, besides a label and an annotation.
	theirs func()
	// ours are changes and removals of what the operator owns.
	ours map[string]func()
}

// Every kind of child: what we own is healed, what we do not own stays and is no reason to write.
func TestDrift(t *testing.T) {
	t.Parallel()
	for name, d := range drifts() {
		kind, _, _ := strings.Cut(name, ",")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if d.of != nil {
				d.of(&f.copilot.Spec)
			}
			f.apply()
			d.child.SetName("c-handoff")
			f.Edit(d.child, func() {
				annotate(d.child, "theirs.example/note", "kept")
				label(d.child, "theirs.example/team", "kept")
				if d.theirs != nil {
					d.theirs()
				}
			})
			f.expectWritten()
			f.Get(d.child)
			wanted := content(t, d.child)
			d.ours["our label changed"] = func() { label(d.child, "app.kubernetes.io/name", "else") }
			d.ours["our label removed"] = func() { delete(d.child.GetLabels(), desired.LabelManagedBy) }
			d.ours["the owner removed"] = func() { d.child.SetOwnerReferences(nil) }
			if kind == "PersistentVolumeClaim" {
				delete(d.ours, "the owner removed") // it has none
			}
			for what, change := range d.ours {
				f.Edit(d.child, change)
				if have := f.apply(); len(have) != 1 || have[0] != kind {
					t.Errorf("%s: wrote %v", what, have)
				}
				f.Get(d.child)
				// The whole object, so that what is theirs is there as well.
				if diff := cmp.Diff(wanted, content(t, d.child)); diff != "" {
					t.Errorf("%s: not as before (-want +got)\n%s", what, diff)
				}
				f.expectWritten()
			}
		})
	}
}

// content is the object without what every write changes. The items of a list are sorted: where an item is put back is the
// API server's business.
func content(t *testing.T, o client.Object) any {
	t.Helper()
	o = o.DeepCopyObject().(client.Object)
	o.SetResourceVersion("")
	o.SetGeneration(0)
	o.SetManagedFields(nil)
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	return sorted(raw)
}

func sorted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = sorted(v[k])
		}
	case []any:
		for i := range v {
			v[i] = sorted(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return v
}

func annotate(o client.Object, key, value string) {
	all := o.GetAnnotations()
	if all == nil {
		all = map[string]string{}
	}
	all[key] = value
	o.SetAnnotations(all)
}

func label(o client.Object, key, value string) {
	all := o.GetLabels()
	all[key] = value
	o.SetLabels(all)
}

func drifts() map[string]drift {
	all := map[string]drift{}
	for _, part := range []map[string]drift{identity(), network(), workload(), exposed()} {
		for kind, d := range part {
			all[kind] = d
		}
	}
	return all
}

func identity() map[string]drift {
	account, role, binding, table := &corev1.ServiceAccount{}, &rbacv1.Role{}, &rbacv1.RoleBinding{}, &v1alpha1.RoutingTable{}
	return map[string]drift{
		"ServiceAccount": {
			child:  account,
			theirs: func() { account.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "theirs"}} },
			ours: map[string]func(){
				"token mounted":  func() { account.AutomountServiceAccountToken = ptr.To(true) },
				"mount left out": func() { account.AutomountServiceAccountToken = nil },
			},
		},
		"Role": {
			child: role,
			ours: map[string]func(){
				"verb added":   func() { role.Rules[0].Verbs = append(role.Rules[0].Verbs, "delete") },
				"rule removed": func() { role.Rules = role.Rules[1:] },
				"rule added": func() {
					role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}})
				},
			},
		},
		"RoleBinding": {
			child: binding,
			ours: map[string]func(){
				"other subject":   func() { binding.Subjects[0].Name = "else" },
				"subject removed": func() { binding.Subjects = nil },
			},
		},
		"RoutingTable": {
			child: table,
			ours: map[string]func(){
				"other revision": func() { table.Spec.Revision = "0" },
				"table emptied":  func() { table.Spec.Table.Raw = []byte("{}") },
			},
		},
	}
}

func network() map[string]drift {
	policy, service, inside := &networkingv1.NetworkPolicy{}, &corev1.Service{}, &corev1.Service{}
	return map[string]drift{
		"NetworkPolicy": {
			child:  policy,
			theirs: func() { policy.Spec.Egress = []networkingv1.NetworkPolicyEgressRule{{}} },
			ours: map[string]func(){
				"opened":       func() { policy.Spec.Ingress[0].Ports = nil },
				"rule removed": func() { policy.Spec.Ingress = nil },
				"other pods":   func() { policy.Spec.PodSelector = metav1.LabelSelector{} },
			},
		},
		"Service": {
			child: service,
			theirs: func() {
				service.Spec.Type = corev1.ServiceTypeNodePort
				service.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
				service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: "theirs", Port: 9999})
			},
			ours: map[string]func(){
				"other target":      func() { service.Spec.Ports[0].TargetPort = intstr.FromInt32(1) },
				"selector changed":  func() { service.Spec.Selector["app.kubernetes.io/instance"] = "else" },
				"selector narrowed": func() { delete(service.Spec.Selector, "app.kubernetes.io/instance") },
			},
		},
		// With another type its node port would go with the port, and not come back the same.
		"Service, inside the cluster": {
			child: inside,
			ours: map[string]func(){
				"port removed": func() { inside.Spec.Ports = inside.Spec.Ports[1:] },
			},
		},
	}
}

func workload() map[string]drift {
	deployment, budget, claim := &appsv1.Deployment{}, &policyv1.PodDisruptionBudget{}, &corev1.PersistentVolumeClaim{}
	pod := &deployment.Spec.Template.Spec
	ours := func() *corev1.Container {
		for i := range pod.Containers {
			if pod.Containers[i].Name == "runtime" {
				return &pod.Containers[i]
			}
		}
		return nil
	}
	return map[string]drift{
		"Deployment": {
			of: func(s *v1alpha1.CopilotSpec) { // scaled from outside
				s.Storage = &v1alpha1.Storage{Type: v1alpha1.StoragePostgres}
			},
			child: deployment,
			theirs: func() {
				deployment.Spec.Replicas = ptr.To[int32](7)
				annotate(deployment, "deployment.kubernetes.io/revision", "3")
				deployment.Spec.Template.Annotations["kubectl.kubernetes.io/restartedAt"] = "2026-11-22T10:00:00Z"
				c := ours()
				c.Env = append(c.Env, corev1.EnvVar{Name: "THEIRS", Value: "yes"})
				c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "theirs", MountPath: "/theirs"})
				pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "theirs"})
				pod.InitContainers = []corev1.Container{{Name: "theirs-first", Image: "theirs.example/first"}}
				pod.Containers = append([]corev1.Container{{Name: "theirs", Image: "theirs.example/sidecar"}}, pod.Containers...)
			},
			ours: map[string]func(){
				"other image":     func() { ours().Image = "else.example/x" },
				"other argument":  func() { ours().Args[0] = "--namespace=else" },
				"probe removed":   func() { ours().LivenessProbe = nil },
				"request raised":  func() { ours().Resources.Requests[corev1.ResourceCPU] = *quantity("3") },
				"root allowed":    func() { pod.SecurityContext.RunAsNonRoot = nil },
				"volume unbound":  func() { pod.Volumes[0].EmptyDir.SizeLimit = nil },
				"our env removed": func() { ours().Env = ours().Env[1:] },
				"other strategy": func() {
					deployment.Spec.Strategy = appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
				},
			},
		},
		"PodDisruptionBudget": {
			of:    func(s *v1alpha1.CopilotSpec) { s.Storage = &v1alpha1.Storage{Type: v1alpha1.StoragePostgres} },
			child: budget,
			ours: map[string]func(){
				"blocks drains": func() { budget.Spec.MaxUnavailable = ptr.To(intstr.FromInt32(0)) },
				"no limit":      func() { budget.Spec.MaxUnavailable = nil },
				"other pods":    func() { budget.Spec.Selector = &metav1.LabelSelector{} },
			},
		},
		"PersistentVolumeClaim": {child: claim, ours: map[string]func(){}},
	}
}

func exposed() map[string]drift {
	ingress, route := &networkingv1.Ingress{}, &gatewayv1.HTTPRoute{}
	return map[string]drift{
		"Ingress": {
			of: func(s *v1alpha1.CopilotSpec) {
				s.Exposure = &v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: "c.example", Ingress: &v1alpha1.IngressExposure{
					ClassName: ptr.To("nginx"), TLSSecretRef: &v1alpha1.LocalRef{Name: "tls"}, Annotations: map[string]string{"ours": "yes"},
				}}
			},
			child: ingress,
			theirs: func() {
				ingress.Spec.DefaultBackend = &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
					Name: "theirs", Port: networkingv1.ServiceBackendPort{Number: 80},
				}}
			},
			ours: map[string]func(){
				"metrics exposed":    func() { ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Port.Name = "metrics" },
				"other host":         func() { ingress.Spec.Rules[0].Host = "else.example" },
				"rules removed":      func() { ingress.Spec.Rules = nil },
				"TLS removed":        func() { ingress.Spec.TLS = nil },
				"class removed":      func() { ingress.Spec.IngressClassName = nil },
				"annotation changed": func() { ingress.Annotations["ours"] = "no" },
				"annotation removed": func() { delete(ingress.Annotations, "ours") },
			},
		},
		"HTTPRoute": {
			of: func(s *v1alpha1.CopilotSpec) {
				s.Exposure = &v1alpha1.Exposure{Type: v1alpha1.ExposureGateway, Host: "c.example", Gateway: &v1alpha1.GatewayExposure{Name: "public"}}
			},
			child: route,
			ours: map[string]func(){
				"other gateway":    func() { route.Spec.ParentRefs[0].Name = "else" },
				"other host":       func() { route.Spec.Hostnames[0] = "else.example" },
				"hosts removed":    func() { route.Spec.Hostnames = nil },
				"metrics exposed":  func() { route.Spec.Rules[0].BackendRefs[0].Port = ptr.To[int32](desired.PortMetrics) },
				"timeout set":      func() { route.Spec.Rules[0].Timeouts.Request = ptr.To[gatewayv1.Duration]("1s") },
				"timeouts removed": func() { route.Spec.Rules[0].Timeouts = nil },
			},
		},
	}
}

// A list that somebody sorts otherwise holds the same: a write for it would be repeated at every look.
func TestOrderIsNoDifference(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.copilot.Spec.Runtime = &v1alpha1.Runtime{PodTemplate: &v1alpha1.PodTemplate{Spec: &v1alpha1.PodSpec{
		Containers: []v1alpha1.PodContainer{{Name: "runtime", Env: []corev1.EnvVar{{Name: "B", Value: "b"}, {Name: "A", Value: "a"}}}},
	}}}
	f.apply()
	f.expectWritten()
	d := f.deployment()
	f.Edit(d, func() {
		env := d.Spec.Template.Spec.Containers[0].Env
		env[0], env[1] = env[1], env[0]
	})
	f.apply() // it may put them back in order, once
	f.expectWritten()
}

func TestVolumeGrows(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	class := &storagev1.StorageClass{Provisioner: "grows.example", AllowVolumeExpansion: ptr.To(true)}
	class.Name = f.Namespace // it belongs to no namespace
	if err := f.Client.Create(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	embedded := &v1alpha1.EmbeddedStorage{StorageClassName: &class.Name}
	f.copilot.Spec.Storage = &v1alpha1.Storage{Embedded: embedded}
	f.apply()
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "c-handoff"}}
	f.Edit(claim, func() { claim.Spec.VolumeName = "v" })
	claim.Status.Phase = corev1.ClaimBound // there is no volume controller here
	claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: *quantity("1Gi")}
	if err := f.Client.Status().Update(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	f.expectWritten()
	embedded.Size = quantity("2Gi")
	f.expectWritten("PersistentVolumeClaim")
	f.expectWritten()

	// Somebody made room without the Copilot. The API server refuses to take it away again, so it is no difference.
	f.Edit(claim, func() { claim.Spec.Resources.Requests[corev1.ResourceStorage] = *quantity("5Gi") })
	f.apply()
	f.expectWritten()
	f.Get(claim)
	if size := claim.Spec.Resources.Requests.Storage(); size.Cmp(*quantity("5Gi")) != 0 {
		t.Errorf("the claim is for %s", size)
	}
	embedded.Size = quantity("6Gi")
	f.expectWritten("PersistentVolumeClaim")
	f.expectWritten()
}

func TestRemove(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.copilot.Spec.Storage = &v1alpha1.Storage{Type: v1alpha1.StoragePostgres}
	f.copilot.Spec.Exposure = &v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: "c.example", Gateway: &v1alpha1.GatewayExposure{Name: "g"}}
	f.apply()
	f.expectRemoved()
	f.copilot.Spec.Exposure.Type = v1alpha1.ExposureGateway
	f.expectWritten("HTTPRoute")
	f.expectRemoved("Ingress")
	f.expectRemoved()
	f.copilot.Spec.Exposure = nil
	f.copilot.Spec.Runtime = &v1alpha1.Runtime{Replicas: ptr.To[int32](1)}
	f.expectRemoved("PodDisruptionBudget", "HTTPRoute")
	f.expectRemoved()
}

// An object with a child's name that is somebody else's, or another Copilot's, is not deleted.
func TestRemoveOnlyOurs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	other := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "other"}}
	f.ExpectCreated(other)
	reference := func(c *v1alpha1.Copilot) []metav1.OwnerReference {
		return []metav1.OwnerReference{*metav1.NewControllerRef(c, v1alpha1.GroupVersion.WithKind("Copilot"))}
	}
	for name, meta := range map[string]metav1.ObjectMeta{
		"nobody's":             {},
		"our label, no owner":  {Labels: desired.Labels("c")},
		"our owner, no label":  {OwnerReferences: reference(f.copilot)},
		"another's, our label": {Labels: desired.Labels("c"), OwnerReferences: reference(other)},
	} {
		meta.Name = "c-handoff"
		theirs := &networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "theirs", Port: networkingv1.ServiceBackendPort{Number: 80}},
		}}}
		f.ExpectCreated(theirs)
		f.expectRemoved()
		f.ExpectDeleted(theirs)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// What changed since it was looked at may have become somebody else's.
func TestRemoveWhatWasLookedAt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.copilot.Spec.Exposure = &v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: "c.example"}
	f.apply()
	seen := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: "c-handoff"}}
	f.Get(seen)
	now := seen.DeepCopy()
	f.Edit(now, func() { now.OwnerReferences = nil })
	f.copilot.Spec.Exposure = nil
	f.applier.Client = late{f.Client, seen}
	f.expectRemoved()
	f.Get(now)
}

// late is a client whose cache holds an Ingress as it was.
type late struct {
	client.WithWatch
	seen *networkingv1.Ingress
}

// Get returns the Ingress of before.
func (l late) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if ingress, ok := o.(*networkingv1.Ingress); ok {
		l.seen.DeepCopyInto(ingress)
		return nil
	}
	return l.WithWatch.Get(ctx, key, o, opts...)
}

func quantity(s string) *resource.Quantity { return ptr.To(resource.MustParse(s)) }
