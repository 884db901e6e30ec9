// Package chart tests charts/handoff-operator and config/default: what they render, what they refuse, and what an
// operator that was installed with them may do.
package chart

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/yaml"
)

const (
	root = "../.."
	// chartDir is the chart.
	chartDir = root + "/charts/handoff-operator"
	// release is the name and namespace that config/default has too.
	release, releaseNamespace = "handoff-operator", "handoff-system"
)

var update = flag.Bool("update", false, "rewrite testdata/*.out.yaml")

// TestMain reads what the programs of these tests read, so that go test, which sees no further than this process, does
// not take an old result for the tests of a changed chart.
func TestMain(m *testing.M) {
	for _, folder := range []string{"api", "charts", "cmd", "config", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				_, err = os.ReadFile(path)
			}
			return err
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, "chart:", err)
			os.Exit(1)
		}
	}
	ctrl.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// tool is the path of a program that `make test` builds.
func tool(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		if testing.Short() {
			t.Skip(variable + " is not set and -short is")
		}
		t.Fatalf("%s is not set: it must name the program; `make test` builds it and sets it", variable)
	}
	return path
}

// run returns what a command printed, and fails with what it said otherwise.
func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, complaint, err := try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, complaint)
	}
	return out
}

func try(t *testing.T, name string, args ...string) (out []byte, complaint string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	// A helm of nobody's settings.
	cmd.Env = append(os.Environ(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_CACHE_HOME="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err = cmd.Output()
	return out, stderr.String(), err
}

// template renders the chart with further arguments of `helm template`.
func template(t *testing.T, args ...string) []*unstructured.Unstructured {
	t.Helper()
	args = append([]string{"template", release, chartDir, "--namespace", releaseNamespace}, args...)
	return parse(t, run(t, tool(t, "HELM"), args...))
}

func parse(t *testing.T, manifest []byte) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for d := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096); ; {
		u := &unstructured.Unstructured{}
		err := d.Decode(u)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, manifest)
		}
		if len(u.Object) > 0 {
			out = append(out, u)
		}
	}
}

func key(u *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", u.GroupVersionKind().GroupKind(), u.GetNamespace(), u.GetName())
}

func byKey(t *testing.T, objects []*unstructured.Unstructured) map[string]*unstructured.Unstructured {
	t.Helper()
	out := map[string]*unstructured.Unstructured{}
	for _, u := range objects {
		if out[key(u)] != nil {
			t.Errorf("%s is there twice", key(u))
		}
		out[key(u)] = u
	}
	return out
}

// ofHelm are the labels that config/default has no use for.
var ofHelm = []string{"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/version"}

// plain takes from an object what Helm's users need and kubectl's do not.
func plain(u *unstructured.Unstructured) map[string]any {
	u = u.DeepCopy()
	labels, annotations := u.GetLabels(), u.GetAnnotations()
	for _, l := range ofHelm {
		delete(labels, l)
	}
	delete(annotations, "helm.sh/resource-policy")
	u.SetLabels(labels)
	u.SetAnnotations(annotations)
	return u.Object
}

// TestSameAsKustomize: the chart with its defaults and config/default are the same objects, but for the namespace, which
// `helm install --create-namespace` makes, and Helm's labels.
func TestSameAsKustomize(t *testing.T) {
	t.Parallel()
	config := byKey(t, parse(t, run(t, tool(t, "KUSTOMIZE"), "build", root+"/config/default")))
	delete(config, "Namespace /"+releaseNamespace)
	chart := byKey(t, template(t, "--values", "testdata/default.values.yaml"))
	for k, want := range config {
		have := chart[k]
		if have == nil {
			t.Errorf("config/default has %s and the chart has not", k)
			continue
		}
		if diff := cmp.Diff(plain(want), plain(have)); diff != "" {
			t.Errorf("%s differs (-config/default +chart):\n%s", k, diff)
		}
		delete(chart, k)
	}
	for k := range chart {
		t.Errorf("the chart has %s and config/default has not", k)
	}
}

// TestGolden renders the chart with each file of values. CRDs and the rules of roles, which are generated, are left out:
// TestSameAsKustomize and TestRestricted see to them.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.values.yaml")
	if err != nil || len(files) < 4 {
		t.Fatalf("only %d files of values: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".values.yaml"), func(t *testing.T) {
			t.Parallel()
			have := golden(t, template(t, "--values", file))
			out := strings.TrimSuffix(file, ".values.yaml") + ".out.yaml"
			if *update {
				if err := os.WriteFile(out, have, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(have)); diff != "" {
				t.Errorf("%s (-want +got); if the new one is right, run go test ./test/chart -run TestGolden -update\n%s", out, diff)
			}
		})
	}
}

func golden(t *testing.T, objects []*unstructured.Unstructured) []byte {
	t.Helper()
	var docs [][]byte
	for _, u := range objects {
		switch u.GetKind() {
		case "CustomResourceDefinition":
			continue
		case "Role", "ClusterRole":
			delete(u.Object, "rules")
		case "ConfigMap":
			unstructured.RemoveNestedField(u.Object, "data")
		case "PrometheusRule":
			delete(u.Object, "spec")
		}
		doc, err := yaml.Marshal(u.Object)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	return bytes.Join(docs, []byte("---\n"))
}

// TestLint: helm finds nothing to complain about, with the defaults and with each file of values.
func TestLint(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"lint", "--strict", chartDir}
	run(t, tool(t, "HELM"), args...)
	for _, file := range files {
		run(t, tool(t, "HELM"), append(args, "--values", file)...)
	}
}

// TestCRDs: they are part of the release, so that an upgrade upgrades them, and they survive it unless told otherwise.
func TestCRDs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set  string
		crds int
		keep string
	}{
		{"crds.keep=true", 5, "keep"},
		{"crds.keep=false", 5, ""},
		{"crds.install=false", 0, ""},
	} {
		found := 0
		for _, u := range template(t, "--values", "testdata/default.values.yaml", "--set", c.set) {
			if u.GetKind() != "CustomResourceDefinition" {
				continue
			}
			found++
			if have := u.GetAnnotations()["helm.sh/resource-policy"]; have != c.keep {
				t.Errorf("%s: the policy of %s is %q, want %q", c.set, u.GetName(), have, c.keep)
			}
		}
		if found != c.crds {
			t.Errorf("%s: %d CRDs, want %d", c.set, found, c.crds)
		}
	}
}

// TestRefusedValues: what cannot be meant is refused, in words that say where it is.
func TestRefusedValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flag, says string }{
		{"--set=replica=2", "'replica' not allowed"},
		{"--set=image.repo=x", "at '/image': additional properties 'repo' not allowed"},
		{"--set=metrics.prometheusRule.enable=true", "'enable' not allowed"},
		{"--set=resources.limit.cpu=1", "'limit' not allowed"},
		{"--set=watchNamespaces=support", "at '/watchNamespaces': got string, want array"},
		{"--set=watchNamespaces={Support}", "at '/watchNamespaces/0': 'Support' does not match"},
		{"--set=replicas=two", "at '/replicas': got string, want integer"},
		{"--set=image.digest=sha256:1", "at '/image/digest'"},
		{"--set=image.pullPolicy=Sometimes", "at '/image/pullPolicy'"},
		{"--set=podDisruptionBudget.maxUnavailable=0", "at '/podDisruptionBudget/maxUnavailable'"},
		{"--set=metrics.serviceMonitor.interval=30", "at '/metrics/serviceMonitor/interval'"},
		{"--set=image.repository=", "image.repository is empty: name the image"},
		{"--set=runtimeImage.repository=", "runtimeImage.repository is empty: name the image"},
		{"--set=extraEnv[0].name=RUNTIME_IMAGE", "at '/extraEnv/0/name'"},
		{"--set=image.repository=registry.example/handoff:v1", "at '/image/repository'"},
		{"--set=runtimeImage.repository=registry.example/Handoff", "at '/runtimeImage/repository'"},
		{"--set=watchNamespaces={a.b}", "at '/watchNamespaces/0'"},
		{"--set=crds=null", "missing property 'crds'"},
		{"--set=crds.keep=null", "at '/crds': missing property 'keep'"},
		{"--set=rbac=null", "missing property 'rbac'"},
		{"--set=serviceAccount=null", "missing property 'serviceAccount'"},
		{"--set=podDisruptionBudget=null", "missing property 'podDisruptionBudget'"},
		{"--set=networkPolicy=null", "missing property 'networkPolicy'"},
		{"--set=metrics=null", "missing property 'metrics'"},
		{"--set=maxConcurrentUpgrades=null", "missing property 'maxConcurrentUpgrades'"},
		{`--set=podLabels.app\.kubernetes\.io/name=x`, "invalid propertyName 'app.kubernetes.io/name'"},
		{`--set=podAnnotations.kubectl\.kubernetes\.io/default-container=x`, "invalid propertyName"},
		{`--set=metrics.serviceMonitor.labels.app\.kubernetes\.io/instance=x`, "invalid propertyName"},
		{`--set=metrics.prometheusRule.labels.helm\.sh/chart=x`, "invalid propertyName"},
		{`--set=dashboards.labels.app\.kubernetes\.io/part-of=x`, "invalid propertyName"},
		{"--kube-version=1.32.0", "which is incompatible with Kubernetes v1.32.0"},
	} {
		_, complaint, err := try(t, tool(t, "HELM"), "template", release, chartDir, "--values", "testdata/default.values.yaml", c.flag)
		if err == nil || !strings.Contains(complaint, c.says) {
			t.Errorf("%s: want an error that says %q, have %v: %s", c.flag, c.says, err, complaint)
		}
	}
}

// TestNamesOfDigits: names that YAML would take for numbers stay names.
func TestNamesOfDigits(t *testing.T) {
	t.Parallel()
	objects := template(t, "--values", "testdata/default.values.yaml", "--namespace=42",
		`--set-json=watchNamespaces=["123"]`, `--set-json=imagePullSecrets=["456"]`, "--set-string=priorityClassName=789",
		"--set=image.repository=localhost:5000/a/b_c")
	found := byKey(t, objects)
	for _, k := range []string{"Role.rbac.authorization.k8s.io 123/handoff-operator-42", "RoleBinding.rbac.authorization.k8s.io 123/handoff-operator-42"} {
		if found[k] == nil {
			t.Errorf("no %s", k)
		}
	}
	var d appsv1.Deployment
	decode(t, objects, "Deployment 42/"+release, &d)
	pod := d.Spec.Template.Spec
	if len(pod.ImagePullSecrets) != 1 || pod.ImagePullSecrets[0].Name != "456" || pod.PriorityClassName != "789" {
		t.Errorf("secrets %v, class %q", pod.ImagePullSecrets, pod.PriorityClassName)
	}
}

// TestLeaseHasOneName: whatever the release is called, it gets the rights to the one Lease under the same name, so that
// Helm refuses to install a second in the namespace.
func TestLeaseHasOneName(t *testing.T) {
	t.Parallel()
	objects := byKey(t, template(t, "--values", "testdata/default.values.yaml", "--set=fullnameOverride=desk"))
	if objects["Role.rbac.authorization.k8s.io "+releaseNamespace+"/handoff-operator-leader-election"] == nil {
		t.Error("the Role of the Lease has another name")
	}
}
