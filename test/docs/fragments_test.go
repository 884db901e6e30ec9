package docs

import (
	"regexp"
	"testing"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/manifest"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

var fragment = regexp.MustCompile("(?s)```yaml fragment\n(.*?)```")

// TestFragments: the parts of a Copilot that its page shows are read without an error, make a Copilot in which nothing is
// wrong but what the reader has to bring, and can be rendered.
func TestFragments(t *testing.T) {
	t.Parallel()
	found := fragment.FindAllStringSubmatch(read(t, "docs/kinds/copilot.md"), -1)
	if len(found) < 3 {
		t.Fatalf("only %d fragments were found", len(found))
	}
	for _, m := range found {
		text := "apiVersion: handoff.opencopilot.so/v1alpha1\nkind: Copilot\nmetadata: {name: hotel}\n" + m[1]
		objects, err := manifest.Parse("docs/kinds/copilot.md", []byte(text))
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		snapshot, err := objects.Snapshot("")
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		table, problems := routing.Compile(snapshot)
		for _, p := range problems {
			if p.Condition != v1alpha1.ConditionResolvedRefs {
				t.Errorf("%s\n%v", text, p)
			}
		}
		if _, err := desired.Render(desired.Input{Copilot: snapshot.Copilot, Table: table}); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
}
