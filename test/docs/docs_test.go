// Package docs keeps docs/ true: what the code names is in the pages, and what the pages name is in the code.
package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
)

const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// goFiles parses the Go files below a folder for which keep is true.
func goFiles(t *testing.T, folder string, keep func(path string) bool) []*ast.File {
	t.Helper()
	var out []*ast.File
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || !keep(path) {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		out = append(out, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func isTest(path string) bool { return strings.HasSuffix(path, "_test.go") }

// text is the value of a string literal, or empty.
func text(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(l.Value)
	return s
}

// TestConditions: every condition type and every reason of the API is in the pages of the kinds.
func TestConditions(t *testing.T) {
	t.Parallel()
	var pages strings.Builder
	for _, page := range []string{"conditions", "copilot", "channel", "handoffpolicy", "agentpool"} {
		pages.WriteString(read(t, "docs/kinds/"+page+".md"))
	}
	found := 0
	for _, f := range goFiles(t, "api/v1alpha1", func(path string) bool { return filepath.Base(path) == "conditions.go" }) {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				found++
				if value := text(spec.Values[i]); !strings.Contains(pages.String(), "`"+value+"`") {
					t.Errorf("%s: no page of docs/kinds explains `%s`", name, value)
				}
			}
			return false
		})
	}
	if found < 20 {
		t.Errorf("only %d constants were found: the test does not read the file as it is written", found)
	}
}

// TestMetrics: docs/operations.md explains every metric of ours, and none that is not there.
func TestMetrics(t *testing.T) {
	t.Parallel()
	code := map[string]bool{}
	for _, f := range goFiles(t, "internal", func(path string) bool { return !isTest(path) }) {
		ast.Inspect(f, func(n ast.Node) bool {
			// prometheus.NewDesc(name, …
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 4 && strings.HasPrefix(text(call.Args[0]), "handoff_") {
				code[text(call.Args[0])] = true
			}
			if kv, ok := n.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Name" && strings.HasPrefix(text(kv.Value), "handoff_") {
					code[text(kv.Value)] = true
				}
			}
			return true
		})
	}
	page := map[string]bool{}
	for _, name := range regexp.MustCompile(`\bhandoff_[a-z_]+`).FindAllString(read(t, "docs/operations.md"), -1) {
		page[name] = true
	}
	for name := range code {
		if !page[name] {
			t.Errorf("docs/operations.md does not explain %s", name)
		}
	}
	for name := range page {
		if !code[name] {
			t.Errorf("docs/operations.md speaks of %s, which nothing registers", name)
		}
	}
	if len(code) < 5 {
		t.Errorf("only %d metrics were found: the test does not read the code as it is written", len(code))
	}
}

// TestNotServed: the list of what is accepted but not served says what the conditions say happens instead.
func TestNotServed(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/README.md")
	found := 0
	for _, f := range goFiles(t, "internal/routing", func(path string) bool { return !isTest(path) }) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != "unserved" {
				return true
			}
			// What follows a comma or semicolon is advice, and a text put together by a call is left out.
			instead, _, _ := strings.Cut(text(call.Args[1]), ";")
			instead, _, _ = strings.Cut(instead, ",")
			found++
			if !strings.Contains(page, instead) {
				t.Errorf("docs/README.md does not say %q", instead)
			}
			return true
		})
	}
	if found < 15 {
		t.Errorf("only %d fields were found: the test does not read the code as it is written", found)
	}
}

// TestNamedTests: every test that the pages call a proof exists.
func TestNamedTests(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	for _, folder := range []string{"internal", "test"} {
		for _, f := range goFiles(t, folder, isTest) {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					tests[fn.Name.Name] = true
				}
			}
		}
	}
	for page, least := range map[string]int{"docs/design.md": 10, "docs/capability-levels.md": 10, "docs/security.md": 1} {
		named := regexp.MustCompile(`\bTest[A-Z]\w*`).FindAllString(read(t, page), -1)
		for _, name := range named {
			if !tests[name] {
				t.Errorf("%s names %s, which does not exist", page, name)
			}
		}
		if len(named) < least {
			t.Errorf("%s names only %d tests", page, len(named))
		}
	}
}

// TestMessages: the messages of docs/handoff-decision.md go where the page says they go, the missed ones included.
func TestMessages(t *testing.T) {
	t.Parallel()
	policy := &routing.Policy{Triggers: routing.Triggers{HumanRequest: true, NotUnderstoodTurns: 2, Sentiment: "Angry", ModelFailure: true}}
	page := read(t, "docs/handoff-decision.md")
	for kind, want := range map[string]bool{"handoff": true, "no-handoff": false, "missed": false} {
		_, block, found := strings.Cut(page, "```"+kind+"\n")
		block, _, closed := strings.Cut(block, "\n```")
		if !found || !closed {
			t.Fatalf("docs/handoff-decision.md has no block %q", kind)
		}
		for line := range strings.SplitSeq(block, "\n") {
			in := decide.Input{Messages: []decide.Message{{Author: decide.Customer, Text: line}}, Turns: 1}
			if d := decide.Decide(policy, in); d.HandOff != want {
				t.Errorf("%s: %q is handed off: %v (%s)", kind, line, d.HandOff, d.Reason)
			}
		}
	}
}
