package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// save writes one customer's message within a transaction.
func save(tx store.Tx, id, clientID, text string) error {
	c, err := tx.Conversation(id)
	if err != nil {
		return err
	}
	change, err := c.CustomerWrites(clientID, text, t0)
	if err != nil {
		return err
	}
	return tx.Save(change)
}

// wantSeq checks how long a log is, and that the store can be written still.
func wantSeq(t *testing.T, s store.Store, id string, want int64) {
	t.Helper()
	view(t, s, func(r store.Reader) error {
		c, err := r.Conversation(id)
		events, err2 := r.Events(id, 0, 10_000)
		if c.Seq != want || int64(len(events)) != want {
			t.Errorf("conversation %s is at %d with %d events, want %d", id, c.Seq, len(events), want)
		}
		return errors.Join(err, err2)
	})
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func testDroppedErrorIsNoCommit(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	moved(t, s, "c1", writes("m1", "one"))
	err := s.Update(t.Context(), func(tx store.Tx) error {
		_ = save(tx, "c1", "m1", "again") // fails with ErrDuplicate
		return tx.Touch(anna.Email, t0)
	})
	if !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("error %v, want ErrDuplicate", err)
	}
	wantSeq(t, s, "c1", 3)
	view(t, s, func(r store.Reader) error {
		loads, err := r.Loads()
		if len(loads) != 0 {
			t.Errorf("a part of the transaction was committed: %v", loads)
		}
		return err
	})
}

func testErrorRollsBack(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	mine := errors.New("mine")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := save(tx, "c1", "", "text"); err != nil {
			return err
		}
		return mine
	})
	if err != mine { //nolint:errorlint // the interface promises the very error
		t.Errorf("error %v, want fn's own", err)
	}
	err = s.View(t.Context(), func(store.Reader) error { return mine })
	if err != mine { //nolint:errorlint // as above
		t.Errorf("error %v, want fn's own", err)
	}
	wantSeq(t, s, "c1", 2)
}

func testPanicRollsBack(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	func() {
		defer func() {
			if got := recover(); got != "on purpose" {
				t.Errorf("recovered %v", got)
			}
		}()
		_ = s.Update(t.Context(), func(tx store.Tx) error {
			if err := save(tx, "c1", "", "text"); err != nil {
				t.Error(err)
			}
			panic("on purpose")
		})
	}()
	wantSeq(t, s, "c1", 2)
}

func testEndedContextRollsBack(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Update(ended, func(store.Tx) error { t.Error("fn was called"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("context ended before: error %v, want context.Canceled", err)
	}
	if err := s.View(ended, func(store.Reader) error { t.Error("fn was called"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("context of a View ended before: error %v, want context.Canceled", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx store.Tx) error {
		err := save(tx, "c1", "", "text")
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("context ended before the commit: error %v, want context.Canceled", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	err = s.Update(ctx, func(tx store.Tx) error {
		if err := save(tx, "c1", "", "text"); err != nil {
			return err
		}
		cancel()
		return save(tx, "c1", "", "more")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("context ended between two writes: error %v, want context.Canceled", err)
	}
	wantSeq(t, s, "c1", 2)
}

func testTransactionReadsItsWrites(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	update(t, s, func(tx store.Tx) error {
		for _, text := range []string{"one", "two"} {
			if err := save(tx, "c1", "", text); err != nil {
				return err
			}
		}
		owing, err := tx.Owing()
		if len(owing) != 1 {
			t.Errorf("owing %v", owing)
		}
		return err
	})
	wantSeq(t, s, "c1", 4)
}

func testViewIsASnapshot(t *testing.T, s store.Store) {
	started(t, s, "c1", t0)
	view(t, s, func(r store.Reader) error {
		before, err := r.Conversation("c1")
		if err != nil {
			return err
		}
		moved(t, s, "c1", writes("", "meanwhile"))
		after, err := r.Conversation("c1")
		if after.Seq != before.Seq {
			t.Errorf("within a View, the conversation went from %d to %d", before.Seq, after.Seq)
		}
		events, err2 := r.Events("c1", 0, 10)
		if len(events) != int(before.Seq) {
			t.Errorf("within a View, %d events, want %d", len(events), before.Seq)
		}
		return errors.Join(err, err2)
	})
	wantSeq(t, s, "c1", 3)
}

// together calls fn n times at once and returns when all have returned.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			fn(i)
		})
	}
	close(begin)
	wg.Wait()
}

func testConcurrentUpdates(t *testing.T, s store.Store) {
	const writers, each = 8, 10
	started(t, s, "c1", t0)
	together(writers, func(i int) {
		for n := range each {
			err := s.Update(t.Context(), func(tx store.Tx) error { return save(tx, "c1", fmt.Sprintf("%d-%d", i, n), "text") })
			if err != nil {
				t.Error(err)
			}
			err = s.View(t.Context(), func(r store.Reader) error {
				c, err := r.Conversation("c1")
				events, err2 := r.Events("c1", 0, 1000)
				if int64(len(events)) != c.Seq {
					t.Errorf("a View sees the conversation at %d and %d events", c.Seq, len(events))
				}
				return errors.Join(err, err2)
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	wantSeq(t, s, "c1", 2+writers*each)
}

func testConcurrentSameClientID(t *testing.T, s store.Store) {
	const writers = 8
	started(t, s, "c1", t0)
	var mu sync.Mutex
	saved := 0
	together(writers, func(int) {
		err := s.Update(t.Context(), func(tx store.Tx) error { return save(tx, "c1", "m1", "text") })
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			saved++
		} else if !errors.Is(err, store.ErrDuplicate) {
			t.Errorf("error %v, want ErrDuplicate", err)
		}
	})
	if saved != 1 {
		t.Errorf("%d of %d were saved, want 1", saved, writers)
	}
	wantSeq(t, s, "c1", 3)
}

func testConcurrentKey(t *testing.T, s store.Store) {
	keys := make([][]byte, 8)
	together(len(keys), func(i int) {
		var err error
		if keys[i], err = s.Key(t.Context(), "tokens"); err != nil {
			t.Error(err)
		}
	})
	for _, key := range keys {
		if !bytes.Equal(key, keys[0]) {
			t.Fatal("two callers got different keys of one name")
		}
	}
}

func testKeysAreMadeOnce(t *testing.T, s store.Store) {
	seen := map[string]string{}
	for _, name := range []string{"a", "b", "a", "b"} {
		key, err := s.Key(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if len(key) != 32 {
			t.Errorf("key %s has %d bytes, want 32", name, len(key))
		}
		if before, ok := seen[name]; ok && before != string(key) {
			t.Errorf("key %s changed", name)
		}
		seen[name] = string(key)
	}
	if seen["a"] == seen["b"] || seen["a"] == zeroKey {
		t.Error("keys are not random")
	}
}

var zeroKey = string(make([]byte, 32))
