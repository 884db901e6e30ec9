package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/cli"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

// patience is how long an awaited event may take before a test gives up.
const patience = 30 * time.Second

// tenant is a copy of the tenant's manifests that a test may edit.
func tenant(t *testing.T) (dir string, edit func(old, with string)) {
	t.Helper()
	dir = t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS("testdata/tenant")))
	path := filepath.Join(dir, "tenant.yaml")
	return dir, func(old, with string) {
		t.Helper()
		content, err := os.ReadFile(path)
		must(t, err)
		if !bytes.Contains(content, []byte(old)) {
			t.Fatalf("the manifests have no %q", old)
		}
		// Beside it and renamed, as editors do.
		must(t, os.WriteFile(path+"~", bytes.ReplaceAll(content, []byte(old), []byte(with)), 0o600))
		must(t, os.Rename(path+"~", path))
	}
}

// lines is a writer whose lines can be awaited.
type lines struct {
	*io.PipeWriter
	t    *testing.T
	read chan string
}

func newLines(t *testing.T) *lines {
	t.Helper()
	r, w := io.Pipe()
	l := &lines{PipeWriter: w, t: t, read: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(r); s.Scan(); {
			l.read <- s.Text()
		}
	}()
	t.Cleanup(func() {
		must(t, w.Close())
		<-done
	})
	return l
}

// await returns the next line with all of the words.
func (l *lines) await(words ...string) string {
	l.t.Helper()
	var passed []string
	for {
		select {
		case line := <-l.read:
			if hasAll(line, words) {
				return line
			}
			passed = append(passed, line)
		case <-time.After(patience):
			l.t.Fatalf("no line with %q came; lines:\n%s", words, strings.Join(passed, "\n"))
		}
	}
}

func hasAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

// run runs m until the test ends, and returns its inputs and what it says.
func run(t *testing.T, m *cli.Manifests) (<-chan table.Inputs, *lines) {
	t.Helper()
	return runTo(t, m, func(w io.Writer) io.Writer { return w })
}

// runTo is run with a writer around the one of the lines returned.
func runTo(t *testing.T, m *cli.Manifests, around func(io.Writer) io.Writer) (<-chan table.Inputs, *lines) {
	t.Helper()
	said := newLines(t)
	m.Out = around(said)
	uses := make(chan table.Inputs, 100)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		ended <- m.Run(ctx, func(_ context.Context, in table.Inputs) error {
			if in.Table.Copilot.DisplayName == "unusable" {
				return errors.New("cannot use that")
			}
			uses <- in
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
	return uses, said
}

func next(t *testing.T, uses <-chan table.Inputs) table.Inputs {
	t.Helper()
	select {
	case in := <-uses:
		return in
	case <-time.After(patience):
		t.Fatal("no inputs came")
	}
	return table.Inputs{}
}

func none(string) (string, bool) { return "", false }

func TestManifestsAreReadAgainWhenAFileChanges(t *testing.T) {
	t.Parallel()
	dir, edit := tenant(t)
	uses, said := run(t, &cli.Manifests{Path: dir, Lookup: none})
	first := next(t, uses)
	if first.Table.Copilot.DisplayName != "Hello" || !strings.Contains(first.ConfigMaps["faq"]["faq.md"], "three working days") || first.Revision == "" {
		t.Fatalf("first inputs: %+v", first)
	}

	edit("three working days", "four working days")
	second := next(t, uses)
	if !strings.Contains(second.ConfigMaps["faq"]["faq.md"], "four working days") || second.Revision != first.Revision {
		t.Fatalf("after the FAQ was edited: %+v", second)
	}
	said.await("Reloaded")

	edit("displayName: Hello", "displayName: [Hello")
	said.await("Not reloaded", "tenant.yaml")
	edit("displayName: [Hello", "displayName: Hello")
	said.await("can be used again")
	edit("displayName: Hello", "displayName: unusable")
	said.await("Not reloaded", "cannot use that")
	edit("displayName: unusable", "displayName: Hallo")
	if in := next(t, uses); in.Table.Copilot.DisplayName != "Hallo" {
		t.Fatalf("after the repair: %+v", in)
	}
}

func TestWhatIsNotServedIsAWarningAndDoesNotKeepFromServing(t *testing.T) {
	t.Parallel()
	dir, edit := tenant(t)
	edit("displayName: Hello", "displayName: Hello\n  model: {baseURL: http://127.0.0.1:9/v1, name: m, budget: {tokensPerDay: 5}}")
	uses, said := run(t, &cli.Manifests{Path: dir, Lookup: none})
	next(t, uses)
	said.await("Warning: Copilot hello: spec.model.budget")
}

func TestManifestsThatCannotBeServedAreAnErrorThatSaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, with, copilot, message string }{
		"no such Copilot":     {"", "", "absent", `no Copilot "absent"`},
		"nobody to hand to":   {"\n  routes:\n    - name: all\n      targets:\n        - {type: Pool, pool: {name: everyone}}", " {}", "", "nobody to hand off to"},
		"misspelt field":      {"policyRef", "policyRf", "", "policyRf"},
		"not even a manifest": {"apiVersion: v1", "apiVersion: [", "", "document 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, edit := tenant(t)
			if c.old != "" {
				edit(c.old, c.with)
			}
			m := cli.Manifests{Path: dir, Copilot: c.copilot, Lookup: none, Out: io.Discard}
			err := m.Run(t.Context(), func(context.Context, table.Inputs) error { return errors.New("was used") })
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v, want one with %q", err, c.message)
			}
		})
	}
}

func TestSecretsOfTheEnvironmentStandInForThoseOfTheManifests(t *testing.T) {
	t.Parallel()
	dir, edit := tenant(t)
	edit("displayName: Hello", "displayName: Hello\n  model: {baseURL: http://127.0.0.1:9/v1, name: m, apiKeySecretRef: {name: acme-model, key: api.key}}")
	uses, said := run(t, &cli.Manifests{Path: dir, Lookup: none})
	if in := next(t, uses); len(in.Secrets) != 0 {
		t.Fatalf("Secrets from nowhere: %+v", in.Secrets)
	}
	said.await("environment", "HANDOFF_SECRET_ACME_MODEL_API_KEY")

	lookup := func(name string) (string, bool) { return "s3cret", name == "HANDOFF_SECRET_ACME_MODEL_API_KEY" }
	uses, _ = run(t, &cli.Manifests{Path: filepath.Join(dir, "tenant.yaml"), Lookup: lookup})
	if in := next(t, uses); string(in.Secrets["acme-model"]["api.key"]) != "s3cret" {
		t.Fatalf("Secrets: %+v", in.Secrets)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
