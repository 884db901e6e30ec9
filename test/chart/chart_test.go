// Package chart tests charts/handoff-operator and config/default: what they render, what they refuse, and what an
// operator that was installed with them may do.
package chart

import (
	"bytes"
	"errors"
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
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/internal/golden"
)

const (
	root = "../.."
	// chartDir is the chart.
	chartDir = root + "/charts/handoff-operator"
	// release is the name and namespace that config/default has too.
	release, releaseNamespace = "handoff-operator", "handoff-system"
)

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
			have := rendered(t, template(t, "--values", file))
			golden.Compare(t, strings.TrimSuffix(file, ".values.yaml")+".out.yaml", have)
		})
	}
}

func rendered(t *testing.T, objects []*unstructured.Unstructured) []byte {
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
