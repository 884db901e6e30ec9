package faults

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	nodev1 "k8s.io/api/node/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// field is an item of testdata/fields.yaml.
type field struct {
	// Object is "Kind name".
	Object string `json:"object"`
	// Alone says that it does not go together with others.
	Alone  bool           `json:"alone"`
	Set    map[string]any `json:"set"`
	Change map[string]any `json:"change"`
}

// opaque are types of Kubernetes that are passed on as they are; one value stands for all their fields.
var opaque = []string{
	"Copilot.runtime.podTemplate.spec.affinity", "Copilot.runtime.podTemplate.spec.tolerations",
	"Copilot.runtime.podTemplate.spec.topologySpreadConstraints", "Copilot.runtime.podTemplate.spec.volumes",
	"Copilot.runtime.podTemplate.spec.containers[].env", "Copilot.runtime.podTemplate.spec.containers[].volumeMounts",
}

// fixed are fields that do not change in the life of an object, with the reason.
var fixed = map[string]string{
	"Copilot.storage.postgres.dsnSecretRef.name": "the type of the storage is immutable",
	"Copilot.storage.postgres.dsnSecretRef.key":  "the type of the storage is immutable",
	"Copilot.storage.embedded.size":              "a claim's size is the volume's, which only grows, where its class can",
	"Copilot.storage.embedded.storageClassName":  "a claim's class is immutable",
	"Copilot.runtime.resources.claims[].name":    "resource claims need the pod's own, which podTemplate does not have",
	"Copilot.runtime.resources.claims[].request": "resource claims need the pod's own, which podTemplate does not have",
	"Channel.copilotRef.name":                    "another Copilot is another tenant: the scenario channels adds and removes Channels instead",
	"Channel.type":                               "a Channel of another type is another Channel",
	"Channel.email.inbound.type":                 "the only other value has other fields",
	"Channel.phone.provider":                     "there is one",
}

func fields(t *testing.T) (out []field) {
	t.Helper()
	raw, err := os.ReadFile("testdata/fields.yaml")
	if err == nil {
		err = yaml.UnmarshalStrict(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryFieldIsTried walks the schemas of the CRDs: each field is in testdata/fields.yaml, or fixed.
func TestEveryFieldIsTried(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for _, f := range fields(t) {
		kind, _, _ := strings.Cut(f.Object, " ")
		leaves(kind, f.Set, tried)
		leaves(kind, f.Change, tried)
	}
	all := 0
	for _, file := range []string{"copilots", "channels", "handoffpolicies", "agentpools"} {
		var crd apiextensionsv1.CustomResourceDefinition
		raw, err := os.ReadFile(controltest.Root("config/crd/bases/handoff.opencopilot.so_" + file + ".yaml"))
		if err == nil {
			err = yaml.Unmarshal(raw, &crd)
		}
		if err != nil {
			t.Fatal(err)
		}
		spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
		for _, leaf := range schemaLeaves(crd.Spec.Names.Kind, spec) {
			all++
			if !tried[leaf] && fixed[leaf] == "" {
				t.Errorf("no item of testdata/fields.yaml sets %s", leaf)
			}
		}
	}
	t.Logf("%d fields", all)
}

// leaves notes the paths of the scalars of v, with [] for the items of a list.
func leaves(path string, v any, into map[string]bool) {
	if slices.Contains(opaque, path) {
		into[path] = true
		return
	}
	switch v := v.(type) {
	case map[string]any:
		into[path] = true // a map without fixed keys is a leaf of the schema
		for k, inner := range v {
			leaves(path+"."+k, inner, into)
		}
	case []any:
		into[path+"[]"] = true
		for _, inner := range v {
			leaves(path+"[]", inner, into)
		}
	default:
		into[path] = true
	}
}

func schemaLeaves(path string, s apiextensionsv1.JSONSchemaProps) (out []string) {
	switch {
	case slices.Contains(opaque, path):
		return []string{path}
	case s.Items != nil:
		return schemaLeaves(path+"[]", *s.Items.Schema)
	case len(s.Properties) > 0:
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			out = append(out, schemaLeaves(path+"."+name, s.Properties[name])...)
		}
		return out
	}
	return []string{path}
}

// TestFieldsConverge sets, changes and takes away every field of a tenant at rest. After each, the cluster holds what it
// does where the tenant was made like that in the first place.
func TestFieldsConverge(t *testing.T) {
	t.Parallel()
	classes(t)
	together := map[string][]field{}
	for i, f := range fields(t) {
		name := "all"
		if long || f.Alone {
			name = fmt.Sprintf("%d %s", i, f.Object)
		}
		if f.Alone && !long {
			continue
		}
		together[name] = append(together[name], f)
	}
	for name, batch := range together {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := walked(t, batch, "")
			for _, to := range []string{"set", "change", ""} {
				for _, o := range specs(r.World, batch, to) {
					r.respec(o)
				}
				r.settle()
				want := walked(t, batch, to).State()
				if d := cmp.Diff(want, r.State()); d != "" {
					t.Errorf("made with %q (-) and edited to it (+):\n%s", to, d)
				}
			}
		})
	}
}

// classes are what a pod may only name where it is there.
func classes(t *testing.T) {
	t.Helper()
	w := controltest.New(t)
	for i, name := range []string{"high", "low", "gvisor", "kata"} {
		var o client.Object = &nodev1.RuntimeClass{ObjectMeta: named(name), Handler: name}
		if i < 2 {
			o = &schedulingv1.PriorityClass{ObjectMeta: named(name), Value: int32(i)}
		}
		if err := w.Client.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

// walked is a tenant at rest that was made with the fields.
func walked(t *testing.T, batch []field, to string) *run {
	t.Helper()
	r := newRun(t, &fault{})
	r.ExpectApplied(specs(r.World, batch, to)...)
	r.settle()
	return r
}

// specs are the objects of the tenant with the fields set, changed or not there.
func specs(w *controltest.World, batch []field, to string) []*unstructured.Unstructured {
	w.Helper()
	objects := append(w.Manifests(controltest.Root("test/faults/testdata/tenant.yaml")),
		w.Manifests(controltest.Root("test/faults/testdata/channels.yaml"))...)
	for _, f := range batch {
		patch := map[string]map[string]any{"set": f.Set, "change": f.Change}[to]
		for _, o := range objects {
			if o.GetKind()+" "+o.GetName() == f.Object {
				merge(o.Object["spec"].(map[string]any), patch)
			}
		}
	}
	return objects
}

// merge is a JSON merge patch.
func merge(into, patch map[string]any) {
	for k, v := range patch {
		inner, isMap := v.(map[string]any)
		have, hasMap := into[k].(map[string]any)
		if isMap && hasMap {
			merge(have, inner)
			continue
		}
		into[k] = v
	}
}

// respec gives the object that is there the spec of o, as an editor does.
func (r *run) respec(o *unstructured.Unstructured) {
	r.Helper()
	if _, has := o.Object["spec"]; !has {
		return
	}
	raw, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/spec", "value": o.Object["spec"]}})
	if err != nil {
		r.Fatal(err)
	}
	o.SetNamespace(r.Namespace)
	if err := r.Client.Patch(r.Context(), o, client.RawPatch(types.JSONPatchType, raw)); err != nil {
		r.Fatalf("edit %s %s: %v", o.GetKind(), o.GetName(), err)
	}
}
