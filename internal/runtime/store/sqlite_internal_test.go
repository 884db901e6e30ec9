package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

func openHere(t *testing.T) *SQLite {
	t.Helper()
	s, err := OpenSQLite(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// kill -9 cannot show that a commit waits for the disk; that it is asked to can be read back.
func TestPragmas(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000",
	} {
		var got string
		if err := s.write.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", pragma, got, err, want)
		}
	}
	if _, err := s.read.ExecContext(t.Context(), `DELETE FROM events`); err == nil {
		t.Error("a read connection can write")
	}
}

// Each query over all conversations reads only the rows it returns, along an index.
func TestQueriesUseTheirIndex(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	for query, index := range map[string]string{
		queryWaiting:           "INDEX conversations_waiting",
		queryNWaiting:          "INDEX conversations_waiting",
		queryNAhead:            "INDEX conversations_waiting",
		queryHandled:           "INDEX handled_newest (pool=? AND channel_type=?)",
		queryOffered:           "INDEX conversations_offered",
		queryWrapUps:           "PRIMARY KEY (conversation=?)",
		queryWrapUpsOf:         "INDEX wrap_ups_email (email=?)",
		queryHeld:              "INDEX conversations_holder (holder=?)",
		queryOfCustomer:        "INDEX conversations_customer (customer=?)",
		queryMerged:            "INDEX conversations_merged_into (merged_into=?)",
		queryOwing:             "INDEX conversations_owing",
		queryNextDue:           "INDEX deadlines_due",
		queryNWorking:          "INDEX conversations_holder (holder=?)",
		queryDueOfConversation: "INDEX deadlines_due",
		queryDueOfAgent:        "INDEX deadlines_due",
		queryByClientID:        "INDEX events_client (conversation=? AND author_kind=? AND client_id=?)",
	} {
		plan := explain(t, s, query)
		if !strings.Contains(plan, index) {
			t.Errorf("%s\nis planned as\n%swithout %s", query, plan, index)
		}
		if query != queryHeld && strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s\nsorts:\n%s", query, plan)
		}
	}
}

func explain(t *testing.T, s *SQLite, query string) string {
	t.Helper()
	args := make([]any, strings.Count(query, "$"))
	for i := range args {
		args[i] = 1
	}
	rows, err := s.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// A full disk and a read-only one, as SQLite reports them, say what was being done; nothing of it stays, and the store
// works again when the cause is gone.
func TestDiskTrouble(t *testing.T) {
	t.Parallel()
	for trouble, test := range map[string]struct{ begin, end, says, why string }{
		"full":      {"PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1073741823", "create conversation c1: ", "full"},
		"read-only": {"PRAGMA query_only = 1", "PRAGMA query_only = 0", "begin a write transaction in the store in ", "readonly"},
	} {
		t.Run(trouble, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			s := openHere(t)
			do(ctx, t, s, test.begin)
			err := s.Update(ctx, func(tx Tx) error {
				change := conversation.Start(conversation.Conversation{ID: "c1"}, strings.Repeat("long ", 10_000), time.Unix(0, 0))
				return tx.Create(change, []byte("hash"))
			})
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), test.why) {
				t.Errorf("error %v does not say what was done and why it failed", err)
			}
			if trouble == "read-only" {
				if err := s.Ping(ctx); err == nil || !strings.Contains(err.Error(), "try a write in the store in "+s.dir) {
					t.Errorf("ping: %v", err)
				}
			}
			do(ctx, t, s, test.end)
			if err := s.Update(ctx, func(tx Tx) error {
				return tx.Create(conversation.Start(conversation.Conversation{ID: "c1"}, "", time.Unix(0, 0)), []byte("hash"))
			}); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// A context that ends rolls back at once, also while fn is busy with something else; the error says why.
func TestRolledBackBeforeFnReturns(t *testing.T) {
	t.Parallel()
	s := openHere(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx Tx) error {
		cancel()
		for s.write.Stats().InUse > 0 {
			runtime.Gosched()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "commit in the store in "+s.dir) {
		t.Errorf("error %v, want context.Canceled and what was done", err)
	}
}

func do(ctx context.Context, t *testing.T, s *SQLite, statement string) {
	t.Helper()
	if _, err := s.write.ExecContext(ctx, statement); err != nil {
		t.Fatal(err)
	}
}
