package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

// socketName is the file of the socket in the run directory.
const socketName = "admin.sock"

// LoginCode is a one-time code that signs an agent in.
type LoginCode struct {
	Code      string    `json:"code"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// listenSocket serves login codes on a Unix socket that only this pod's processes reach. Who may run a process in the
// pod may sign in as any agent: that is the right that `kubectl handoff login` needs.
func listenSocket(ctx context.Context, g *errgroup.Group, dir string, t *tenant.Tenant, log *slog.Logger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the run directory: %w", err)
	}
	path := filepath.Join(dir, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the socket of a former process: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", httpjson.Handler(func(w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Agent string `json:"agent"`
		}
		if err := httpjson.Read(w, r, &body); err != nil {
			return err
		}
		code, expires, err := t.NewCode(r.Context(), body.Agent)
		if err != nil {
			return err
		}
		httpjson.Write(w, http.StatusOK, LoginCode{Code: code, ExpiresAt: expires})
		return nil
	}))
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("listening for logins: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil { // before the first request is taken
		return errors.Join(fmt.Errorf("closing the login socket to others: %w", err), l.Close())
	}
	serve(ctx, g, l, mux, log)
	return nil
}

// socketClient returns an HTTP client for the socket in a run directory.
func socketClient(dir string) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, socketName))
		},
	}}
}
