package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
)

// sharedStore is a store in a schema of its own, with conversations c0 to c(n-1).
func sharedStore(t *testing.T, n int) *store.Postgres {
	t.Helper()
	s := openPostgres(t, store.PostgresOptions{DSN: postgrestest.Shared(t).DSN(), Schema: newSchema(), Timeout: time.Minute})
	create(t, s, n)
	return s
}

// writeTo saves one customer's message within a transaction.
func writeTo(tx store.Tx, id string) error {
	c, err := tx.Conversation(id)
	if err != nil {
		return err
	}
	change, err := c.CustomerWrites("", question, t0)
	if err != nil {
		return err
	}
	return tx.Save(change)
}

func seqOf(t *testing.T, s store.Store, id string) (seq int64) {
	t.Helper()
	if err := s.View(t.Context(), func(r store.Reader) error {
		c, err := r.Conversation(id)
		seq = c.Seq
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return seq
}

// meet returns a function in which n callers wait for each other.
func meet(t *testing.T, n int) func() error {
	var wg sync.WaitGroup
	wg.Add(n)
	all := make(chan struct{})
	go func() { wg.Wait(); close(all) }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return func() error {
		wg.Done()
		select {
		case <-all:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestTwoConversationsAreWrittenAtOnce(t *testing.T) {
	t.Parallel()
	s := sharedStore(t, 2)
	both := meet(t, 2)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			if err := s.Update(t.Context(), func(tx store.Tx) error {
				if err := writeTo(tx, fmt.Sprint("c", i)); err != nil {
					return err
				}
				return both() // each holds its lock and has written
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a, b := seqOf(t, s, "c0"), seqOf(t, s, "c1"); a != 3 || b != 3 {
		t.Errorf("the conversations are at %d and %d, want 3", a, b)
	}
}

// Two transactions that lock two conversations each in another order: PostgreSQL ends one, which is tried again.
func TestDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := sharedStore(t, 2)
	both := meet(t, 2)
	var calls atomic.Int64
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			first := true
			if err := s.Update(t.Context(), func(tx store.Tx) error {
				calls.Add(1)
				if err := writeTo(tx, fmt.Sprint("c", i)); err != nil {
					return err
				}
				if first {
					first = false
					if err := both(); err != nil {
						return err
					}
				}
				return writeTo(tx, fmt.Sprint("c", 1-i))
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if calls.Load() < 3 { // more if the one that is tried again gets a lock before the other has woken up
		t.Errorf("the two functions were called %d times, want 3: there was no deadlock", calls.Load())
	}
	if a, b := seqOf(t, s, "c0"), seqOf(t, s, "c1"); a != 4 || b != 4 {
		t.Errorf("the conversations are at %d and %d, want 4: one of the transactions is lost or doubled", a, b)
	}
}

// What one claimer holds, another passes by without waiting.
func TestClaimsPassByWhatIsLocked(t *testing.T) {
	t.Parallel()
	s := sharedStore(t, 3)
	for i := range 3 {
		handOffAndOffer(t, s, fmt.Sprint("c", i), t0.Add(time.Duration(i)), i == 2)
	}
	if err := s.Update(t.Context(), func(outer store.Tx) error {
		first, err := outer.Claim("c0")
		if err != nil || len(first) != 1 || first[0].ID != "c0" {
			t.Errorf("the first claim is %v (%v), want c0", first, err)
		}
		if _, err := outer.Conversation("c2"); err != nil {
			return err
		}
		return s.Update(t.Context(), func(tx store.Tx) error {
			second, err := tx.Claim("c0", "c1")
			if err != nil || len(second) != 1 || second[0].ID != "c1" {
				t.Errorf("the second claim is %v (%v), want c1", second, err)
			}
			due, err := tx.ClaimDeadlines(10)
			if len(due) != 0 {
				t.Errorf("claimed %v of a conversation that is locked", due)
			}
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		due, err := tx.ClaimDeadlines(10)
		if len(due) != 1 || due[0].Conversation != "c2" {
			t.Errorf("afterwards %v are due, want that of c2", due)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// handOffAndOffer hands a conversation off and, if asked to, offers it until long ago.
func handOffAndOffer(t *testing.T, s store.Store, id string, at time.Time, offer bool) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		if err := writeTo(tx, id); err != nil {
			return err
		}
		c, err := tx.Conversation(id)
		if err != nil {
			return err
		}
		change, err := c.HandOff(c.Epoch, c.Pending, conversation.Handoff{}, nil, nil, at)
		if err != nil {
			return err
		}
		if err := tx.Save(change); err != nil || !offer {
			return err
		}
		change, err = change.Conversation.MakeOffer(conversation.Offer{Agent: conversation.Person{Email: "a@x.example"}, Cost: 1, ExpiresAt: at}, at)
		if err != nil {
			return err
		}
		return tx.Save(change)
	}); err != nil {
		t.Fatal(err)
	}
}

// The database's time is the same for all replicas, whatever their own clocks say.
func TestTimeIsTheDatabases(t *testing.T) {
	t.Parallel()
	s := sharedStore(t, 0)
	var times []time.Time
	for range 2 {
		if err := s.View(t.Context(), func(r store.Reader) error {
			now, err := r.Now()
			times = append(times, now)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(times[0]); d < 0 || d > time.Hour || !times[1].After(times[0]) {
		t.Errorf("the database's times are %v, where it is %v here", times, time.Now())
	}
}

// Any number of replicas open a new schema at once: it is migrated once.
func TestReplicasMigrateOnce(t *testing.T) {
	t.Parallel()
	const replicas = 6
	server, schema := postgrestest.Shared(t), newSchema()
	var wg sync.WaitGroup
	for range replicas {
		wg.Go(func() {
			s, err := store.OpenPostgres(t.Context(), store.PostgresOptions{DSN: server.DSN(), Schema: schema})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := server.Count(t, `SELECT count(*) FROM `+schema+`.goose_db_version WHERE version_id > 0`); n != migrationsOf(t) {
		t.Errorf("%d migrations were applied, want %d", n, migrationsOf(t))
	}
}

// Tenants of one database have their own data and hear nothing of each other.
func TestTenantsInOneDatabase(t *testing.T) {
	t.Parallel()
	a, b := sharedStore(t, 1), sharedStore(t, 1)
	if err := a.Update(t.Context(), func(tx store.Tx) error { return writeTo(tx, "c0") }); err != nil {
		t.Fatal(err)
	}
	if seqOf(t, a, "c0") != 3 || seqOf(t, b, "c0") != 2 {
		t.Error("a message to one tenant is in the other")
	}
	key, err := a.Key(t.Context(), "tokens")
	other, err2 := b.Key(t.Context(), "tokens")
	if err != nil || err2 != nil || string(key) == string(other) {
		t.Errorf("the tenants share a key (%v, %v)", err, err2)
	}
}

func TestSchemaNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a-very-long-name", 15)
	seen := map[string]string{}
	for _, pair := range [][2]string{{"shop", "support"}, {"shop-a", "b"}, {"shop", "a-b"}, {"shop", long}, {"shop", long + "x"}, {"1", "2.3"}} {
		name := store.SchemaName(pair[0], pair[1])
		if before, taken := seen[name]; taken || len(name) > 63 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			t.Errorf("%v has the schema %q, taken by %q", pair, name, before)
		}
		seen[name] = fmt.Sprint(pair)
	}
	if got := store.SchemaName("shop", "support"); !strings.HasPrefix(got, "handoff_shop_support_") {
		t.Errorf("%q does not show whose it is", got)
	}
}
