package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// asProgram makes the test's binary the runtime itself.
const asProgram = "HANDOFF_TEST_AS_RUNTIME"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// serving starts a runtime, which program makes, on a data folder and returns its address and process, and what kills it.
func serving(t testing.TB, program func(testing.TB, ...string) *exec.Cmd, dir string) (url string, pid int, kill func()) {
	t.Helper()
	run, err := os.MkdirTemp("", "run") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(run) })
	inputs, err := json.Marshal(tenanttest.Inputs(tenanttest.Table(1, 1)))
	if err == nil {
		err = os.WriteFile(filepath.Join(run, "inputs.json"), inputs, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := program(t, "--table="+filepath.Join(run, "inputs.json"), "--data-dir="+dir, "--run-dir="+filepath.Join(run, "run"), "--addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0")
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	address, ended := make(chan string, 1), make(chan struct{})
	var log bytes.Buffer
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Fprintln(&log, lines.Text())
			var said struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &said) == nil && said.Msg == "serving" {
				address <- "http://" + said.Address
			}
		}
		_ = cmd.Wait() // killed
	}()
	kill = func() { _ = cmd.Process.Kill(); <-ended } // it may have ended
	t.Cleanup(kill)
	select {
	case url := <-address:
		return url, cmd.Process.Pid, kill
	case <-ended:
		t.Fatalf("the runtime ended:\n%s", &log)
		return "", 0, nil
	}
}

// post sends JSON and decodes the answer.
func post(t *testing.T, url, token string, body map[string]string, out any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s: status %d", url, resp.StatusCode)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
}

// A backup is made beside the runtime, as in its pod, and put back in the place of what came after it: what was
// acknowledged before is there, with its tokens, and what came later is not.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url, _, kill := serving(t, program, dir)
	var c, later struct{ ID, Token string }
	var message, again struct{ Event struct{ Seq int64 } }
	post(t, url+"/v1/conversations", "", map[string]string{"token": tenanttest.Token}, &c)
	post(t, url+"/v1/conversations/"+c.ID+"/messages", c.Token, map[string]string{"id": "m1", "text": "Hello"}, &message)

	copied, err := program(t, "backup", "--data-dir="+dir).Output()
	if err != nil {
		t.Fatalf("backup: %v", err)
	}
	post(t, url+"/v1/conversations", "", map[string]string{"token": tenanttest.Token}, &later)
	restore := func(from []byte) string {
		cmd := program(t, "restore", "--data-dir="+dir)
		cmd.Stdin = bytes.NewReader(from)
		said, _ := cmd.CombinedOutput() // which says how it went
		return string(said)
	}
	if said := restore(copied); !strings.Contains(said, "in use by another process") {
		t.Errorf("beside a runtime: %s", said)
	}
	kill()
	if said := restore(copied[:len(copied)/2]); !strings.Contains(said, "not a whole copy") {
		t.Errorf("half a copy: %s", said)
	}
	if said := restore(copied); !strings.Contains(said, "restored 1 conversations; what was there is in ") {
		t.Errorf("restore: %s", said)
	}

	url, _, kill = serving(t, program, dir)
	post(t, url+"/v1/conversations/"+c.ID+"/messages", c.Token, map[string]string{"id": "m1", "text": "Hello"}, &again)
	if again.Event.Seq != message.Event.Seq {
		t.Errorf("the message is event %d, and was %d: it is not there", again.Event.Seq, message.Event.Seq)
	}
	kill()
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if name := filepath.Base(path); !strings.HasPrefix(name, "handoff.") {
			t.Errorf("%s is left over", name)
		}
	}
}

// A runtime on PostgreSQL says what to use instead.
func TestNoFolderToCopy(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"backup", "restore"} {
		said, err := program(t, verb, "--data-dir=").CombinedOutput()
		if err == nil || !strings.Contains(string(said), "pg_dump") {
			t.Errorf("%s: %v, %s", verb, err, said)
		}
	}
}
