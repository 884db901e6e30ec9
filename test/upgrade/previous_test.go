package upgrade_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// patience ends a test that hangs.
const patience = 2 * time.Minute

// The operator is upgraded before the runtimes, so the runtime of the release before gets the tables of this one. This
// builds it from the newest tag, or from what PREVIOUS_RELEASE names, and hands it every table of the compiler's goldens.
func TestThePreviousRuntimeReadsTheTablesOfThisRelease(t *testing.T) {
	t.Parallel()
	runtime := build(t, previous(t))
	dir := t.TempDir()
	file := filepath.Join(dir, "table", "inputs.json")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	all := tables(t)
	publish(t, file, all[0].inputs)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	cmd := exec.CommandContext(ctx, runtime, "--table", file, "--data-dir", filepath.Join(dir, "data"),
		"--run-dir", filepath.Join(dir, "run"), "--addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	said := bufio.NewScanner(log)
	for i, one := range all {
		if i > 0 {
			publish(t, file, one.inputs)
		}
		expectUsed(t, said, one)
	}
}

// previous is what stands for the release before.
func previous(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("PREVIOUS_RELEASE"); named != "" {
		return named
	}
	tag, err := exec.CommandContext(t.Context(), "git", "-C", controltest.Root(""), "describe", "--tags", "--abbrev=0").Output()
	if err != nil {
		t.Skip("no tag of a release to build a runtime from: set PREVIOUS_RELEASE to a commit")
	}
	return strings.TrimSpace(string(tag))
}

// build makes the runtime of a release and returns the program's path.
func build(t *testing.T, release string) string {
	t.Helper()
	dir := t.TempDir()
	archive := filepath.Join(dir, "release.tar")
	run(t, "git", "-C", controltest.Root(""), "archive", "--output", archive, release, "go.mod", "go.sum", "api", "cmd", "internal")
	run(t, "tar", "-x", "-f", archive, "-C", dir)
	program := filepath.Join(dir, "runtime")
	run(t, "go", "build", "-C", dir, "-o", program, "./cmd/runtime")
	return program
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// table is a table of this release as its operator publishes it.
type table struct {
	name, revision string
	inputs         []byte
}

func tables(t *testing.T) []table {
	t.Helper()
	files, err := filepath.Glob(controltest.Root("internal/routing/testdata/*.out.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []table
	seen := map[string]bool{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct{ Table *routing.Table }
		if err := yaml.Unmarshal(raw, &golden); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if golden.Table == nil {
			continue // it was wrong
		}
		one := table{name: filepath.Base(f), revision: routing.Revision(golden.Table)}
		if seen[one.revision] {
			continue // to the runtime nothing would be new
		}
		seen[one.revision] = true
		one.inputs, err = json.Marshal(map[string]any{"revision": one.revision, "table": golden.Table})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, one)
	}
	if len(out) < 10 {
		t.Fatalf("only %d tables were found", len(out))
	}
	return out
}

// publish puts inputs at path in one step.
func publish(t *testing.T, path string, inputs []byte) {
	t.Helper()
	half := filepath.Join(t.TempDir(), "inputs")
	if err := os.WriteFile(half, inputs, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(half, path); err != nil {
		t.Fatal(err)
	}
}

// expectUsed reads the runtime's log up to where it uses or refuses the table.
func expectUsed(t *testing.T, log *bufio.Scanner, want table) {
	t.Helper()
	for log.Scan() {
		var line struct{ Msg, Error, Revision string }
		if json.Unmarshal(log.Bytes(), &line) != nil {
			t.Errorf("%s: %s", want.name, log.Text())
			continue
		}
		switch {
		case line.Msg == "using new inputs" && line.Revision == want.revision:
			return
		case strings.HasPrefix(line.Msg, "refused"):
			t.Errorf("%s: %s: %s", want.name, line.Msg, line.Error)
			return
		}
	}
	t.Fatalf("%s: the runtime ended: %v", want.name, log.Err())
}
