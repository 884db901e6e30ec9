package docs

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/manifest"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestExamples: the manifests of the kinds' pages are read without an error, and together they are a tenant in which
// nothing is wrong but for the ConfigMap and the Secret that the pages leave to their readers.
func TestExamples(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(root, "docs/kinds/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, page := range pages {
		for _, m := range yamlBlock.FindAllStringSubmatch(read(t, "docs/kinds/"+filepath.Base(page)), -1) {
			all += "---\n" + m[1]
		}
	}
	// The policy's second pool is not written out.
	all += "---\napiVersion: handoff.opencopilot.so/v1alpha1\nkind: AgentPool\nmetadata: {name: night-desk}\nspec: {}\n"
	objects, err := manifest.Parse("docs/kinds", []byte(all))
	if err != nil {
		t.Fatal(err)
	}
	if len(objects.Copilots) != 1 || len(objects.Channels) != 1 || len(objects.Policies) != 1 || len(objects.Pools) != 2 {
		t.Fatalf("the pages have %d Copilots, %d Channels, %d policies and %d pools",
			len(objects.Copilots), len(objects.Channels), len(objects.Policies), len(objects.Pools))
	}
	snapshot, err := objects.Snapshot("")
	if err != nil {
		t.Fatal(err)
	}
	table, problems := routing.Compile(snapshot)
	for _, p := range problems {
		if p.Condition != v1alpha1.ConditionResolvedRefs || p.Object.Kind != "Copilot" {
			t.Error(p)
		}
	}
	if table == nil || len(table.Channels) != 1 || len(table.Pools) != 2 {
		t.Errorf("the tenant of the pages is not whole: %+v", table)
	}
}
