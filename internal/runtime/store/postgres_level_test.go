package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
)

// testdata/level-N.sql has a line for each statement of a release whose last migration is N, with values. Such a release
// runs beside this one during an upgrade: all of them still work after the migrations of today.
func TestStatementsOfTheLevelBefore(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/level-*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("levels: %v, %v", files, err)
	}
	server := postgrestest.Shared(t)
	for _, file := range files {
		schema := newSchema()
		s := openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: schema})
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if err := server.Try(schema, strings.TrimSpace(line)); err != nil {
				t.Errorf("%s: %s\n%v", file, line, err)
			}
		}
		create(t, s, 1)
		works(t, s) // with what the release before has written beside it
	}
}
