package store

import (
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // to ask the server how it does it

	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
)

// When the outbox is due next costs the same however much waits for a destination that is down.
func TestOutboxDueDoesNotGrow(t *testing.T) {
	t.Parallel()
	plan := explain(t, openHere(t), queryDue)
	if strings.Contains(plan, "SCAN outbox") || !strings.Contains(plan, "INDEX outbox_due (destination=? AND due>?)") {
		t.Errorf("SQLite reads\n%s", plan)
	}
	few, _ := rowsOfDue(t, 100)
	if many, plan := rowsOfDue(t, 4_000); many > few+10 {
		t.Errorf("PostgreSQL reads %d rows of 100 and %d of 4000:\n%s", few, many, plan)
	}
}

// rowsOfDue counts the rows that PostgreSQL reads for queryDue, where each of three destinations has so many due.
func rowsOfDue(t *testing.T, n int) (rows int, plan string) {
	t.Helper()
	server := postgrestest.Shared(t)
	schema := fmt.Sprint("due_", n)
	s, err := OpenPostgres(t.Context(), PostgresOptions{DSN: server.DSN(), Schema: schema})
	if opens(t, s, err); err != nil {
		return 0, ""
	}
	db, err := sql.Open("pgx", server.DSN()+"&search_path="+schema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`INSERT INTO conversations (id, token_hash, seq, epoch, owner_kind, owner_id, units, waiting_since, body)
			SELECT 'c' || i, '\x', 1, 1, 'AI', '', 0, 1, '{}' FROM generate_series(1, ` + strconv.Itoa(n) + `) i`,
		`INSERT INTO outbox (conversation, destination, seq, kind, key, payload, state, created, since, due)
			SELECT 'c' || i, 'webhook/' || d, 1, 'x', 'k' || i || d, '', 'pending', 1, 1, i FROM generate_series(1, ` + strconv.Itoa(n) + `) i,
			unnest(ARRAY['a', 'b', 'c']) d`,
		`ANALYZE`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := db.QueryContext(t.Context(), `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) `+queryDue)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	read := regexp.MustCompile(`actual rows=([0-9]+)[.0-9]* loops=([0-9]+)`)
	for lines.Next() {
		var line string
		if err := lines.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
		if m := read.FindStringSubmatch(line); m != nil {
			each, _ := strconv.Atoi(m[1])
			loops, _ := strconv.Atoi(m[2])
			rows += each * loops
		}
	}
	if err := lines.Err(); err != nil || rows == 0 {
		t.Fatalf("%v\n%s", err, plan)
	}
	return rows, plan
}
