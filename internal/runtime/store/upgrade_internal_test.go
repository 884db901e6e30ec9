package store

import (
	"encoding/json"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Who waits and who is there in the database of the first release has deadlines in this one, which are due at once: else
// nobody would look whether it is closed, or whether an agent is gone.
func TestUpgradeOfTheFirstRelease(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	first, err := connect(filepath.Join(dir, databaseFile), 1, url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, first, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for id, kind := range map[string]conversation.OwnerKind{"waits": conversation.OwnerQueue, "answered": conversation.OwnerAI} {
		body, err := json.Marshal(conversation.Conversation{ID: id, Seq: 1, Owner: conversation.Owner{Kind: kind}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.ExecContext(t.Context(), `INSERT INTO conversations (id, token_hash, seq, epoch, owner_kind, owner_id, units,
			waiting_since, body) VALUES ($1, x'00', 1, 1, $2, '', 0, $3, $4)`, id, string(kind), now.UnixNano(), string(body)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := first.ExecContext(t.Context(), `INSERT INTO agents (email, state, until) VALUES
		('here', 'online', $1), ('busy', 'busy', $1), ('gone', 'offline', NULL), ('never', NULL, NULL)`, now.UnixNano()); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	s, err := OpenSQLite(t.Context(), dir, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var due []string
	if err := s.Update(t.Context(), func(tx Tx) error {
		of, err := tx.DueOfAgents(10)
		if err != nil {
			return err
		}
		claimed, err := tx.ClaimDeadlines(10)
		for _, d := range append(claimed, of...) {
			due = append(due, string(d.Kind)+" "+d.Conversation+d.Agent)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(due)
	if want := []string{"presence busy", "presence here", "unavailable waits"}; !slices.Equal(due, want) {
		t.Errorf("due are %v, want %v", due, want)
	}
}
