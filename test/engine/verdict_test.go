package engine_test

import (
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/test/engine"
)

// audited lets the auditor read what a fleet on the shared server has written, and looks whether everything that somebody
// was told is there.
func audited(t *testing.T, f *engine.Fleet, told *engine.Promises) engine.Verdict {
	t.Helper()
	return auditedAt(t, f, postgrestest.Shared(t).DSN(), told)
}

func auditedAt(t *testing.T, f *engine.Fleet, dsn string, told *engine.Promises) engine.Verdict {
	t.Helper()
	var promises []engine.Promise
	if told != nil {
		promises = told.All() // before the database is read: what is told later is there too
	}
	v := must[engine.Verdict](t)(f.Judge(t.Context(), dsn))
	for _, found := range v.Violations {
		t.Errorf("the auditor finds: %s", found)
	}
	for _, p := range v.Broken(promises) {
		t.Errorf("a promise was broken: %s", p)
	}
	if len(v.Logs) == 0 {
		t.Error("there is nothing to audit")
	}
	t.Logf("%d conversations audited: %d violations; %d promises", len(v.Logs), len(v.Violations), len(promises))
	return v
}
