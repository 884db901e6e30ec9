package routing_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// TestCompileIgnoresOrder shuffles the snapshot of every golden file: table and problems must stay, the snapshot too.
func TestCompileIgnoresOrder(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, in := range inputs {
		s := load(t, in)
		table, problems := routing.Compile(s)
		rapid.Check(t, func(t *rapid.T) {
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
			shuffled := s
			shuffled.Channels = slices.Clone(s.Channels)
			r.Shuffle(len(shuffled.Channels), func(i, j int) {
				shuffled.Channels[i], shuffled.Channels[j] = shuffled.Channels[j], shuffled.Channels[i]
			})
			shuffled.Pools = maps.Clone(s.Pools)
			gotTable, gotProblems := routing.Compile(shuffled)
			if diff := cmp.Diff(table, gotTable) + cmp.Diff(problems, gotProblems); diff != "" {
				t.Fatalf("%s: the order of the snapshot shows:\n%s", in, diff)
			}
		})
		if diff := cmp.Diff(load(t, in), s); diff != "" {
			t.Errorf("%s: Compile changed its snapshot:\n%s", in, diff)
		}
	}
}

// TestRevision: the same content has the same revision after it went through JSON, and other content another one.
func TestRevision(t *testing.T) {
	t.Parallel()
	table, _ := routing.Compile(load(t, "testdata/full.in.yaml"))
	revision := routing.Revision(table)
	if len(revision) != 32 || strings.Trim(revision, "0123456789abcdef") != "" {
		t.Errorf("revision %q is not 32 hexadecimal digits", revision)
	}
	again := throughJSON(t, table)
	if diff := cmp.Diff(table, again); diff != "" {
		t.Errorf("JSON changes the table (-before +after):\n%s", diff)
	}
	if got := routing.Revision(again); got != revision {
		t.Errorf("revision %s became %s through JSON", revision, got)
	}
	again.Pools[0].Agents[0].Capacity++
	if routing.Revision(again) == revision {
		t.Error("another capacity has the same revision")
	}
}

// throughJSON sends a table the way of the cluster, where the order of keys is not kept.
func throughJSON(t testing.TB, table *routing.Table) *routing.Table {
	t.Helper()
	raw, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	var loose map[string]any
	if err := json.Unmarshal(raw, &loose); err != nil {
		t.Fatal(err)
	}
	if raw, err = json.Marshal(loose); err != nil {
		t.Fatal(err)
	}
	var out routing.Table
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return &out
}
