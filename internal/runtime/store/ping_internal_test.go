package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// readOnly makes the store refuse writes from now on, so that only a ping that writes none succeeds.
func readOnly(t *testing.T, s *SQLite, on bool) {
	t.Helper()
	do(t.Context(), t, s, map[bool]string{true: "PRAGMA query_only = 1", false: "PRAGMA query_only = 0"}[on])
}

func create(t *testing.T, s *SQLite, id string) error {
	t.Helper()
	return s.Update(t.Context(), func(tx Tx) error {
		return tx.Create(conversation.Start(conversation.Conversation{ID: id}, "", time.Unix(0, 0)), []byte("hash"))
	})
}

// pinged is a store at a clock that the test moves, with one conversation just written.
func pinged(t *testing.T) (s *SQLite, clock *time.Time) {
	t.Helper()
	s = openHere(t)
	now := time.Unix(1_000, 0)
	s.now = func() time.Time { return now }
	if err := create(t, s, "c1"); err != nil {
		t.Fatal(err)
	}
	return s, &now
}

// A busy store is a usable one: a ping does not wait for the writers before it.
func TestPingDoesNotQueue(t *testing.T) {
	t.Parallel()
	s, _ := pinged(t)
	err := s.Update(t.Context(), func(Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // only for a ping that waits
		defer cancel()
		return s.Ping(ctx)
	})
	if err != nil {
		t.Errorf("while another writes: %v", err)
	}
}

func TestPingWritesWhereNothingWasCommittedLately(t *testing.T) {
	t.Parallel()
	s, clock := pinged(t)
	expect := func(when string, usable bool) {
		t.Helper()
		if err := s.Ping(t.Context()); (err == nil) != usable {
			t.Errorf("%s: %v", when, err)
		}
	}
	readOnly(t, s, true)
	*clock = clock.Add(proofAge - 1)
	expect("shortly after a commit", true)
	*clock = clock.Add(1)
	expect("long after a commit, on a disk that takes no write", false)
	readOnly(t, s, false)
	expect("on a disk that takes writes", true)
	readOnly(t, s, true)
	expect("shortly after a ping that wrote", true)
}

func TestWhatIsNoProofForAPing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		// meanwhile happens age after a commit; then the disk takes no writes.
		age       time.Duration
		meanwhile func(*testing.T, *SQLite)
		usable    bool
	}{
		"a transaction without a write": {age: proofAge, meanwhile: func(t *testing.T, s *SQLite) {
			if err := s.Update(t.Context(), func(Tx) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}},
		"a write that the disk refused": {meanwhile: func(t *testing.T, s *SQLite) {
			readOnly(t, s, true)
			if err := create(t, s, "c2"); err == nil {
				t.Fatal("written on a disk that takes no write")
			}
		}},
		"a write that does not fit what is stored": {usable: true, meanwhile: func(t *testing.T, s *SQLite) {
			if err := create(t, s, "c1"); !errors.Is(err, ErrConflict) {
				t.Fatalf("created twice: %v", err)
			}
		}},
		"a caller who left": {usable: true, meanwhile: func(t *testing.T, s *SQLite) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.Update(ctx, func(Tx) error { return nil }); err == nil {
				t.Fatal("a write whose context has ended succeeds")
			}
		}},
		"a store that was closed": {meanwhile: func(t *testing.T, s *SQLite) {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, clock := pinged(t)
			*clock = clock.Add(test.age)
			test.meanwhile(t, s)
			if name != "a store that was closed" {
				readOnly(t, s, true)
			}
			if err := s.Ping(t.Context()); (err == nil) != test.usable {
				t.Errorf("ping: %v", err)
			}
		})
	}
}
