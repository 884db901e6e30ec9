package cli

import (
	"testing"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

func TestTheExampleQuestionComesFromTheKnowledge(t *testing.T) {
	t.Parallel()
	for want, document := range map[string]string{
		"When are you open?":  "# The shop\n\nIs it? #1 ?\n## When are you open?\nAlways.\n## Where are you?\n",
		"The shop":            "Welcome.\n# The shop\nCanal Street 12.\n# Repairs\n",
		"How do I reach you?": "Canal Street 12.\n#\n",
	} {
		in := table.Inputs{
			Table:      &routing.Table{Copilot: routing.Copilot{Knowledge: []routing.KnowledgeSource{{Name: "absent", ConfigMap: "absent"}, {Name: "faq", ConfigMap: "faq"}}}},
			ConfigMaps: map[string]map[string]string{"faq": {"faq.md": document}},
		}
		if got := question(in); got != want {
			t.Errorf("of %q: got %q, want %q", document, got, want)
		}
	}
}
