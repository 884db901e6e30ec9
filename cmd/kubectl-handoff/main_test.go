package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// asProgram makes the test binary the program itself.
const asProgram = "HANDOFF_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	// Where the tests were started with nohup, as CI may be, the program under test must not inherit that SIGHUP is ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	os.Exit(m.Run())
}

// serve starts the program on the tenant of package cli; its temporary files go to temp.
func serve(t *testing.T, out *os.File) (c *exec.Cmd, temp string) {
	t.Helper()
	temp = t.TempDir()
	c = exec.CommandContext(t.Context(), os.Args[0], "serve", "-f", "../../internal/cli/testdata/tenant", "--addr", "127.0.0.1:0", "--admin-addr", "")
	c.Env = append(os.Environ(), asProgram+"=1", "TMPDIR="+temp)
	c.Stdout = out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, temp
}

func empty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestServeRemovesItsDirectoryWhenTheTerminalCloses(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c, temp := serve(t, w)
	_ = w.Close()
	base, lines := "", bufio.NewScanner(r)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C ends it.") {
		if f := strings.Fields(lines.Text()); strings.Contains(lines.Text(), "Customers and agents") {
			base = f[3]
		}
	}
	// What a customer brings about who hangs up in the middle of an answer.
	if err := c.Process.Signal(syscall.SIGPIPE); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/agent/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("after SIGHUP: %v", err)
	}
	empty(t, temp)
}

func TestServeRemovesItsDirectoryWhenNobodyReadsItsOutput(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	c, temp := serve(t, w)
	_ = w.Close()
	if err := c.Wait(); err != nil {
		t.Errorf("with its output closed: %v", err)
	}
	empty(t, temp)
}
