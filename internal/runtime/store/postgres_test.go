package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/storetest"
)

// schemas numbers the tests' schemas in the shared server.
var schemas atomic.Int64

func newSchema() string { return fmt.Sprintf("test_%d", schemas.Add(1)) }

// openPostgres opens a store that is closed when the test ends.
func openPostgres(t testing.TB, o store.PostgresOptions) *store.Postgres {
	t.Helper()
	s, err := store.OpenPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	server := postgrestest.Shared(t)
	storetest.Run(t, func(t *testing.T, clock func() time.Time) store.Store {
		return openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: newSchema(), Clock: clock})
	})
}
