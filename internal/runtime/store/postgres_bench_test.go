package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
)

// clients write at once, each to a conversation of its own.
const clients = 8

// BenchmarkPostgresUpdate reads a conversation under its lock and saves one customer's message, with one notification,
// for 8 clients at once. The floors are pgbench with as many clients that read, update and insert the same rows in the
// same tables, prepared, without and with the notification. fsync is on, and the server shares the machine.
func BenchmarkPostgresUpdate(b *testing.B) {
	server := postgrestest.Shared(b)
	for name, notify := range map[string]string{"floor": "", "floor-notify": "SELECT pg_notify('bench', '{\"c\":[\"c0\"]}');\n"} {
		b.Run(name, func(b *testing.B) { pgbench(b, server, notify) })
	}
	b.Run("message", func(b *testing.B) {
		s := openPostgres(b, store.PostgresOptions{DSN: server.DSN(), Schema: newSchema(), MaxConns: clients})
		create(b, s, clients)
		var client atomic.Int64
		b.SetParallelism(clients) // times GOMAXPROCS: the surplus waits for a connection
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			id := fmt.Sprint("c", client.Add(1)%clients)
			for pb.Next() {
				if err := s.Update(context.Background(), func(tx store.Tx) error { return writeTo(tx, id) }); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
	})
}

func pgbench(b *testing.B, server *postgrestest.Server, notify string) {
	schema := newSchema()
	s := openPostgres(b, store.PostgresOptions{DSN: server.DSN(), Schema: schema})
	create(b, s, clients)
	text := strings.Repeat("x", 400) // as long as the JSON of a conversation and of a message
	rate := runPgbench(b, server, schema, `BEGIN;
SELECT body FROM conversations WHERE id = 'c' || :client_id FOR UPDATE;
UPDATE conversations SET seq = seq + 1, body = '`+text+`' WHERE id = 'c' || :client_id;
INSERT INTO events (conversation, seq, author_kind, body) SELECT id, seq, 'customer', '`+text+`' FROM conversations WHERE id = 'c' || :client_id;
`+notify+`COMMIT;
`)
	b.ReportMetric(rate, "tx/s")
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

// runPgbench runs a script b.N times over the clients and returns how often a second.
func runPgbench(b *testing.B, server *postgrestest.Server, schema, text string, options ...string) float64 {
	script := filepath.Join(b.TempDir(), "script.sql")
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	args := append([]string{"-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2",
		"-t", strconv.Itoa(max(b.N/clients, 1)), "-f", script}, options...)
	cmd := exec.CommandContext(b.Context(), postgrestest.Binary("pgbench"), append(args, server.DSN())...)
	cmd.Env = append(os.Environ(), "PGOPTIONS=-c search_path="+schema)
	b.ResetTimer()
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("pgbench: %v\n%s", err, out)
	}
	found := tps.FindSubmatch(out)
	if found == nil {
		b.Fatalf("pgbench says no tps:\n%s", out)
	}
	rate, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return rate
}
