package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

const tenant = `
apiVersion: v1
kind: Secret
metadata: {name: model}
data: {apiKey: b2xk, other: b3RoZXI=}
stringData: {apiKey: new}
---
# nothing but a comment
---
apiVersion: v1
kind: ConfigMap
metadata: {name: faq}
data: {faq.md: "# Delivery"}
---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: Copilot
metadata: {name: shop}
spec:
  knowledge: [{name: faq, configMapRef: {name: faq}}]
  model: {name: m, apiKeySecretRef: {name: model, key: apiKey}}
  policyRef: {name: all}
---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: HandoffPolicy
metadata: {name: all}
spec: {routes: [{name: all, targets: [{type: Pool, pool: {name: humans}}]}]}
---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: AgentPool
metadata: {name: humans}
spec: {agents: [{name: ann, email: Ann@shop.example}]}
---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: AgentPool
metadata: {name: unused}
spec: {}
---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: Channel
metadata: {name: web}
spec: {copilotRef: {name: shop}, type: Web, web: {token: shop-widget}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other}
spec: {anything: goes}
`

func TestSnapshotHasWhatTheCopilotNames(t *testing.T) {
	t.Parallel()
	o, err := Parse("all.yaml", []byte(tenant))
	if err != nil {
		t.Fatal(err)
	}
	s, err := o.Snapshot("")
	if err != nil {
		t.Fatal(err)
	}
	if s.Copilot.Name != "shop" || s.Policy.Name != "all" || len(s.Channels) != 1 || len(s.Pools) != 1 || s.Pools["humans"] == nil {
		t.Errorf("snapshot: %+v", s)
	}
	table, problems := routing.Compile(s)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	secrets, configMaps := o.Contents(table)
	wantSecrets := map[string]map[string][]byte{"model": {"apiKey": []byte("new"), "other": []byte("other")}}
	if diff := cmp.Diff(wantSecrets, secrets); diff != "" {
		t.Errorf("stringData goes over data (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]map[string]string{"faq": {"faq.md": "# Delivery"}}, configMaps); diff != "" {
		t.Errorf("ConfigMaps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Deployment other (all.yaml, document 9)"}, o.Ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
}

func TestMistakesNameFileDocumentFieldAndFix(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: handoff.opencopilot.so/v1alpha1\n"
	for name, c := range map[string]struct{ doc, want string }{
		"unknown field":         {head + "kind: HandoffPolicy\nmetadata: {name: p}\nspec: {routes: [{name: r, tragets: []}]}", `bad.yaml, document 1: HandoffPolicy p: unknown field "spec.routes[0].tragets"; did you mean "targets"?`},
		"in an embedded struct": {head + "kind: AgentPool\nmetadata: {name: p}\nspec: {hours: [{days: [Mon], form: '08:00', to: '09:00'}]}", `unknown field "spec.hours[0].form"; did you mean "from"?`},
		"nothing near":          {head + "kind: Channel\nmetadata: {name: c}\nspec: {zzzzzzzz: 1}", `unknown field "spec.zzzzzzzz"; known are copilotRef, email, phone, type, web`},
		"wrong type":            {head + "kind: Channel\nmetadata: {name: c}\nspec: {type: 7}", "Channel c: json: cannot unmarshal number"},
		"field twice":           {head + "kind: Channel\nmetadata: {name: c}\nspec: {type: Web, type: Phone}", `key "type" already set in map`},
		"kind misspelt":         {head + "kind: Copliot\nmetadata: {name: c}", `unknown kind "Copliot"; did you mean "Copilot"?`},
		"other version":         {"apiVersion: handoff.opencopilot.so/v2\nkind: Copilot\nmetadata: {name: c}", `apiVersion "handoff.opencopilot.so/v2": this release knows handoff.opencopilot.so/v1alpha1`},
		"no kind":               {"metadata: {name: c}", "apiVersion and kind are needed"},
		"no name":               {head + "kind: Copilot\nspec: {}", "Copilot: metadata.name is missing"},
		"defined twice":         {head + "kind: Copilot\nmetadata: {name: c}\nspec: {}\n---\n" + head + "kind: Copilot\nmetadata: {name: c, namespace: default}\nspec: {}", "bad.yaml, document 2: Copilot default/c is defined already in bad.yaml, document 1"},
		"not YAML":              {"a: [", "bad.yaml, document 1: "},
		"not an object":         {"just words", "not an object of Kubernetes"},
		"in a list":             {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  stringdata: {}", `Secret s: unknown field "stringdata"; did you mean "stringData"?`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("bad.yaml", []byte(c.doc))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v\nlacks  %s", err, c.want)
			}
		})
	}
}

func TestLoadReadsDirectoriesAndFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pool := func(name string) []byte {
		return []byte("apiVersion: handoff.opencopilot.so/v1alpha1\nkind: AgentPool\nmetadata: {name: " + name + "}\nspec: {}\n")
	}
	for file, name := range map[string]string{"b.yaml": "b", "a.yml": "a", "c.json": "c", "README.md": "not-yaml"} {
		if err := os.WriteFile(filepath.Join(dir, file), pool(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	one, err := Load(filepath.Join(dir, "b.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range append(all.Pools, one.Pools...) {
		got = append(got, p.Namespace+"/"+p.Name)
	}
	if diff := cmp.Diff([]string{"default/a", "default/b", "default/c", "default/b"}, got); diff != "" {
		t.Errorf("pools (-want +got):\n%s", diff)
	}
	if _, err := LoadFS(fstest.MapFS{"README.md": {}}); err == nil {
		t.Error("a directory without manifests is not an error")
	}
	if _, err := Load(filepath.Join(dir, "absent")); err == nil {
		t.Error("a directory that does not exist is not an error")
	}
	if _, err := LoadFS(fstest.MapFS{"a.yaml": {Data: []byte("x: [")}, "b.yaml": {Data: []byte("y: [")}}); err == nil ||
		!strings.Contains(err.Error(), "a.yaml") || !strings.Contains(err.Error(), "b.yaml") {
		t.Errorf("not every mistake is reported: %v", err)
	}
}

func TestSnapshotChoosesTheCopilot(t *testing.T) {
	t.Parallel()
	o, err := Parse("two.yaml", []byte(tenant+`---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: Copilot
metadata: {name: shop, namespace: b}
spec: {}
---
apiVersion: handoff.opencopilot.so/v1alpha1
kind: Channel
metadata: {name: web, namespace: b}
spec: {copilotRef: {name: shop}, type: Web, web: {token: shop-widget}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"":       "several Copilots; choose one with --copilot: b/shop, default/shop",
		"shop":   "several Copilots",
		"absent": `no Copilot "absent"; they have b/shop, default/shop`,
	} {
		if _, err := o.Snapshot(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Snapshot(%q): error %v lacks %q", name, err, want)
		}
	}
	s, err := o.Snapshot("default/shop")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Channels) != 1 || s.Channels[0].Namespace != "default" {
		t.Errorf("channels of another namespace: %v", s.Channels)
	}
	if got := s.Taken["web"]; got != "b/web" {
		t.Errorf("the token is held by b/web (no times, so by name), not by %q", got)
	}
	if _, ok := o.Secrets[types.NamespacedName{Namespace: DefaultNamespace, Name: "model"}]; !ok {
		t.Error("a Secret without a namespace is not in the default one")
	}
	empty, err := Parse("empty.yaml", []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := empty.Snapshot(""); err == nil {
		t.Error("no Copilot is not an error")
	}
}
