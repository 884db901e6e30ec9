package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/server"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// cluster is a Source whose inputs a test sends, and which tells what use made of them and what became of the storage.
type cluster struct {
	inputs chan table.Inputs
	used   chan error
	// storage has what StorageChanged was called with.
	storage chan error
}

func (c *cluster) Run(ctx context.Context, use table.Use) error {
	for {
		select {
		case in := <-c.inputs:
			c.used <- use(ctx, in)
		case <-ctx.Done():
			return nil
		}
	}
}

// give hands inputs on, which keep the conversations in the database of a DSN, and returns what use made of them.
func (c *cluster) give(copilot, dsn string) error {
	tb := Table(1, 1)
	tb.Copilot.Name = copilot
	tb.Copilot.Postgres = &routing.Postgres{DSN: routing.SecretKey{Name: "db-app", Key: "uri"}}
	in := Inputs(tb)
	if dsn != "" {
		in.Secrets = map[string]map[string][]byte{"db-app": {"uri": []byte(dsn)}}
	}
	c.inputs <- in
	return <-c.used
}

// startOnDatabase runs a server without a data folder, with its first inputs.
func startOnDatabase(t *testing.T, copilot, dsn string) (*process, *cluster) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{stop: cancel, ended: make(chan error, 1), client: &http.Client{Transport: &http.Transport{}}}
	c := &cluster{inputs: make(chan table.Inputs), used: make(chan error), storage: make(chan error, 2)}
	started := make(chan server.Started, 1)
	go func() {
		p.ended <- server.Run(ctx, server.Options{
			Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Source: c,
			Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
			StorageChanged: func(err error) { c.storage <- err },
			Started:        func(_ context.Context, s server.Started) { started <- s },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-p.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		p.client.CloseIdleConnections()
	})
	if err := c.give(copilot, dsn); err != nil {
		t.Fatal(err)
	}
	p.Started = <-started
	return p, c
}

// post sends a body and returns the status, the header Retry-After and the answer.
func (p *process) post(t *testing.T, path, token, body string) (int, string, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.Addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Retry-After"), out
}

// become waits until a path of the admin address answers with a status.
func (p *process) become(t *testing.T, path string, want int) {
	t.Helper()
	for end := time.Now().Add(Patience); ; {
		status, body := p.get(t, "http://"+p.AdminAddr+path)
		if status == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %d %s, want %d", path, status, body, want)
		}
		<-time.After(20 * time.Millisecond) // nothing tells when
	}
}

const openBody = `{"token":"` + Token + `"}`

// A Secret with another DSN moves the process to it without a restart, and conversations go on.
func TestAnotherDSN(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	db.Exec(t, `CREATE ROLE rotated SUPERUSER LOGIN`)
	p, c := startOnDatabase(t, "rotating", db.DSN())
	status, _, opened := p.post(t, "/v1/conversations", "", openBody)
	if status != http.StatusCreated {
		t.Fatal(status, opened)
	}
	say := func(id string) int {
		status, _, _ := p.post(t, fmt.Sprintf("/v1/conversations/%s/messages", opened["id"]), fmt.Sprint(opened["token"]), `{"id":"`+id+`","text":"Hello"}`)
		return status
	}
	if err := c.give("rotating", strings.Replace(db.DSN(), "//handoff@", "//rotated@", 1)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(Patience); db.Count(t, `SELECT count(*) FROM pg_stat_activity WHERE usename = 'handoff' AND pid <> pg_backend_pid() AND backend_type = 'client backend'`) > 0; {
		if time.Now().After(end) {
			t.Fatal("connections of the former DSN stay open")
		}
		<-time.After(20 * time.Millisecond) // nothing tells when they are closed
	}
	if status := say("1"); status != http.StatusAccepted {
		t.Errorf("a message after the change: %d", status)
	}
	for name, dsn := range map[string]string{"refers to": "", "not a DSN": "postgres://u:s3cret@host:port/db", "unknown": strings.Replace(db.DSN(), "/postgres", "/unknown", 1)} {
		err := c.give("rotating", dsn)
		if err == nil || !strings.Contains(err.Error(), "db-app") || !strings.Contains(err.Error(), "uri") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
		if status := say("after " + name); status != http.StatusAccepted {
			t.Errorf("a message after a DSN that is refused: %d", status)
		}
	}
}

// A database that is away when the process starts is no reason to end: customers are told to try again, the process is
// not ready and says why, and serves when the database comes.
func TestDatabaseAwayAtTheStart(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	db.Stop()
	p, _ := startOnDatabase(t, "patient", db.DSN())
	status, retry, body := p.post(t, "/v1/conversations", "", openBody)
	if status != http.StatusServiceUnavailable || retry == "" || !strings.Contains(fmt.Sprint(body), "try again") {
		t.Errorf("%d, Retry-After %q, %v", status, retry, body)
	}
	if status, body := p.get(t, "http://"+p.AdminAddr+"/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "connect") {
		t.Errorf("ready: %d %s", status, body)
	}
	if err := db.Start(); err != nil {
		t.Fatal(err)
	}
	p.become(t, "/readyz", http.StatusOK)
	if status, _, body := p.post(t, "/v1/conversations", "", openBody); status != http.StatusCreated {
		t.Errorf("%d %v", status, body)
	}
}

// A database that goes away leaves the process ready, so that customers are told to try again and are not sent away by a
// Service without an endpoint. The operator is told, and told that it is back.
func TestDatabaseGoesAway(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	p, c := startOnDatabase(t, "left", db.DSN())
	p.become(t, "/readyz", http.StatusOK)
	db.Stop()
	select {
	case err := <-c.storage:
		if err == nil || !strings.Contains(err.Error(), "connect") {
			t.Errorf("the storage changed: %v", err)
		}
	case <-time.After(Patience):
		t.Fatal("nobody is told that the database is away")
	}
	status, retry, body := p.post(t, "/v1/conversations", "", openBody)
	if status != http.StatusServiceUnavailable || retry == "" || !strings.Contains(fmt.Sprint(body), "try again") {
		t.Errorf("%d, Retry-After %q, %v", status, retry, body)
	}
	if status, body := p.get(t, "http://"+p.AdminAddr+"/readyz"); status != http.StatusOK {
		t.Errorf("ready: %d %s", status, body)
	}
	if err := db.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-c.storage:
		if err != nil {
			t.Errorf("the storage changed: %v", err)
		}
	case <-time.After(Patience):
		t.Fatal("nobody is told that the database is back")
	}
	if status, _, body := p.post(t, "/v1/conversations", "", openBody); status != http.StatusCreated {
		t.Errorf("%d %v", status, body)
	}
}

// Where the table and the process' flags do not agree, nothing is kept in the wrong place.
func TestTableAndFlagsDoNotAgree(t *testing.T) {
	t.Parallel()
	for says, o := range map[string]struct {
		dir      string
		postgres *routing.Postgres
	}{
		"--data-dir=DIR":            {"", nil},
		"start it with --data-dir=": {filepath.Join(t.TempDir(), "data"), &routing.Postgres{}},
	} {
		tb := Table(1, 1)
		tb.Copilot.Postgres = o.postgres
		inputs := make(source, 1)
		inputs <- Inputs(tb)
		err := server.Run(t.Context(), server.Options{DataDir: o.dir, Addr: "127.0.0.1:0", Source: inputs, Logger: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q, %v: %v", o.dir, o.postgres, err)
		}
	}
}
