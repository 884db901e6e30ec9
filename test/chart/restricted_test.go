package chart

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// patience ends a test that hangs.
const patience = 2 * time.Minute

// account is the operator's ServiceAccount as the API server sees it.
var account = rest.ImpersonationConfig{
	UserName: "system:serviceaccount:" + releaseNamespace + ":" + release,
	Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + releaseNamespace, "system:authenticated"},
}

// TestRestricted installs the chart with watchNamespaces: [ours] on an API server and starts the operator, the real program
// with the arguments of the Deployment and the rights of its ServiceAccount. A tenant in ours gets all it needs, one in
// theirs gets nothing, and what the operator may do ends at the namespace: shown by asking for each of its rights, and by
// real requests.
func TestRestricted(t *testing.T) {
	t.Parallel()
	objects := template(t, "--values", "testdata/default.values.yaml", "--set=watchNamespaces={ours}")
	api := startAPI(t)
	for _, ns := range []string{releaseNamespace, "ours", "theirs"} {
		api.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
	}
	api.install(objects)
	for _, ns := range []string{"ours", "theirs"} {
		api.apply(ns, root+"/config/samples/minimal.yaml")
	}
	// The operator has settled in theirs, if it can, as soon as it has in ours.
	startOperator(t, api, objects)
	api.untilApplied("ours")

	for _, list := range children() {
		api.list(list, "ours")
		if meta.LenList(list) == 0 {
			t.Errorf("the tenant in ours has no %T", list)
		}
		api.list(list, "theirs")
		if n := meta.LenList(list); n > 0 {
			t.Errorf("the tenant in theirs has %d of %T", n, list)
		}
	}
	api.expectRights(objects)
	api.expectRefused("theirs")
	api.expectRefused(metav1.NamespaceAll)
	if err := api.operator.List(t.Context(), &corev1.SecretList{}, client.InNamespace("ours")); err != nil {
		t.Errorf("the requests of this test say nothing: where the operator may list Secrets it has %v", err)
	}
}

// children are the lists of what a tenant consists of.
func children() []client.ObjectList {
	return []client.ObjectList{
		&v1alpha1.RoutingTableList{}, &appsv1.DeploymentList{}, &corev1.ServiceList{}, &rbacv1.RoleBindingList{},
		&networkingv1.NetworkPolicyList{}, &corev1.PersistentVolumeClaimList{},
	}
}

// api is an API server, seen as an administrator and as the operator.
type api struct {
	t               *testing.T
	config          *rest.Config
	admin, operator client.WithWatch
}

func startAPI(t *testing.T) *api {
	t.Helper()
	tool(t, "KUBEBUILDER_ASSETS")
	// A machine that does much else starts it slowly.
	env := &envtest.Environment{ControlPlaneStartTimeout: patience}
	config, err := env.Start()
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	a := &api{t: t, config: config}
	impersonated := rest.CopyConfig(config)
	impersonated.Impersonate = account
	for c, config := range map[*client.WithWatch]*rest.Config{&a.admin: config, &a.operator: impersonated} {
		if *c, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (a *api) create(o client.Object) {
	a.t.Helper()
	if err := a.admin.Create(a.t.Context(), o); err != nil {
		a.t.Fatal(err)
	}
}

func (a *api) list(list client.ObjectList, ns string) {
	a.t.Helper()
	if err := a.admin.List(a.t.Context(), list, client.InNamespace(ns)); err != nil {
		a.t.Fatal(err)
	}
}

// install applies what the chart renders, as helm does: CRDs are established before anybody needs them.
func (a *api) install(objects []*unstructured.Unstructured) {
	a.t.Helper()
	for _, u := range objects {
		err := a.admin.Apply(a.t.Context(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("helm"))
		if err != nil {
			a.t.Fatalf("%s: %v", key(u), err)
		}
	}
	for _, u := range objects {
		if u.GetKind() == "CustomResourceDefinition" {
			a.until(u, "", func(u *unstructured.Unstructured) bool { return isTrue(u, "Established") })
		}
	}
}

func (a *api) apply(ns, file string) {
	a.t.Helper()
	for _, u := range parse(a.t, run(a.t, "cat", file)) {
		u.SetNamespace(ns)
		if err := a.admin.Apply(a.t.Context(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("test")); err != nil {
			a.t.Fatalf("%s: %v", key(u), err)
		}
	}
}

// untilApplied waits until all that a runtime needs is there and the Copilot waits for nothing but its pod.
func (a *api) untilApplied(ns string) {
	a.t.Helper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Copilot"))
	u.SetName("bikes")
	a.until(u, ns, func(u *unstructured.Unstructured) bool {
		c := condition(u, "Ready")
		return c["reason"] == v1alpha1.ReasonWaitingForReplicas
	})
}

// until waits until the object that u names fits.
func (a *api) until(u *unstructured.Unstructured, ns string, fits func(*unstructured.Unstructured) bool) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(u.GroupVersionKind().GroupVersion().WithKind(u.GetKind() + "List"))
	events, err := a.admin.Watch(ctx, list, client.InNamespace(ns), client.MatchingFields{"metadata.name": u.GetName()})
	if err != nil {
		a.t.Fatal(err)
	}
	defer events.Stop()
	var last any
	for e := range events.ResultChan() {
		if seen, ok := e.Object.(*unstructured.Unstructured); ok {
			if fits(seen) {
				return
			}
			last = seen.Object["status"]
		}
	}
	a.t.Fatalf("%s stays %v", key(u), last)
}

func condition(u *unstructured.Unstructured, kind string) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		if c := c.(map[string]any); c["type"] == kind {
			return c
		}
	}
	return nil
}

func isTrue(u *unstructured.Unstructured, kind string) bool {
	return condition(u, kind)["status"] == "True"
}

// startOperator builds and starts cmd/operator as the Deployment says.
func startOperator(t *testing.T, a *api, objects []*unstructured.Unstructured) {
	t.Helper()
	dir := t.TempDir()
	run(t, "go", "build", "-C", root, "-o", filepath.Join(dir, "operator"), "./cmd/operator")
	file := clientcmdapi.NewConfig()
	file.Clusters["api"] = &clientcmdapi.Cluster{Server: a.config.Host, CertificateAuthorityData: a.config.CAData}
	file.AuthInfos["admin"] = &clientcmdapi.AuthInfo{
		ClientCertificateData: a.config.CertData, ClientKeyData: a.config.KeyData,
		Impersonate: account.UserName, ImpersonateGroups: account.Groups,
	}
	file.Contexts["api"] = &clientcmdapi.Context{Cluster: "api", AuthInfo: "admin"}
	file.CurrentContext = "api"
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*file, kubeconfig); err != nil {
		t.Fatal(err)
	}
	args := append(arguments(t, objects), "--metrics-bind-address=0", "--health-probe-bind-address=0")
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "operator"), args...)
	cmd.Env = []string{"KUBECONFIG=" + kubeconfig}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan []string, 1)
	go func() { said <- lines(stderr) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended with the test's context
		all := <-said
		_ = cmd.Wait()
		for _, line := range all {
			if strings.Contains(line, "forbidden") || t.Failed() {
				t.Errorf("the operator said: %s", line)
			}
		}
	})
}

func lines(r io.Reader) (out []string) {
	for s := bufio.NewScanner(r); s.Scan(); {
		out = append(out, s.Text())
	}
	return out
}

// arguments are those of the operator's container, without the election, which needs a pod.
func arguments(t *testing.T, objects []*unstructured.Unstructured) []string {
	t.Helper()
	var d appsv1.Deployment
	decode(t, objects, "Deployment "+releaseNamespace+"/"+release, &d)
	args := slices.DeleteFunc(d.Spec.Template.Spec.Containers[0].Args, func(a string) bool { return a == "--leader-elect" })
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "$(RUNTIME_IMAGE)", "registry.example/handoff-runtime:test")
	}
	if !slices.Contains(args, "--namespace=ours") {
		t.Fatalf("the arguments name no namespace: %q", args)
	}
	return args
}

func decode(t *testing.T, objects []*unstructured.Unstructured, name string, into any) {
	t.Helper()
	for _, u := range objects {
		if u.GetKind()+" "+u.GetNamespace()+"/"+u.GetName() == name {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the chart has no %s", name)
}

// expectRights asks the API server about every right of the unrestricted operator: it is there in ours, and nowhere else
// but for what is in no namespace.
func (a *api) expectRights(objects []*unstructured.Unstructured) {
	a.t.Helper()
	var whole rbacv1.ClusterRole
	decode(a.t, template(a.t, "--values", "testdata/default.values.yaml"), "ClusterRole /"+release, &whole)
	asked := 0
	for _, rule := range whole.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					asked++
					a.expectRight(group, resource, verb)
				}
			}
		}
	}
	if asked < 50 {
		a.t.Errorf("only %d rights were asked for", asked)
	}
	// Nobody else may be let in by mistake.
	for _, u := range objects {
		if u.GetKind() == "ClusterRoleBinding" && u.GetName() != release+"-"+releaseNamespace {
			a.t.Errorf("%s binds something in the whole cluster", key(u))
		}
	}
}

func (a *api) expectRight(group, resource, verb string) {
	a.t.Helper()
	name, sub, _ := strings.Cut(resource, "/")
	mapper := a.admin.RESTMapper()
	gvk, err := mapper.KindFor(schema.GroupVersionResource{Group: group, Resource: name})
	if err == nil {
		mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			a.t.Fatal(err)
		}
		if mapping.Scope.Name() == meta.RESTScopeNameRoot {
			return
		}
	}
	for ns, want := range map[string]bool{"ours": true, "theirs": false, releaseNamespace: false, metav1.NamespaceAll: false} {
		if ns == releaseNamespace && name == "events" {
			continue // who leads is told there
		}
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: account.UserName, Groups: account.Groups,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: ns, Group: group, Resource: name, Subresource: sub, Verb: verb},
		}}
		a.create(review)
		if review.Status.Allowed != want {
			a.t.Errorf("%s %s.%s in %q: allowed is %t: %s", verb, resource, group, ns, review.Status.Allowed, review.Status.Reason)
		}
	}
}

// expectRefused sends the operator's requests for another's objects.
func (a *api) expectRefused(ns string) {
	a.t.Helper()
	lists := []client.ObjectList{
		&corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.PodList{}, &v1alpha1.CopilotList{}, &v1alpha1.ChannelList{},
		&v1alpha1.HandoffPolicyList{}, &v1alpha1.AgentPoolList{}, &v1alpha1.RoutingTableList{},
	}
	for _, list := range lists {
		if err := a.operator.List(a.t.Context(), list, client.InNamespace(ns)); !apierrors.IsForbidden(err) {
			a.t.Errorf("listing %T in %q: %v", list, ns, err)
		}
		w, err := a.operator.Watch(a.t.Context(), list, client.InNamespace(ns))
		if !apierrors.IsForbidden(err) {
			a.t.Errorf("watching %T in %q: %v", list, ns, err)
		}
		if err == nil {
			w.Stop()
		}
	}
	if ns == metav1.NamespaceAll {
		return
	}
	for _, o := range []client.Object{&corev1.Secret{}, &corev1.ConfigMap{}, &v1alpha1.Copilot{}} {
		err := a.operator.Get(a.t.Context(), client.ObjectKey{Namespace: ns, Name: "bikes"}, o)
		if !apierrors.IsForbidden(err) {
			a.t.Errorf("reading %T bikes of %q: %v", o, ns, err)
		}
	}
}
