// Package readme runs what README.md tells its readers to type.
package readme

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds the wait for what a block shows, so that a walk-through that hangs says at which block.
const patience = 2 * time.Minute

// block is a shell block of the README with the comment before it: <!-- walkthrough[: kind][; until: text] -->.
type block struct {
	// kind is "build", "serve" for what keeps running in a terminal of its own, or empty.
	kind string
	// until is what a reader waits for before going on.
	until string
	text  string
}

var marked = regexp.MustCompile("(?s)<!-- walkthrough(?:: (build|serve))?(?:; until: ([^\n]+))? -->\n```bash\n(.*?)```")

func readBlocks(t *testing.T, root string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	for _, m := range marked.FindAllStringSubmatch(string(text), -1) {
		out = append(out, block{kind: m[1], until: m[2], text: m[3]})
	}
	if n := strings.Count(string(text), "<!-- walkthrough"); n != len(out) || n < 2 {
		t.Fatalf("README.md marks %d blocks of the walk-through, %d of which have the form that this test reads", n, len(out))
	}
	return out
}

// TestWalkthrough types the README's walk-through into two terminals in order, waits like a reader for what each block
// shows, and finds the handoff, the agent's reply and the AI afterwards in what the customer saw.
func TestWalkthrough(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(root, "config"), filepath.Join(dir, "config")); err != nil {
		t.Fatal(err)
	}
	var customer *terminal
	for _, b := range readBlocks(t, root) {
		switch b.kind {
		case "build":
			build(t, root, dir, b)
		case "serve":
			// Free ports instead of 8080 and 8081, which may be taken where tests run.
			b.text = replaceOnce(t, b.text, " serve ", " serve --addr 127.0.0.1:0 --admin-addr 127.0.0.1:0 ")
			open(t, dir).run(b)
		default:
			if customer == nil {
				customer = open(t, dir)
			}
			customer.run(b)
		}
	}
	inOrder(t, customer.output.String(),
		`"author":{"kind":"ai"},"text":"Hello!`,
		`"author":{"kind":"ai"},"text":"An inspection costs 49 euros`,
		"event: handoff", `"summery":"`, `"sentiment":"angry","reason":"HumanRequested"`,
		"event: assigned",
		`"author":{"kind":"agent","name":"Mara"},"text":"Mara here.`,
		"event: resolved",
		`"author":{"kind":"ai"},"text":"The shop is open`)
}

// build runs a block at the root of the repository, with the program going to dir.
func build(t *testing.T, root, dir string, b block) {
	t.Helper()
	script := replaceOnce(t, b.text, "-o bin/", "-o "+filepath.Join(dir, "bin")+"/")
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", b.text, err, out)
	}
}

func replaceOnce(t *testing.T, text, old, replacement string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("the block has to contain %q once:\n%s", old, text)
	}
	return strings.Replace(text, old, replacement, 1)
}

// terminal is a bash that is typed into.
type terminal struct {
	t      *testing.T
	input  io.Writer
	output *transcript
}

// open starts a terminal in dir that ends with the test, together with all that runs in it.
func open(t *testing.T, dir string) *terminal {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "bash", "-euo", "pipefail")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out := &transcript{more: make(chan struct{}, 1)}
	cmd.Stdout, cmd.Stderr = out, out
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // it may have ended already
		_ = cmd.Wait()
	})
	return &terminal{t: t, input: input, output: out}
}

// run types a block and waits until its text was shown since.
func (m *terminal) run(b block) {
	m.t.Helper()
	from := len(m.output.String())
	if _, err := io.WriteString(m.input, b.text); err != nil {
		m.t.Fatalf("the terminal has ended before\n%s\nits output:\n%s", b.text, m.output)
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for !strings.Contains(m.output.String()[from:], b.until) {
		select {
		case <-m.output.more:
		case <-timeout.C:
			m.t.Fatalf("%q was not shown within %s after\n%s\nthe output:\n%s", b.until, patience, b.text, m.output)
		}
	}
}

// transcript is what a terminal has shown.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
	// more has a signal when something was added.
	more chan struct{}
}

// Write adds to the transcript.
func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

// String returns all of it.
func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, p := range parts {
		_, after, found := strings.Cut(rest, p)
		if !found {
			t.Fatalf("%q is missing, or not after what comes before it, in\n%s", p, text)
		}
		rest = after
	}
}
