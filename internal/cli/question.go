package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

// question is one that the knowledge can answer: its first heading that is a question, or else its first heading.
func question(in table.Inputs) string {
	first := ""
	for _, k := range in.Table.Copilot.Knowledge {
		documents := in.ConfigMaps[k.ConfigMap]
		for _, name := range slices.Sorted(maps.Keys(documents)) {
			for line := range strings.Lines(documents[name]) {
				marks, text, _ := strings.Cut(strings.TrimSpace(line), " ")
				text = strings.TrimSpace(text)
				switch {
				case text == "" || strings.Trim(marks, "#") != "" || marks == "":
				case strings.HasSuffix(text, "?"):
					return text
				case first == "":
					first = text
				}
			}
		}
	}
	if first == "" {
		return "How do I reach you?"
	}
	return first
}

// quoted is text as JSON that may stand between the single quotes of a shell.
func quoted(text string) string {
	raw, _ := json.Marshal(text) // a string always can be
	return strings.ReplaceAll(string(raw), "'", `\u0027`)
}
