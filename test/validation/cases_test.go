package validation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/manifest"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// fault is one way of spoiling an object of testdata/good.yaml.
type fault struct {
	Object string         // kind and name
	Patch  map[string]any // JSON merge patch of the spec
	Says   []string       // what a refusal says, beginning with the field
	By     string         // who refuses it: empty for both, "server", "compiler", or "compiler only" where both do but with words of their own
}

func faults(t *testing.T) []fault {
	t.Helper()
	raw, err := os.ReadFile("testdata/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var list []fault
	if err := yaml.UnmarshalStrict(raw, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 70 {
		t.Fatalf("only %d bad objects", len(list))
	}
	return list
}

// read reads the objects of a YAML file.
func read(t testing.TB, path string) []*unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for _, doc := range strings.Split(string(raw), "\n---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &u.Object); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, u)
	}
	return out
}

// merge is a JSON merge patch (RFC 7386).
func merge(into, patch map[string]any) {
	for k, v := range patch {
		below, isMap := v.(map[string]any)
		at, there := into[k].(map[string]any)
		switch {
		case v == nil:
			delete(into, k)
		case isMap && there:
			merge(at, below)
		default:
			into[k] = v
		}
	}
}

// spoiled is the good tenant with the fault, and the object that has it.
func (f fault) spoiled(t *testing.T) (all []*unstructured.Unstructured, bad *unstructured.Unstructured) {
	t.Helper()
	all = read(t, "testdata/good.yaml")
	for _, u := range all {
		if u.GetKind()+" "+u.GetName() == f.Object {
			merge(u.Object["spec"].(map[string]any), f.Patch)
			return all, u
		}
	}
	t.Fatalf("testdata/good.yaml has no %s", f.Object)
	return nil, nil
}

func lacks(text string, says []string) []string {
	return slices.DeleteFunc(slices.Clone(says), func(s string) bool { return strings.Contains(text, s) })
}

// judge compiles the objects as kubectl-handoff does, and says what turns Accepted of one of them off.
func judge(t *testing.T, all []*unstructured.Unstructured, kind, name string) string {
	t.Helper()
	var text strings.Builder
	for _, u := range all {
		raw, err := yaml.Marshal(u.Object)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(raw))
	}
	o, err := manifest.Parse("all.yaml", []byte(text.String()))
	if err != nil {
		return err.Error()
	}
	s, err := o.Snapshot("")
	if err != nil {
		t.Fatal(err)
	}
	_, problems := routing.Compile(s)
	var found []string
	for _, p := range problems {
		if p.Condition == v1alpha1.ConditionAccepted && p.Object == (routing.Object{Kind: kind, Name: name}) {
			found = append(found, p.Field+": "+p.Message)
		}
	}
	return strings.Join(found, "\n")
}

// TestBadObjects: each is refused by the API server or not Accepted by the compiler, most by both, with words that name
// field, value and fix.
func TestBadObjects(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	for _, f := range faults(t) {
		patch, err := json.Marshal(f.Patch)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%s %s", f.Object, patch), func(t *testing.T) {
			t.Parallel()
			all, bad := f.spoiled(t)
			if f.By != "compiler only" {
				a := ask(t.Context(), t, http.MethodPost, path(bad.GetKind(), ns)+"?dryRun=All&fieldValidation=Strict", bad.Object)
				refuses := f.By != "compiler"
				if missing := lacks(a.message(), f.Says); refuses && (a.code != http.StatusUnprocessableEntity || len(missing) > 0) {
					t.Errorf("the API server: %d %s\nlacks %q", a.code, a.message(), missing)
				}
				if !refuses && a.code != http.StatusCreated {
					t.Errorf("the API server refuses it, so the case needs no `by`: %s", a.message())
				}
			}
			if f.By != "server" {
				said := judge(t, all, bad.GetKind(), bad.GetName())
				if missing := lacks(said, f.Says); len(missing) > 0 {
					t.Errorf("the compiler: %q\nlacks %q", said, missing)
				}
			}
		})
	}
}

// TestGoodObjects: the tenant that the bad objects are made from, the samples, and the API's contract where it is at
// hand are taken by the API server under strict validation.
func TestGoodObjects(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	files := []string{"testdata/good.yaml", root + "/config/samples/minimal.yaml", root + "/config/samples/full.yaml"}
	if dir := os.Getenv("SHARED_DIR"); dir != "" {
		files = append(files, filepath.Join(dir, "api-minimal.yaml"), filepath.Join(dir, "api-example.yaml"))
	}
	for _, file := range files {
		for _, u := range read(t, file) {
			if resources[u.GetKind()] != "" {
				must(t.Context(), t, http.MethodPost, path(u.GetKind(), ns)+"?dryRun=All&fieldValidation=Strict", u.Object)
			}
		}
	}
	all := read(t, "testdata/good.yaml")
	for _, u := range all {
		if said := judge(t, all, u.GetKind(), u.GetName()); said != "" {
			t.Errorf("%s %s: %s", u.GetKind(), u.GetName(), said)
		}
	}
}
