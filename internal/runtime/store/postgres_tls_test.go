package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/storetest"
)

// sslmode=verify-full with a private authority works for every connection, and refuses a server that is another one.
func TestVerifiedTLS(t *testing.T) {
	t.Parallel()
	ours, other := postgrestest.NewAuthority(t), postgrestest.NewAuthority(t)
	server := postgrestest.StartTLS(t, ours)
	s := openPostgres(t, store.PostgresOptions{DSN: server.TLS("127.0.0.1", ours), Schema: newSchema()})
	create(t, s, 1)
	ear := storetest.Listen(t, s)
	works(t, s)
	ear.Until("a message", storetest.About("c0"))
	if n := server.Count(t, `SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl USING (pid)
		WHERE NOT ssl AND pid <> pg_backend_pid() AND backend_type = 'client backend'`); n > 0 {
		t.Errorf("%d connections are in the clear", n)
	}
	for name, test := range map[string]struct{ dsn, says string }{
		"another authority": {server.TLS("127.0.0.1", other), "unknown authority"},
		"another host":      {server.TLS("localhost", ours), "match localhost"},
	} {
		_, err := store.OpenPostgres(t.Context(), store.PostgresOptions{DSN: test.dsn, Schema: newSchema()})
		if err == nil || errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "sslrootcert") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the DSN leaves open is taken from libpq's variables: a Secret's DSN without sslmode is verified all the same.
func TestVerifiedTLSByEnvironment(t *testing.T) {
	ours, other := postgrestest.NewAuthority(t), postgrestest.NewAuthority(t)
	server := postgrestest.StartTLS(t, ours)
	dsn := strings.TrimSuffix(server.DSN(), "?sslmode=disable")
	t.Setenv("PGSSLMODE", "verify-full")
	t.Setenv("PGSSLROOTCERT", other.File)
	if _, err := store.OpenPostgres(t.Context(), store.PostgresOptions{DSN: dsn, Schema: newSchema()}); err == nil {
		t.Error("a server of an unknown authority is accepted")
	}
	t.Setenv("PGSSLROOTCERT", ours.File)
	s := openPostgres(t, store.PostgresOptions{DSN: dsn, Schema: newSchema()})
	create(t, s, 1)
	works(t, s)
}
