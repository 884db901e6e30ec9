//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	runtimeclient "github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

const (
	chartDir = "../../charts/handoff-operator"
	// shownColumn begins the list of the columns of `kubectl get copilots` in the CRD.
	shownColumn = "  - additionalPrinterColumns:\n"
)

// TestHelm moves the operator that is there to Helm, upgrades it with a changed CRD, uninstalls it, installs it anew and
// confines it to one namespace. Through all of this a tenant serves its customers, in the pod it began with.
func TestHelm(t *testing.T) {
	h := newHelm(t)
	ns := namespace(t, "e2e-helm-")
	apply(t, ns, editedTenant)
	token := channelToken(t, ns, "bikes-web")
	before := runtimePod(t, ns, "bikes")
	base := serviceAddress(t, ns, "bikes")
	still := func(after string) {
		t.Helper()
		served(t, base, token)
		if now := runtimePod(t, ns, "bikes"); now.UID != before.UID || restartsOf(now) != restartsOf(before) {
			t.Fatalf("%s the tenant's pod is %s with %d restarts, before it was %s with %d",
				after, now.Name, restartsOf(now), before.Name, restartsOf(before))
		}
	}

	// kubectl owns, with Helm, what both applied, and alone what differs.
	h.run("install", operatorName, chartDir, "--take-ownership", "--force-conflicts", "--wait", "--timeout=3m")
	works(t, ns)
	still("after the move to Helm")

	h.run("upgrade", operatorName, changedChart(t), "--force-conflicts", "--wait", "--timeout=3m")
	if columns := crdColumns(t); columns[0] != "Upgraded" {
		t.Errorf("the upgrade left the CRD as it was: its columns are %q", columns)
	}
	works(t, ns)
	still("after an upgrade")

	h.run("uninstall", operatorName, "--wait", "--timeout=3m")
	err := cluster.client.Get(t.Context(), client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}, &appsv1.Deployment{})
	if client.IgnoreNotFound(err) != nil || err == nil {
		t.Fatalf("the operator is still there: %v", err)
	}
	still("without an operator")

	h.run("install", operatorName, chartDir, "--wait", "--timeout=3m")
	if columns := crdColumns(t); columns[0] == "Upgraded" {
		t.Error("the CRDs that were left are not those of the chart")
	}
	works(t, ns)
	still("after another installation")

	confined(t, h, ns)
	still("under a confined operator")
}

// confined has the operator work in one namespace, and checks that a tenant elsewhere is none of its business.
func confined(t *testing.T, h *helm, ns string) {
	t.Helper()
	elsewhere := namespace(t, "e2e-elsewhere-")
	apply(t, elsewhere, editedTenant)
	channelToken(t, elsewhere, "bikes-web")
	h.run("upgrade", operatorName, chartDir, "--set=watchNamespaces={"+ns+"}", "--wait", "--timeout=3m")
	works(t, ns)
	for namespace, want := range map[string]bool{ns: true, elsewhere: false, "": false} {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               "system:serviceaccount:" + operatorNamespace + ":" + operatorName,
			Groups:             []string{"system:authenticated", "system:serviceaccounts", "system:serviceaccounts:" + operatorNamespace},
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "get", Resource: "secrets"},
		}}
		if err := cluster.client.Create(t.Context(), review); err != nil {
			t.Fatal(err)
		}
		if review.Status.Allowed != want {
			t.Errorf("the operator of %s may read Secrets of %q: %t", ns, namespace, review.Status.Allowed)
		}
	}
	// Had it seen this edit, the table would have changed before the one of ns, which was edited later.
	editPool(t, elsewhere, "workshop", "Unseen")
	works(t, ns)
	if serves(table(t, elsewhere), "Unseen") {
		t.Error("a confined operator works in another namespace")
	}
}

// works edits a pool and waits until the running tenant has it: the operator watches, compiles and writes.
func works(t *testing.T, ns string) {
	t.Helper()
	name := "Mara of " + strings.ToLower(t.Name()) + " " + metav1.Now().Format("150405.000")
	editPool(t, ns, "workshop", name)
	err := eventually(t.Context(), func(context.Context) error {
		if !serves(table(t, ns), name) {
			return errors.New("the edit of an AgentPool has not reached the runtime")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func table(t *testing.T, ns string) *v1alpha1.RoutingTable {
	t.Helper()
	out := &v1alpha1.RoutingTable{}
	if err := cluster.client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "bikes-handoff"}, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// served asks the tenant of editedTenant a question as a customer, and waits for the answer.
func served(t *testing.T, base, token string) {
	t.Helper()
	c, err := runtimeclient.Open(t.Context(), http.DefaultClient, base, token, conversation.Customer{Name: "Cleo"})
	if err != nil {
		t.Fatalf("customers are not served: %v", err)
	}
	if _, err := c.Say(t.Context(), "m1", "When are you open?"); err != nil {
		t.Fatal(err)
	}
	err = eventually(t.Context(), func(ctx context.Context) error {
		events, err := c.Events(ctx, 0)
		if err != nil {
			return err
		}
		for _, e := range events {
			if strings.Contains(e.Text, "from nine to six") {
				return nil
			}
		}
		return fmt.Errorf("no answer among %d events", len(events))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// changedChart is the chart with one more column in the CRD of Copilots.
func changedChart(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "handoff-operator")
	// The links to the generated files are followed.
	command(t, "cp", "--recursive", "--dereference", chartDir, dir)
	file := filepath.Join(dir, "files/crds/handoff.opencopilot.so_copilots.yaml")
	crd, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(crd), shownColumn, shownColumn+"    - {name: Upgraded, type: string, jsonPath: .metadata.uid}\n", 1)
	if changed == string(crd) {
		t.Fatalf("%s has no columns", file)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func crdColumns(t *testing.T) (names []string) {
	t.Helper()
	crd := &unstructured.Unstructured{}
	crd.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := cluster.client.Get(t.Context(), client.ObjectKey{Name: "copilots.handoff.opencopilot.so"}, crd); err != nil {
		t.Fatal(err)
	}
	versions, _, err := unstructured.NestedSlice(crd.Object, "spec", "versions")
	if err != nil || len(versions) == 0 {
		t.Fatalf("the CRD has no versions: %v", err)
	}
	columns, _, err := unstructured.NestedSlice(versions[0].(map[string]any), "additionalPrinterColumns")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		names = append(names, c.(map[string]any)["name"].(string))
	}
	return names
}

// helm is the program, with the images of the operator that is deployed. After the test that operator is there again.
type helm struct {
	t      *testing.T
	path   string
	values []string
}

func newHelm(t *testing.T) *helm {
	t.Helper()
	h := &helm{t: t, path: os.Getenv("HELM")}
	if h.path == "" || os.Getenv("KUSTOMIZE") == "" {
		t.Fatal("HELM and KUSTOMIZE are not set: they must name the programs; run make e2e")
	}
	var d appsv1.Deployment
	if err := cluster.client.Get(t.Context(), client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}, &d); err != nil {
		t.Fatal(err)
	}
	container := d.Spec.Template.Spec.Containers[0]
	images := map[string]string{"image": container.Image}
	for _, e := range container.Env {
		if e.Name == "RUNTIME_IMAGE" {
			images["runtimeImage"] = e.Value
		}
	}
	for value, image := range images {
		h.values = append(h.values, "--set="+imageValues(value, image))
	}
	t.Cleanup(func() { h.restore(images["image"], images["runtimeImage"]) })
	return h
}

// imageValues are the chart's values for an image of the form name:tag or name@digest.
func imageValues(value, image string) string {
	if name, digest, found := strings.Cut(image, "@"); found {
		return fmt.Sprintf("%[1]s.repository=%[2]s,%[1]s.digest=%[3]s", value, name, digest)
	}
	colon := strings.LastIndex(image, ":")
	return fmt.Sprintf("%[1]s.repository=%[2]s,%[1]s.tag=%[3]s", value, image[:colon], image[colon+1:])
}

// run runs helm in the operator's namespace, with the images where it installs something.
func (h *helm) run(args ...string) {
	h.t.Helper()
	args = append(args, "--namespace="+operatorNamespace)
	if args[0] != "uninstall" {
		args = append(args, h.values...)
	}
	command(h.t, h.path, args...)
}

// restore deploys the operator as it was before the test.
func (h *helm) restore(operatorImage, runtimeImage string) {
	kubectl := os.Getenv("KUBECTL")
	if kubectl == "" {
		kubectl = "kubectl"
	}
	script := fmt.Sprintf(`set -euo pipefail
%[1]s uninstall %[2]s --namespace=%[3]s --ignore-not-found --wait
hack/render.sh %[4]s %[5]s | %[6]s apply --server-side --force-conflicts -f - >/dev/null
%[6]s -n %[3]s rollout status deployment/%[2]s --timeout=180s`,
		h.path, operatorName, operatorNamespace, operatorImage, runtimeImage, kubectl)
	cmd := exec.CommandContext(context.Background(), "bash", "-c", script)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Errorf("the operator could not be deployed as before: %v\n%s\nrun make operator", err, out)
	}
	for _, kind := range []string{"agentpools", "channels", "copilots", "handoffpolicies", "routingtables"} {
		if err := forget(kind + ".handoff.opencopilot.so"); err != nil {
			h.t.Errorf("Helm still owns a part of a CRD: %v", err)
		}
	}
}

// forget has Helm own nothing of a CRD that it left, so that the next make deploy has no conflict with it: what it applied
// last is replaced by nothing.
func forget(crd string) error {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	u.SetName(crd)
	return cluster.client.Apply(context.Background(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("helm"))
}

// command runs a program and fails with what it said.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
}
