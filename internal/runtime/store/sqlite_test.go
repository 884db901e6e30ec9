package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/storetest"
)

var t0 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func open(t testing.TB, dir string) *store.SQLite {
	t.Helper()
	return openAt(t, dir, nil)
}

func openAt(t testing.TB, dir string, clock func() time.Time) *store.SQLite {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, clock func() time.Time) store.Store { return openAt(t, t.TempDir(), clock) })
}

func TestOpenTwiceIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := store.OpenSQLite(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.OpenSQLite(t.Context(), dir, nil)
	if err == nil || !strings.Contains(err.Error(), "data folder "+dir+" is in use by another process; stop that one") {
		t.Errorf("error %v does not name the folder and the fix", err)
	}
	if err := first.Ping(t.Context()); err != nil {
		t.Errorf("the first one is disturbed: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestReopenKeepsEverything(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "100% odd? #name")
	s, err := store.OpenSQLite(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	change := conversation.Start(conversation.Conversation{ID: "c1"}, "Hello!", t0)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Create(change, []byte("hash")) }); err != nil {
		t.Fatal(err)
	}
	key, err := s.Key(t.Context(), "tokens")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	again, err := s.Key(t.Context(), "tokens")
	if err != nil || string(again) != string(key) {
		t.Errorf("the key is another one after a restart (%v)", err)
	}
	err = s.View(t.Context(), func(r store.Reader) error {
		c, err := r.Conversation("c1")
		if c.Seq != 2 {
			t.Errorf("the conversation is at %d, want 2", c.Seq)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v (%v): others can read it", f.Name(), info.Mode(), err)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenSQLite(t.Context(), file, nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a file in place of the folder: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "handoff.db"), []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.OpenSQLite(t.Context(), dir, nil)
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("another file in place of the database: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "handoff.db")); err != nil {
		t.Fatal(err)
	}
	open(t, dir) // the failed attempt has given the folder back
}

func TestClosedStoreFails(t *testing.T) {
	t.Parallel()
	s, err := store.OpenSQLite(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	fail := errors.New("called")
	if err := s.Update(t.Context(), func(store.Tx) error { return fail }); err == nil || errors.Is(err, fail) {
		t.Errorf("Update: %v", err)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("Ping succeeds on a closed store")
	}
}
