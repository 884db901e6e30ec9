package store_test

import (
	"database/sql"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
)

// written is what a round did to a table.
type written struct{ rows, bytes int }

// The floor of BenchmarkHandoffs is as honest as its rows are those of the store.
func TestTheFloorWritesAsTheStoreDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	create(t, s, clients*turns)
	conn := bare(t, dir)
	steps := prepared(t, conn)
	watch(t, conn)
	count := func(play func(n int) error) map[string]written {
		for n := range 3 { // with one conversation, of which the first has neither an agent nor a handoff before
			if _, err := conn.ExecContext(t.Context(), "DELETE FROM written"); err != nil {
				t.Fatal(err)
			}
			if err := play(n * turns); err != nil {
				t.Fatal(err)
			}
		}
		return counted(t, conn)
	}
	ofStore := count(func(n int) error { return handoff(s, 0, n) })
	ofFloor := count(func(n int) error { return play(steps, &sync.Mutex{}, 1, n) })
	for what, want := range ofStore {
		got := ofFloor[what]
		if got.rows != want.rows || math.Abs(float64(got.bytes-want.bytes)) > 0.02*float64(want.bytes) {
			t.Errorf("%s: %d rows with %d bytes of bodies in the floor, %d with %d in the store", what, got.rows, got.bytes, want.rows, want.bytes)
		}
	}
	if len(ofFloor) != len(ofStore) || len(ofStore) == 0 {
		t.Errorf("the floor writes %v, the store %v", ofFloor, ofStore)
	}
}

// watch lets the database note each row that is written from now on, and how long its body is.
func watch(t *testing.T, conn *sql.Conn) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), `SELECT name, sql LIKE '%body %TEXT%' FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	statements := []string{"CREATE TABLE written (what TEXT, bytes INTEGER)"}
	for rows.Next() {
		var table string
		var body bool
		if err := rows.Scan(&table, &body); err != nil {
			t.Fatal(err)
		}
		for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
			bytes := "0"
			if body && verb != "DELETE" {
				bytes = "length(NEW.body)"
			}
			statements = append(statements, fmt.Sprintf("CREATE TRIGGER watch_%[1]s_%[2]s AFTER %[2]s ON %[1]s BEGIN "+
				"INSERT INTO written VALUES ('%[2]s %[1]s', %[3]s); END", table, verb, bytes))
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for statement := range slices.Values(statements) {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func counted(t *testing.T, conn *sql.Conn) map[string]written {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT what, count(*), sum(bytes) FROM written GROUP BY what")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]written{}
	for rows.Next() {
		var what string
		var w written
		if err := rows.Scan(&what, &w.rows, &w.bytes); err != nil {
			t.Fatal(err)
		}
		all[what] = w
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
