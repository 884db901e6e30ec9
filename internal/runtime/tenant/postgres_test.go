package tenant_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// TestOnPostgres runs all other tests of this package on PostgreSQL, in a process of its own.
func TestOnPostgres(t *testing.T) {
	t.Parallel()
	if os.Getenv(tenanttest.OnPostgres) != "" {
		return // this is that process
	}
	postgrestest.Needed(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.timeout=10m")
	cmd.Env = append(os.Environ(), tenanttest.OnPostgres+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
