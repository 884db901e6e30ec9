package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/storetest"
)

func migrationsOf(t *testing.T) int {
	t.Helper()
	files, err := store.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	found, err := fs.Glob(files, "*.sql")
	if err != nil || len(found) == 0 {
		t.Fatalf("migrations: %v (%v)", found, err)
	}
	return len(found)
}

// wantAway checks that an error says that the database is away and that trying again helps.
func wantAway(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "try again") {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

// works checks that the store can be written and read, and returns the length of c0's log.
func works(t *testing.T, s store.Store) int64 {
	t.Helper()
	before := seqOf(t, s, "c0")
	if err := s.Update(t.Context(), func(tx store.Tx) error { return writeTo(tx, "c0") }); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	after := seqOf(t, s, "c0")
	if after != before+1 {
		t.Errorf("the log went from %d to %d", before, after)
	}
	return after
}

// The server stops, and crashes: what was acknowledged is there afterwards, and the same store goes on.
func TestServerRestarted(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	s := openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: newSchema()})
	create(t, s, 1)
	ear := storetest.Listen(t, s)
	for name, end := range map[string]func(){"stopped": server.Stop, "crashed": func() { server.Crash(t) }} {
		before := works(t, s)
		end()
		wantAway(t, s.Update(t.Context(), func(tx store.Tx) error { return writeTo(tx, "c0") }))
		wantAway(t, s.View(t.Context(), func(r store.Reader) error { _, err := r.Conversation("c0"); return err }))
		wantAway(t, s.Ping(t.Context()))
		if _, err := store.OpenPostgres(t.Context(), store.PostgresOptions{DSN: server.DSN(), Schema: newSchema()}); err == nil {
			t.Error("a store opens without a server")
		} else {
			wantAway(t, err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		ear.Until("a new start of listening", func(w store.Wake) bool { return w.Reread })
		if after := works(t, s); after != before+1 {
			t.Errorf("%s: the log was at %d before and is at %d after one more message", name, before, after)
		}
		ear.Until("a message afterwards", storetest.About("c0"))
	}
}

// The connection is killed within a transaction: nothing of it stays, and it runs again on another.
func TestConnectionKilledInTransaction(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	s := openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: newSchema()})
	create(t, s, 1)
	kill := func() {
		server.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'`)
	}
	calls := 0
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := writeTo(tx, "c0"); err != nil {
			return err
		}
		if calls++; calls == 1 {
			kill()
		}
		_, err := tx.Conversation("c0")
		return err
	}); err != nil || calls != 2 {
		t.Errorf("killed once: %v after %d calls, want 2", err, calls)
	}
	if seq := seqOf(t, s, "c0"); seq != 3 {
		t.Errorf("the log is at %d, want 3", seq)
	}
	mine := errors.New("mine")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Loads(); err != nil { // which begins the transaction
			return err
		}
		kill()
		if err := writeTo(tx, "c0"); err != nil {
			return fmt.Errorf("%w: %w", mine, err)
		}
		return nil
	})
	wantAway(t, err)
	if seq := seqOf(t, s, "c0"); seq != 3 {
		t.Errorf("the log is at %d after a transaction that was killed every time, want 3", seq)
	}
	works(t, s)
}

// The server has no connection left, then the runtime itself: both are said, and pass.
func TestOutOfConnections(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t, "max_connections=10", "superuser_reserved_connections=0")
	o := store.PostgresOptions{DSN: server.DSN(), Schema: newSchema(), MaxConns: 2, Timeout: time.Minute}
	s := openPostgres(t, o)
	create(t, s, 1)
	ear := storetest.Listen(t, s)
	works(t, s)
	ear.Until("a message, after which nothing is to be announced", storetest.About("c0"))
	s.ResetConnections()
	release := takeAllConnections(t, server)
	err := s.Update(t.Context(), func(tx store.Tx) error { return writeTo(tx, "c0") })
	wantAway(t, err)
	if !strings.Contains(fmt.Sprint(err), "too many clients") {
		t.Errorf("error %v does not say that there are too many clients", err)
	}
	release()
	works(t, s)
	if err := s.Update(t.Context(), func(store.Tx) error {
		return s.Update(t.Context(), func(store.Tx) error {
			wantAway(t, s.Update(soon(t), func(store.Tx) error { return nil }))
			return nil
		})
	}); err != nil {
		t.Error(err)
	}
	works(t, s)
}

// soon is a context for what never comes.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return ctx
}

func takeAllConnections(t *testing.T, server *postgrestest.Server) (release func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	taken := make(chan struct{})
	ended := make(chan struct{})
	go server.Occupy(ctx, taken, ended)
	<-taken
	return func() { cancel(); <-ended }
}

// The release before runs beside a newer one, which has changed the schema already.
func TestBesideANewerRelease(t *testing.T) {
	t.Parallel()
	server, schema := postgrestest.Shared(t), newSchema()
	old := openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: schema})
	create(t, old, 1)
	files, err := store.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	newer := fstest.MapFS{"09999_newer.sql": {Data: []byte("-- +goose Up\nALTER TABLE agents ADD COLUMN newer TEXT;\n")}}
	all, err := fs.Glob(files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		newer[name] = &fstest.MapFile{Data: data}
	}
	if err := old.Migrate(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	works(t, old)
	works(t, openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: schema})) // restarted meanwhile
}

// PgBouncer that hands connections out for a transaction each cannot be used, which is said; one for a session can.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	server := postgrestest.Shared(t)
	for range 3 { // by what happens, not by chance
		_, err := store.OpenPostgres(t.Context(), store.PostgresOptions{DSN: server.Bouncer(t, "transaction"), Schema: newSchema()})
		if err == nil || !strings.Contains(err.Error(), "PgBouncer") || !strings.Contains(err.Error(), "give the DSN of the server itself") {
			t.Errorf("pool_mode = transaction: error %v does not say what is wrong and how to mend it", err)
		}
	}
	s := openPostgres(t, store.PostgresOptions{DSN: server.Bouncer(t, "session"), Schema: newSchema()})
	create(t, s, 1)
	ear := storetest.Listen(t, s)
	works(t, s)
	ear.Until("a message through PgBouncer", storetest.About("c0"))
}

// A mistake in the settings names what to mend, without the password.
func TestMistakesInTheDSN(t *testing.T) {
	t.Parallel()
	server := postgrestest.Shared(t)
	server.Exec(t, `CREATE ROLE nobody_special LOGIN`)
	at := fmt.Sprintf("127.0.0.1:%d", server.Port)
	for name, test := range map[string]struct{ dsn, schema, says string }{
		"not a DSN":              {"postgres://u:s3cret@host:port/db", "s", "postgres://user:password@host"},
		"no such database":       {"postgres://handoff:s3cret@" + at + "/unknown?sslmode=disable", "s", `database "unknown" does not exist`},
		"no right to schemas":    {"postgres://nobody_special:s3cret@" + at + "/postgres?sslmode=disable", "s", "GRANT CREATE ON DATABASE"},
		"TLS that is not served": {"postgres://handoff:s3cret@" + at + "/postgres?sslmode=require", "s", "refused TLS"},
		"a schema's name":        {server.DSN(), `a"b`, "lower-case letters"},
	} {
		_, err := store.OpenPostgres(t.Context(), store.PostgresOptions{DSN: test.dsn, Schema: test.schema})
		if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
