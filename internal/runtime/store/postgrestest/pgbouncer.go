package postgrestest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const bouncerConfig = `[databases]
postgres = host=127.0.0.1 port=%d user=handoff
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
auth_type = any
pool_mode = %s
unix_socket_dir =
`

// Bouncer runs a real PgBouncer in front of a server until the test ends, and returns the DSN that leads through it. The
// test is skipped where PgBouncer is not installed.
func (s *Server) Bouncer(tb testing.TB, poolMode string) (dsn string) {
	tb.Helper()
	path, err := exec.LookPath("pgbouncer")
	if err != nil {
		if path = "/usr/sbin/pgbouncer"; exec.Command(path, "--version").Run() != nil { //nolint:noctx // it ends by itself
			tb.Skip("PgBouncer is not installed, so it is not tested: apt-get install pgbouncer")
		}
	}
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	config := filepath.Join(s.dir, fmt.Sprintf("pgbouncer-%d.ini", port))
	if err := os.WriteFile(config, fmt.Appendf(nil, bouncerConfig, s.Port, port, poolMode), 0o644); err != nil { //nolint:gosec // another user reads it
		tb.Fatal(err)
	}
	cmd := s.command(path, "-q", config)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	dsn = s.At(port)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, dsn)
		if err == nil {
			_ = conn.Close(ctx)
			return dsn
		}
		if ctx.Err() != nil {
			tb.Fatalf("pgbouncer does not start: %v", err)
		}
		<-time.After(20 * time.Millisecond) // nothing tells when it takes connections
	}
}
