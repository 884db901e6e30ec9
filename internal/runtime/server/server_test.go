package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/opencopilot/handoff-operator/internal/runtime/server"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a Source whose inputs a test sends.
type source chan table.Inputs

func (s source) Run(ctx context.Context, use table.Use) error {
	for {
		select {
		case in := <-s:
			if err := use(ctx, in); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// process is a running server.
type process struct {
	server.Started
	runDir string
	stop   context.CancelFunc
	ended  chan error
	client *http.Client
}

// start runs a server with a table until the test ends.
func start(t *testing.T) *process {
	t.Helper()
	runDir, err := os.MkdirTemp("", "run") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runDir) })
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{runDir: filepath.Join(runDir, "run"), stop: cancel, ended: make(chan error, 1), client: &http.Client{Transport: &http.Transport{}}}
	inputs, started := make(source, 1), make(chan server.Started, 1)
	inputs <- Inputs(Table(1, 1))
	go func() {
		p.ended <- server.Run(ctx, server.Options{
			DataDir: filepath.Join(t.TempDir(), "data"), RunDir: p.runDir, Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0",
			Source: inputs, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
			Started: func(_ context.Context, s server.Started) { started <- s },
		})
	}()
	t.Cleanup(p.client.CloseIdleConnections)
	t.Cleanup(cancel)
	select {
	case p.Started = <-started:
	case err := <-p.ended:
		t.Fatalf("Run: %v", err)
	}
	return p
}

func (p *process) get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// At the end streams end, Run returns nil, and nothing is left running (see TestMain).
func TestEndsInOrder(t *testing.T) {
	t.Parallel()
	p := start(t)
	resp, err := p.client.Post("http://"+p.Addr+"/v1/conversations", "application/json", strings.NewReader(`{"token":"`+Token+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	var opened struct{ ID, Token string }
	err = json.NewDecoder(resp.Body).Decode(&opened)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Addr+"/v1/conversations/"+opened.ID+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "bearer "+opened.Token)
	req.Header.Set("Accept", "text/event-stream")
	stream, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	if line, err := bufio.NewReader(stream.Body).ReadString('\n'); err != nil || line != "id: 1\n" {
		t.Fatalf("%q %v", line, err)
	}
	p.stop()
	if _, err := io.ReadAll(stream.Body); err != nil {
		t.Errorf("the stream broke instead of ending: %v", err)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := os.Stat(filepath.Join(p.runDir, "admin.sock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// Metrics, health and readiness are at the admin address, and not at the public one.
func TestAdmin(t *testing.T) {
	t.Parallel()
	p := start(t)
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": "handoff_queue_waiting 0"} {
		if status, body := p.get(t, "http://"+p.AdminAddr+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
		if status, body := p.get(t, "http://"+p.Addr+path); status != http.StatusNotFound || !strings.Contains(body, "GET "+path) {
			t.Errorf("public %s: %d %s", path, status, body)
		}
	}
}

// Login codes come over the socket, which is the owner's alone.
func TestLogin(t *testing.T) {
	t.Parallel()
	p := start(t)
	info, err := os.Stat(filepath.Join(p.runDir, "admin.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	code, err := server.RequestLogin(t.Context(), p.runDir, Email("a0"))
	if err != nil || code.Code == "" || !code.ExpiresAt.After(time.Now()) {
		t.Fatalf("%+v %v", code, err)
	}
	if status, body := p.get(t, "http://"+p.Addr+"/agent/login?code="+code.Code); status != http.StatusOK || !strings.Contains(body, Email("a0")) {
		t.Errorf("%d %s", status, body)
	}
	if _, err := server.RequestLogin(t.Context(), p.runDir, "eve@agents.example"); err == nil || !strings.Contains(err.Error(), Email("a0")) {
		t.Errorf("a stranger: %v", err)
	}
	if status, _ := p.get(t, "http://"+p.Addr+"/login"); status != http.StatusNotFound {
		t.Errorf("the public address serves logins: %d", status)
	}
	if _, err := server.RequestLogin(t.Context(), t.TempDir(), Email("a0")); err == nil || !strings.Contains(err.Error(), "no runtime answers") {
		t.Errorf("without a runtime: %v", err)
	}
}

// What cannot be started ends with an error that says what, and leaves nothing behind.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	p := start(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*server.Options){
		"listening at":  func(o *server.Options) { o.Addr = p.Addr },
		p.AdminAddr:     func(o *server.Options) { o.AdminAddr = p.AdminAddr },
		"run directory": func(o *server.Options) { o.RunDir = file },
		"store":         func(o *server.Options) { o.DataDir = file },
		"bad inputs":    func(o *server.Options) { o.Source = failing{} },
	} {
		o := server.Options{DataDir: t.TempDir(), Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Source: make(source),
			Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()}
		change(&o)
		if err := server.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failing struct{}

func (failing) Run(context.Context, table.Use) error { return fmt.Errorf("bad inputs") }
