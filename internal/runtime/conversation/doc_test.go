package conversation

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/conversation.md from Transitions")

const docHead = `# Who owns a conversation

<!-- Drawn from Transitions in internal/runtime/conversation by
     go test ./internal/runtime/conversation -run TestDoc -update; edit that table, not this file. -->

A conversation belongs to exactly one owner at any time: the AI, the queue, one agent, or nobody (closed). Each change
of owner raises its epoch by one, in the transaction that writes the change down. What the AI says is written only at
the epoch at which its turn began, so the AI never speaks over a human: an answer that is cut by a handoff or a takeover
ends with the part that the customer has seen. What is not in this table cannot happen; it is refused with the reason.

`

// renderDoc draws the state machine: a diagram of the changes of owner, and a table of every transition.
func renderDoc(rows []Transition) string {
	var b strings.Builder
	b.WriteString(docHead + "```mermaid\nstateDiagram-v2\n    [*] --> AI: Start\n")
	type edge struct{ from, to OwnerKind }
	var order []edge
	names := map[edge][]string{}
	for _, row := range rows {
		for _, from := range row.From {
			for _, to := range row.to(from) {
				e := edge{from, to}
				if names[e] == nil {
					order = append(order, e)
				}
				names[e] = append(names[e], string(row.Name))
			}
		}
	}
	for _, e := range order {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", e.from, e.to, strings.Join(names[e], ", "))
	}
	b.WriteString("```\n\n| Transition | While it belongs to | Then it belongs to | If | Written |\n| --- | --- | --- | --- | --- |\n")
	for _, row := range rows {
		to := "the same, same epoch"
		if len(row.To) > 0 {
			to = list(row.To)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", row.Name, list(row.From), to, row.Guard, row.Effect)
	}
	return b.String()
}

func (t Transition) to(from OwnerKind) []OwnerKind {
	if len(t.To) == 0 {
		return []OwnerKind{from}
	}
	return t.To
}

func list(kinds []OwnerKind) string {
	var s []string
	for _, k := range kinds {
		s = append(s, string(k))
	}
	return strings.Join(s, ", ")
}

func TestDoc(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "docs", "conversation.md")
	want := renderDoc(Transitions)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/conversation.md is not what Transitions says; run go test ./internal/runtime/conversation -run TestDoc -update")
	}
}

// Each owner can be reached and left.
func TestNoOwnerIsADeadEnd(t *testing.T) {
	t.Parallel()
	for _, owner := range owners {
		var in, out bool
		for _, row := range Transitions {
			in = in || slices.Contains(row.To, owner)
			out = out || (slices.Contains(row.From, owner) && slices.ContainsFunc(row.To, func(to OwnerKind) bool { return to != owner }))
		}
		if !in || !out {
			t.Errorf("owner %s can be reached: %v, left: %v", owner, in, out)
		}
	}
}
