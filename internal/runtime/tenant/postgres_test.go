package tenant_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// TestOnPostgres runs all other tests of this package on PostgreSQL, in a process of its own.
func TestOnPostgres(t *testing.T) {
	t.Parallel()
	if os.Getenv(OnPostgres) != "" {
		return // this is that process
	}
	postgrestest.Needed(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.timeout=10m")
	cmd.Env = append(os.Environ(), OnPostgres+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A conversation that somebody holds while the assigner passes by is looked at again, though nobody says that it is
// free. SQLite has no two transactions at once.
func TestPassedByIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	if os.Getenv(OnPostgres) == "" {
		return // TestOnPostgres runs it
	}
	w := New(t, Options{})
	id := wait(w)
	if err := w.Record.Store.Update(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Conversation(id); err != nil {
			return err
		}
		w.SetState("a0", store.Online)
		w.Clock.AwaitTimer(t, w.Clock.Now().Add(time.Second))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Step(time.Second)
	offeredTo(t, w, id, 1, "a0")
}
