// Package engine runs several real runtime processes on one PostgreSQL, for tests that talk to them as customers and
// agents do, and kill them.
package engine

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// Patience is how long a test waits for something that has to happen before it fails. No passing test takes it.
const Patience = 2 * time.Minute

// Options say what a Fleet is made of. Every field may be left out.
type Options struct {
	// Replicas to start; default 2.
	Replicas int
	// Table to serve; nil for tenanttest.Table(2, 1). The Fleet sets where its conversations are kept, and its name.
	Table *routing.Table
	// DSN of the database, of a proxy for example; empty for the test process's shared server.
	DSN string
}

// Fleet is a number of replicas of one Copilot's runtime.
type Fleet struct {
	TB       testing.TB
	Table    *routing.Table
	Replicas []*Replica
	// Schema of the database that has all of it.
	Schema string
	dir    string
}

// binary builds the runtime once for the test's process.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "runtime")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "runtime")
	out, err := exec.Command("go", "build", "-o", path, "github.com/opencopilot/handoff-operator/cmd/runtime").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the runtime: %w\n%s", err, out)
	}
	return path, nil
})

// Main is a TestMain that removes what tests have built.
func Main(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

var fleets struct {
	sync.Mutex
	n int
}

// New starts replicas at once, all in one new schema, and returns when each has opened the database. They end with the test.
func New(tb testing.TB, o Options) *Fleet {
	tb.Helper()
	if o.Replicas == 0 {
		o.Replicas = 2
	}
	if o.Table == nil {
		o.Table = tenanttest.Table(2, 1)
	}
	if o.DSN == "" {
		o.DSN = postgrestest.Shared(tb).DSN()
	}
	fleets.Lock()
	fleets.n++
	o.Table.Copilot.Name = fmt.Sprintf("fleet-%d-%d", os.Getpid(), fleets.n)
	fleets.Unlock()
	o.Table.Copilot.Postgres = &routing.Postgres{DSN: routing.SecretKey{Name: "db-app", Key: "uri"}}
	dir, err := os.MkdirTemp("", "fleet") // a socket's path is short
	if err != nil {
		tb.Fatal(err)
	}
	f := &Fleet{TB: tb, Table: o.Table, Schema: store.SchemaName(o.Table.Copilot.Namespace, o.Table.Copilot.Name), dir: dir}
	tb.Cleanup(func() {
		if tb.Failed() {
			f.complaints()
		}
		_ = os.RemoveAll(dir)
	})
	f.Write(o.DSN)
	var starting sync.WaitGroup
	for i := range o.Replicas {
		r := &Replica{fleet: f, name: fmt.Sprint("replica-", i), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
		f.Replicas = append(f.Replicas, r)
		tb.Cleanup(r.client.CloseIdleConnections)
		tb.Cleanup(func() { r.end(syscall.SIGKILL) })
		starting.Go(func() {
			if r.launch(); !tb.Failed() {
				r.ready()
			}
		})
	}
	starting.Wait()
	if tb.Failed() {
		tb.FailNow()
	}
	return f
}

// complaints shows the last warnings and errors of each replica.
func (f *Fleet) complaints() {
	for _, r := range f.Replicas {
		lines := slices.DeleteFunc(strings.Split(r.Logs(), "\n"), func(line string) bool {
			return !strings.Contains(line, `"level":"WARN"`) && !strings.Contains(line, `"level":"ERROR"`)
		})
		f.TB.Logf("%s complained %d times, at last:\n%s", r.name, len(lines), strings.Join(lines[max(0, len(lines)-20):], "\n"))
	}
}

// Write gives all replicas their inputs, with a DSN: the way a rotated Secret reaches them.
func (f *Fleet) Write(dsn string) {
	f.TB.Helper()
	in := tenanttest.Inputs(f.Table)
	data, err := json.Marshal(map[string]any{"table": in.Table, "configMaps": in.ConfigMaps,
		"secrets": map[string]map[string][]byte{"db-app": {"uri": []byte(dsn)}}})
	if err == nil {
		temporary := f.file() + ".new"
		if err = os.WriteFile(temporary, data, 0o600); err == nil {
			err = os.Rename(temporary, f.file())
		}
	}
	if err != nil {
		f.TB.Fatal(err)
	}
}

func (f *Fleet) file() string { return filepath.Join(f.dir, "inputs.json") }

// Replica is one process. Its address is another one after each start.
type Replica struct {
	fleet  *Fleet
	name   string
	client *http.Client

	mu         sync.Mutex
	cmd        *exec.Cmd
	url, admin string
	gone       chan struct{}
}

// URL of the process that runs, or ran last.
func (r *Replica) URL() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

// Kill ends the process as the loss of its machine would, except that the network says so.
func (r *Replica) Kill() { r.end(syscall.SIGKILL) }

// Stop ends the process in order.
func (r *Replica) Stop() { r.end(syscall.SIGTERM) }

// Start starts the process again and returns when it serves.
func (r *Replica) Start() {
	r.fleet.TB.Helper()
	r.launch()
	if r.fleet.TB.Failed() {
		r.fleet.TB.FailNow()
	}
}

// ready returns when the replica says that it is. It marks the test as failed if it never does.
func (r *Replica) ready() {
	for end := time.Now().Add(Patience); ; {
		resp, err := r.client.Get(r.admin + "/readyz") //nolint:noctx // it answers at once
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			r.fleet.TB.Errorf("%s is not ready:\n%s", r.name, r.Logs())
			return
		}
		<-time.After(20 * time.Millisecond) // nothing tells when it is
	}
}

func (r *Replica) end(signal syscall.Signal) {
	r.mu.Lock()
	cmd, gone := r.cmd, r.gone
	r.cmd = nil
	r.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Signal(signal) // it may be gone already
		<-gone
	}
}

// launch starts the process and waits until it serves. It marks the test as failed if it does not.
func (r *Replica) launch() {
	if err := r.run(); err != nil {
		r.fleet.TB.Errorf("%s: %v", r.name, err)
	}
}

func (r *Replica) run() error {
	path, err := binary()
	if err != nil {
		return err
	}
	dir := filepath.Join(r.fleet.dir, r.name)
	cmd := exec.Command(path, "--table="+r.fleet.file(), "--data-dir=", "--run-dir="+dir, "--addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0") //nolint:noctx // ended by end
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	logs, err := os.OpenFile(dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, logs.Close())
	}
	serving, gone := make(chan [2]string, 1), make(chan struct{})
	go func() {
		defer close(gone)
		defer logs.Close()
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			_, _ = fmt.Fprintln(logs, lines.Text())
			var said struct{ Msg, Address, Admin string }
			if json.Unmarshal(lines.Bytes(), &said) == nil && said.Msg == "serving" {
				serving <- [2]string{"http://" + said.Address, "http://" + said.Admin}
			}
		}
		_ = cmd.Wait() // killed, as a rule
	}()
	r.mu.Lock()
	r.cmd, r.gone = cmd, gone
	r.mu.Unlock()
	select {
	case urls := <-serving:
		r.mu.Lock()
		r.url, r.admin = urls[0], urls[1]
		r.mu.Unlock()
		return nil
	case <-gone:
		return fmt.Errorf("the process ended:\n%s", r.Logs())
	case <-time.After(Patience):
		return fmt.Errorf("the process does not serve:\n%s", r.Logs())
	}
}

// Logs returns what the processes of the replica have logged.
func (r *Replica) Logs() string {
	data, err := os.ReadFile(filepath.Join(r.fleet.dir, r.name+".log"))
	if err != nil {
		return err.Error()
	}
	return string(data)
}
