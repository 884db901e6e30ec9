// Package postgrestest runs real PostgreSQL servers for tests: private ones, in a temporary folder, which end with the
// test's process.
package postgrestest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start or stop on a busy machine.
const patience = 2 * time.Minute

// settings are those of the test servers. Durability is PostgreSQL's own default: fsync is on. Many stores share one
// server, and a deadlock is found sooner than after the default of a second.
var settings = []string{"max_connections=400", "deadlock_timeout=100ms", "shared_buffers=64MB", "log_min_messages=fatal"}

// Server is one PostgreSQL server.
type Server struct {
	// Port on 127.0.0.1. It stays the same when the server is started again.
	Port int
	dir  string
	// extra settings, name=value.
	extra []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	hold *os.File
}

var shared = sync.OnceValues(func() (*Server, error) { return start(nil) })

// Shared returns the server that all tests of the process share. It is not stopped by a test. The test is skipped where
// PostgreSQL is not installed.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	Needed(tb)
	s, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// Start runs a server that the test has for itself, with settings of its own, name=value.
func Start(tb testing.TB, extra ...string) *Server {
	tb.Helper()
	Needed(tb)
	s, err := start(extra)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		s.Stop()
		_ = os.RemoveAll(s.dir)
	})
	return s
}

// DSN of the database that every server has. The role may do everything.
func (s *Server) DSN() string { return s.At(s.Port) }

// At is the DSN through another port, of a proxy for example.
func (s *Server) At(port int) string {
	return fmt.Sprintf("postgres://handoff@127.0.0.1:%d/postgres?sslmode=disable", port)
}

func start(extra []string) (*Server, error) {
	dir, err := os.MkdirTemp("", "postgres")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, extra: extra}
	if s.Port, err = freePort(); err != nil {
		return nil, err
	}
	if c := credential(); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			return nil, err
		}
	}
	// An ordering that is not that of bytes shows whether queries ask for the one they need.
	initdb := s.command("initdb", "--pgdata="+s.data(), "--username=handoff", "--auth=trust", "--no-sync",
		"--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, s.Start()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Start starts the server, for the first time or after Stop or Crash, and returns when it takes connections.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return nil
	}
	// The shell outlives a test that is killed: it sees its input end, stops the server and removes the folder.
	const guard = `"$@" & pid=$!; read stop; kill -INT $pid; wait $pid; test "$stop" || rm -rf "$PWD"`
	args := []string{"-c", guard, "sh", Binary("postgres"), "-D", s.data(), "-p", strconv.Itoa(s.Port),
		"-h", "127.0.0.1", "-k", s.dir}
	for _, setting := range append(slices.Clone(settings), s.extra...) {
		args = append(args, "-c", setting)
	}
	cmd := s.command("sh", args...)
	input, hold, err := os.Pipe()
	if err != nil {
		return err
	}
	defer input.Close()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.hold = cmd, hold
	return s.await()
}

// await returns when the server takes connections.
func (s *Server) await() error {
	for end := time.Now().Add(patience); ; {
		ctx, cancel := context.WithDeadline(context.Background(), end)
		conn, err := pgx.Connect(ctx, s.DSN())
		cancel()
		if err == nil {
			return conn.Close(context.Background())
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("the server does not start: %w\n%s", err, log)
		}
		<-time.After(20 * time.Millisecond) // nothing tells when it takes connections
	}
}

// Stop ends the server as an administrator would, cutting its connections. Start may follow within the same test.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_, _ = s.hold.WriteString("stop\n")
	_ = s.hold.Close()
	_ = s.cmd.Wait() // the shell's status says nothing
	s.cmd = nil
}

// Crash ends the server as the loss of its machine would: nothing is written down any more.
func (s *Server) Crash(tb testing.TB) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		tb.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		tb.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil { // immediate shutdown: recovery at the next start
		tb.Fatal(err)
	}
	s.Stop()
}

// command runs a program as a user that PostgreSQL accepts: it refuses root.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(Binary(name), args...) //nolint:noctx // ended by Stop
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(), Setpgid: true}
	return cmd
}

// credential is that of an unprivileged user where the tests run as root, else nil.
func credential() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return nil
}

// Binary returns the path of a program of the newest PostgreSQL that Debian installed, or else the one in PATH.
func Binary(name string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return slices.MaxFunc(found, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return name
	}
	return path
}

// Needed skips the test where PostgreSQL is not installed.
func Needed(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath(Binary("initdb")); err != nil {
		tb.Skip("PostgreSQL is not installed, so it is not tested: apt-get install postgresql")
	}
}

func freePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
