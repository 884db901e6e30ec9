package routing_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/internal/golden"
	"github.com/opencopilot/handoff-operator/internal/manifest"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// compiled is a .out.yaml file: what Compile makes of the .in.yaml beside it.
type compiled struct {
	Problems []routing.Problem `json:"problems,omitempty"`
	Table    *routing.Table    `json:"table"`
}

// TestGolden compiles testdata/NAME.in.yaml and compares with NAME.out.yaml. An annotation "test/taken: NS/NAME" on a
// Channel says that its claim is held there.
func TestGolden(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, in := range inputs {
		t.Run(strings.TrimSuffix(filepath.Base(in), ".in.yaml"), func(t *testing.T) {
			t.Parallel()
			table, problems := routing.Compile(load(t, in))
			got, err := yaml.Marshal(compiled{problems, table})
			if err != nil {
				t.Fatal(err)
			}
			if table != nil {
				if err := table.Validate(); err != nil {
					t.Errorf("Compile made a table that Validate refuses: %v", err)
				}
			}
			golden.Compare(t, strings.Replace(in, ".in.yaml", ".out.yaml", 1), got)
		})
	}
}

func load(t testing.TB, name string) routing.Snapshot {
	t.Helper()
	o, err := manifest.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := o.Snapshot("")
	if err != nil {
		t.Fatal(err)
	}
	for _, ch := range s.Channels {
		if holder := ch.Annotations["test/taken"]; holder != "" {
			s.Taken[ch.Name] = holder
		}
	}
	return s
}

// TestShared compiles the manifests of the API's contract where they are at hand: every object must be Accepted.
func TestShared(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SHARED_DIR")
	if dir == "" {
		t.Skip("SHARED_DIR is not set: the contract's api-minimal.yaml and api-example.yaml are not compiled")
	}
	for _, name := range []string{"api-minimal.yaml", "api-example.yaml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, problems := routing.Compile(load(t, filepath.Join(dir, name)))
			if table == nil {
				t.Error("no table")
			}
			for _, p := range problems {
				if p.Condition == "Accepted" || name == "api-minimal.yaml" {
					t.Errorf("%v", p)
				}
			}
		})
	}
}
