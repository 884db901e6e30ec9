package desired_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/golden"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// input is the form of testdata/*.in.yaml.
type input struct {
	RuntimeImage string            `json:"runtimeImage"`
	Platform     desired.Platform  `json:"platform"`
	Copilot      *v1alpha1.Copilot `json:"copilot"`
	Table        *routing.Table    `json:"table"`
}

func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".in.yaml"), func(t *testing.T) {
			t.Parallel()
			have := render(t, read(t, file))
			golden.Compare(t, strings.TrimSuffix(file, ".in.yaml")+".out.yaml", have)
		})
	}
}

func read(t *testing.T, file string) desired.Input {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var in input
	if err := yaml.UnmarshalStrict(raw, &in); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return desired.Input{RuntimeImage: in.RuntimeImage, Platform: in.Platform, Copilot: in.Copilot, Table: in.Table}
}

func render(t *testing.T, in desired.Input) []byte {
	t.Helper()
	children, err := desired.Render(in)
	if err != nil {
		t.Fatal(err)
	}
	var docs [][]byte
	for _, child := range children {
		doc, err := yaml.Marshal(child)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	return bytes.Join(docs, []byte("---\n"))
}

// A table that is rolled out instead of fetched would end every conversation at each edit of a pool.
func TestTableDoesNotChangeThePod(t *testing.T) {
	t.Parallel()
	in := read(t, "testdata/minimal.in.yaml")
	deployment := func() string {
		for _, doc := range bytes.Split(render(t, in), []byte("---\n")) {
			if bytes.Contains(doc, []byte("kind: Deployment\n")) {
				return string(doc)
			}
		}
		t.Fatal("no Deployment")
		return ""
	}
	before, all := deployment(), render(t, in)
	in.Table.Copilot.Instructions = "changed"
	if diff := cmp.Diff(before, deployment()); diff != "" {
		t.Errorf("another table changes the Deployment (-before +after)\n%s", diff)
	}
	if bytes.Equal(all, render(t, in)) {
		t.Error("another table changes nothing")
	}
}

// A running pod reads a Secret as soon as a table names it, and would be refused if its rights came later.
func TestRightsComeBeforeTheTable(t *testing.T) {
	t.Parallel()
	children := string(render(t, read(t, "testdata/full.in.yaml")))
	table := strings.Index(children, "\nkind: RoutingTable\n")
	for _, kind := range []string{"ServiceAccount", "Role", "RoleBinding"} {
		if at := strings.Index(children, "\nkind: "+kind+"\n"); at < 0 || at > table {
			t.Errorf("%s is at %d, RoutingTable at %d", kind, at, table)
		}
	}
}
