package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/manifest"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/server"
	"github.com/opencopilot/handoff-operator/test/chaos/traffic"
)

// startup bounds the time that a runtime may take to serve customers, on a machine that does much else.
const startup = time.Minute

// program is the built runtime, the same for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	log.SetLogger(logr.Discard())
	dir, err := os.MkdirTemp("", "chaos")
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "runtime")
	build := exec.Command("go", "build", "-o", program, "../../cmd/runtime")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "chaos: building the runtime: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// child is a runtime as a child process, whose data and addresses outlive it.
type child struct {
	t           *testing.T
	args        []string
	kubeconfig  string
	runDir      string
	base, admin string

	mu  sync.Mutex
	cmd *exec.Cmd
	log bytes.Buffer
}

// startChild runs a runtime for a table until the test ends.
func startChild(t *testing.T, table *routing.Table, configMaps map[string]map[string]string) *child {
	t.Helper()
	dir := t.TempDir()
	inputs, err := json.Marshal(map[string]any{"table": table, "configMaps": configMaps})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "inputs", "inputs.json")
	if err := errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, inputs, 0o600)); err != nil {
		t.Fatal(err)
	}
	return newChild(t, "", "--table", file)
}

// newChild runs a runtime, with its table from where the arguments say, until the test ends.
func newChild(t *testing.T, kubeconfig string, from ...string) *child {
	t.Helper()
	dir := t.TempDir()
	addr, admin := freeAddress(t), freeAddress(t)
	c := &child{t: t, kubeconfig: kubeconfig, base: "http://" + addr, admin: "http://" + admin, runDir: filepath.Join(dir, "run")}
	c.args = append(from, "--data-dir", filepath.Join(dir, "data"), "--run-dir", c.runDir, "--addr", addr, "--admin-addr", admin)
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.end(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the runtime's log:\n%s", c.log.String())
		}
	})
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// freeAddress returns a loopback address that nobody listened at a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (c *child) start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cmd = exec.Command(program, c.args...)
	c.cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig, "POD_NAME=chaos-handoff-0")
	c.cmd.Stderr = &c.log
	return c.cmd.Start()
}

// end kills the process and waits for it.
func (c *child) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("the runtime had ended by itself: %w", err)
	}
	err := c.cmd.Wait()
	if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the runtime ended by itself: %w", err)
	}
	return nil
}

// Kill makes a child a Target: the process is gone and the next one starts.
func (c *child) Kill(context.Context) error {
	if err := c.end(); err != nil {
		return err
	}
	return c.start()
}

// Ready waits for the runtime's own word.
func (c *child) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startup)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.admin+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(resp.Status)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w; the last answer of /readyz: %w", ctx.Err(), err)
		}
	}
}

// signIn signs all agents of the table in.
func (c *child) signIn(table *routing.Table) (agents []traffic.Agent, capacities map[string]int) {
	c.t.Helper()
	capacities = map[string]int{}
	for _, p := range table.Pools {
		for _, a := range p.Agents {
			code, err := server.RequestLogin(c.t.Context(), c.runDir, a.Email)
			if err != nil {
				c.t.Fatal(err)
			}
			signedIn, err := client.SignIn(c.t.Context(), http.DefaultClient, c.base, code.Code)
			if err != nil {
				c.t.Fatal(err)
			}
			agents = append(agents, traffic.Agent{Agent: signedIn, Email: a.Email})
			capacities[a.Email] = a.Capacity
		}
	}
	return agents, capacities
}

// compile compiles testdata/tenant.yaml as the operator does.
func compile(t *testing.T) (*routing.Table, map[string]map[string]string) {
	t.Helper()
	objects, err := manifest.Load(filepath.Join("testdata", "tenant.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := objects.Snapshot("")
	if err != nil {
		t.Fatal(err)
	}
	table, problems := routing.Compile(snapshot)
	for _, p := range problems {
		t.Fatalf("compiling the tenant: %v", p)
	}
	_, configMaps := objects.Contents(table)
	return table, configMaps
}
