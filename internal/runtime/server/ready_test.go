package server

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// A process is alive from its start, and ready once it has a table and a store that takes writes. What becomes of the
// store then does not take it away from those whom it tells to try again.
func TestReadiness(t *testing.T) {
	t.Parallel()
	w := tenanttest.New(t, tenanttest.Options{NoTable: true})
	h := admin(&health{tenant: w.Tenant}, w.Registry)
	expect := func(when string, ready int) {
		t.Helper()
		for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": ready} {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			if rec.Code != want {
				t.Errorf("%s, %s: %d %s", when, path, rec.Code, rec.Body)
			}
		}
	}
	expect("before the first table", http.StatusServiceUnavailable)
	w.UseTable(tenanttest.Table(1, 1))
	expect("with a table", http.StatusOK)
	w.Stop()
	expect("with a store that is gone", http.StatusOK)
	h = admin(&health{tenant: w.Tenant}, w.Registry)
	expect("with a store that never worked", http.StatusServiceUnavailable)
}
