package store_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/internal/runtime/audit"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/export"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
)

// fill begins conversations with a message and something in the outbox until stop is closed, and returns those that were
// durable when each was.
func fill(t *testing.T, s store.Store, stop <-chan struct{}, durable func(id string)) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		id := fmt.Sprintf("c%06d", n)
		change := conversation.Start(conversation.Conversation{ID: id}, "Hello", t0)
		err := s.Update(t.Context(), func(tx store.Tx) error {
			return errors.Join(tx.Create(change, []byte("hash")), tx.Enqueue(store.Message{Conversation: id, Destination: "webhook/x", Payload: []byte("[]"), At: t0}))
		})
		if err == nil {
			change, err = change.Conversation.CustomerWrites("m1", "text", t0)
		}
		if err == nil {
			err = s.Update(t.Context(), func(tx store.Tx) error { return tx.Save(change) })
		}
		if err != nil {
			t.Error(err)
			return
		}
		durable(id)
	}
}

// backUp fills a store, backs it up in the middle, and returns what was durable before the backup began.
func backUp(t *testing.T, s store.Store, backup func()) (before []string) {
	t.Helper()
	stop, enough := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	var durable []string
	var wg sync.WaitGroup
	wg.Go(func() {
		fill(t, s, stop, func(id string) {
			mu.Lock()
			defer mu.Unlock()
			if durable = append(durable, id); len(durable) == 50 {
				close(enough)
			}
		})
	})
	<-enough
	mu.Lock()
	before = append(before, durable...)
	mu.Unlock()
	backup()
	close(stop)
	wg.Wait()
	return before
}

// wantRestored checks that a restored store has what was durable before, whole, and can be used.
func wantRestored(t *testing.T, s store.Store, key []byte, before []string) {
	t.Helper()
	a := &audit.Auditor{}
	into := export.Into(a)
	found := map[string]bool{}
	if err := export.Store(t.Context(), s, func(l export.Line) error {
		if l.Log != nil && len(l.Events) == 3 && len(l.Outbox) == 1 {
			found[l.Conversation.ID] = true
		}
		return into(l)
	}); err != nil {
		t.Fatal(err)
	}
	for _, id := range before {
		if !found[id] {
			t.Errorf("conversation %s was durable before the backup and is not in it", id)
		}
	}
	for _, v := range a.Result() {
		t.Error(v)
	}
	if again, err := s.Key(t.Context(), "tokens"); err != nil || !cmp.Equal(again, key) {
		t.Errorf("the key is another one: agents are signed out (%v)", err)
	}
	change := conversation.Start(conversation.Conversation{ID: "new"}, "", t0)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		claimed, err := tx.ClaimOutbox("webhook/x", 1, time.Minute)
		if err == nil && len(claimed) != 1 {
			err = errors.New("nothing is left to deliver")
		}
		return errors.Join(err, tx.Create(change, []byte("hash")))
	}); err != nil {
		t.Errorf("it cannot be written: %v", err)
	}
}

// A copy that is made while the store is written has everything that was durable before.
func TestBackupAndRestoreSQLite(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	key, err := s.Key(t.Context(), "tokens")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "handoff.db")
	before := backUp(t, s, func() {
		if err := s.Backup(t.Context(), file); err != nil {
			t.Fatal(err)
		}
	})
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v (%v): others can read it", info.Mode(), err)
	}
	if err := s.Backup(t.Context(), file); err == nil {
		t.Error("a backup was overwritten")
	}
	wantRestored(t, open(t, dir), key, before)
}

// A store in use is read by another program, and so is the file of a backup.
func TestReadSQLite(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	s := open(t, dir)
	change := conversation.Start(conversation.Conversation{ID: "c1"}, "Hello", t0)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Create(change, []byte("hash")) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, copied} {
		v, err := store.ReadSQLite(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := export.Store(t.Context(), v, func(export.Line) error { n++; return nil }); err != nil || n != 1 {
			t.Errorf("%s: %d conversations, %v", path, n, err)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := store.ReadSQLite(t.Context(), filepath.Join(dir, "no")); err == nil || !strings.Contains(err.Error(), "data folder") {
		t.Errorf("what is not there: %v", err)
	}
}

// pg_dump and pg_restore of the schema, while it is written.
func TestBackupAndRestorePostgres(t *testing.T) {
	t.Parallel()
	server := postgrestest.Shared(t)
	schema := newSchema()
	s := openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: schema})
	key, err := s.Key(t.Context(), "tokens")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dump")
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), postgrestest.Binary(name), args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	before := backUp(t, s, func() { run("pg_dump", "--format=custom", "--schema="+schema, "--file="+file, server.DSN()) })
	database := "restored_" + schema
	run("psql", "--command=CREATE DATABASE "+database, server.DSN())
	restored := strings.Replace(server.DSN(), "/postgres?", "/"+database+"?", 1)
	run("pg_restore", "--exit-on-error", "--dbname="+restored, file)
	wantRestored(t, openPostgres(t, store.PostgresOptions{DSN: restored, Schema: schema}), key, before)
}
