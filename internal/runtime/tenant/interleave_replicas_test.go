package tenant_test

import (
	"os"
	"strconv"
	"testing"
	"testing/synctest"

	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// TestInterleavedReplicas lets two replicas hand the same conversations to the same agents: what either knows of an
// agent's room may be over when its transaction begins. REPLICA_INTERLEAVINGS is how many.
func TestInterleavedReplicas(t *testing.T) {
	t.Parallel()
	if os.Getenv(OnPostgres) != "" {
		return // a bubble of synctest waits for no network
	}
	n := envNumber(t, "REPLICA_INTERLEAVINGS", 2*perBubble)
	for first := 1; first <= n; first += perBubble {
		t.Run(strconv.Itoa(first), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for s := first; s < min(first+perBubble, n+1) && !t.Failed(); s++ {
					interleave(t, uint64(s), true)
				}
			})
		})
	}
}
