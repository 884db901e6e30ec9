package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the release before
	"github.com/pressly/goose/v3"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
)

var opened = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// before is the release of the first migration, with a connection of its own.
type before struct {
	t  *testing.T
	db *sql.DB
	// open opens the store of today on the same data.
	open func() Store
}

// besideTheFirst runs a test on a database of the first migration, of each kind.
func besideTheFirst(t *testing.T, test func(before)) {
	clock := func() time.Time { return opened }
	for dialect, connected := range map[goose.Dialect]func(t *testing.T) before{
		goose.DialectSQLite3: func(t *testing.T) before {
			dir := t.TempDir()
			db, err := connect(filepath.Join(dir, databaseFile), 1, url.Values{"_pragma": {busyTimeout, "journal_mode(WAL)"}})
			if err != nil {
				t.Fatal(err)
			}
			return before{t, db, func() Store {
				s, err := OpenSQLite(t.Context(), dir, clock)
				return opens(t, s, err)
			}}
		},
		goose.DialectPostgres: func(t *testing.T) before {
			server := postgrestest.Shared(t)
			schema := "before_" + strings.ToLower(fmt.Sprintf("%x", t.Name()))[:40]
			db, err := sql.Open("pgx", server.DSN()+"&search_path="+schema)
			if err == nil {
				_, err = db.ExecContext(t.Context(), `CREATE SCHEMA `+schema)
			}
			if err != nil {
				t.Fatal(err)
			}
			return before{t, db, func() Store {
				s, err := OpenPostgres(t.Context(), PostgresOptions{DSN: server.DSN(), Schema: schema, Clock: clock})
				return opens(t, s, err)
			}}
		},
	} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b := connected(t)
			t.Cleanup(func() { _ = b.db.Close() })
			files, err := fs.Sub(migrations, "migrations/"+map[goose.Dialect]string{goose.DialectSQLite3: "sqlite", goose.DialectPostgres: "postgres"}[dialect])
			if err != nil {
				t.Fatal(err)
			}
			provider, err := goose.NewProvider(dialect, b.db, files, goose.WithDisableGlobalRegistry(true))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.UpTo(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			test(b)
		})
	}
}

func opens[S Store](t *testing.T, s S, err error) Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// saves writes a change as that release does.
func (b before) saves(c conversation.Change) conversation.Conversation {
	b.t.Helper()
	after := c.Conversation
	body, err := json.Marshal(after)
	if err == nil {
		_, err = b.db.ExecContext(context.Background(), `INSERT INTO conversations (id, token_hash, seq, epoch, owner_kind, owner_id, units, waiting_since, body)
			VALUES ($1, $2, $3, $4, $5, $6, 0, 1, $7) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, epoch = excluded.epoch,
			owner_kind = excluded.owner_kind, owner_id = excluded.owner_id, body = excluded.body`,
			after.ID, []byte{1}, after.Seq, after.Epoch, string(after.Owner.Kind), after.Owner.ID, string(body))
	}
	for _, e := range c.Events {
		if err == nil {
			body, err = json.Marshal(e)
		}
		if err == nil {
			_, err = b.db.ExecContext(context.Background(), `INSERT INTO events (conversation, seq, author_kind, body) VALUES ($1, $2, $3, $4)`,
				after.ID, e.Seq, string(e.Author.Kind), string(body))
		}
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return after
}

// did is a transition that must be possible.
func did(t *testing.T) func(conversation.Change, error) conversation.Change {
	return func(c conversation.Change, err error) conversation.Change {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// catchesUp does all that is behind.
func catchesUp(t *testing.T, s Store) (n int) {
	t.Helper()
	for more := 1; more > 0; n += more {
		if err := s.Update(t.Context(), func(tx Tx) (err error) {
			more, err = tx.CatchUp(2)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func finds(t *testing.T, s Store, key string, want ...string) {
	t.Helper()
	if err := s.View(t.Context(), func(r Reader) error {
		ids, err := r.FindCustomer(key)
		if !slices.Equal(ids, want) {
			t.Errorf("%q finds %v, want %v", key, ids, want)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A customer may write the character U+0000, which PostgreSQL's functions for JSON refuse. It keeps nobody from the
// upgrade, and no conversation from being found.
func TestUpgradeWithTheCharacterZero(t *testing.T) {
	t.Parallel()
	besideTheFirst(t, func(b before) {
		for id, customer := range map[string]conversation.Customer{
			"zero": {ID: "u1", Email: "Ada@x.example"}, "plain": {Email: "Ada@x.example"}, "other": {ID: "u\x00"}, "nobody": {},
		} {
			b.saves(conversation.Start(conversation.Conversation{ID: id, Customer: customer, Background: id + "\x00\\u0000"}, "", opened))
		}
		s := b.open()
		if n := catchesUp(b.t, s); n != 4 {
			b.t.Errorf("caught up with %d", n)
		}
		finds(b.t, s, "u1", "zero")
		finds(b.t, s, "ada@x.example", "plain", "zero")
		for _, id := range []string{"zero", "other"} {
			if err := s.Update(b.t.Context(), func(tx Tx) error {
				c, err := tx.Conversation(id)
				if c.Background != id+"\x00\\u0000" {
					b.t.Errorf("%s has %q", id, c.Background)
				}
				change, err2 := c.CustomerWrites("m1", "hello", opened)
				return errors.Join(err, err2, tx.Save(change))
			}); err != nil {
				b.t.Errorf("%s: %v", id, err)
			}
		}
	})
}

// During a rolling update the release before writes beside this one. What it does not derive is found, erased and
// counted all the same, once, also where this release has saved the conversation since.
func TestWrittenByTheReleaseBeside(t *testing.T) {
	t.Parallel()
	anna := conversation.Person{Email: "anna@agents.example", Name: "Anna"}
	besideTheFirst(t, func(b before) {
		t, did := b.t, did(b.t)
		s := b.open()
		save := func(id string, move func(conversation.Conversation) (conversation.Change, error)) {
			if err := s.Update(t.Context(), func(tx Tx) error {
				c, err := tx.Conversation(id)
				if err != nil {
					return err
				}
				return tx.Save(did(move(c)))
			}); err != nil {
				t.Fatal(err)
			}
		}
		handsOff := func(c conversation.Conversation) (conversation.Change, error) {
			return c.HandOff(c.Epoch, c.Pending, conversation.Handoff{}, nil, []string{"told"}, opened.Add(time.Minute))
		}
		takes := func(c conversation.Conversation) (conversation.Change, error) {
			return c.TakeOver(anna, 1, conversation.Handoff{}, nil, "", opened.Add(2*time.Minute))
		}
		// c1 begins and waits there. c2 begins here, is taken over there, and closed here.
		c := b.saves(conversation.Start(conversation.Conversation{ID: "c1", Customer: conversation.Customer{ID: "u1"}}, "", opened))
		c = b.saves(did(c.CustomerWrites("m1", "help", opened)))
		b.saves(did(handsOff(c)))
		start := conversation.Start(conversation.Conversation{ID: "c2", Customer: conversation.Customer{ID: "u2"}}, "", opened)
		if err := s.Update(t.Context(), func(tx Tx) error { return tx.Create(start, []byte{1}) }); err != nil {
			t.Fatal(err)
		}
		c = b.saves(did(start.Conversation.CustomerWrites("m1", "help", opened)))
		c = b.saves(did(handsOff(c)))
		b.saves(did(takes(c)))
		save("c2", func(c conversation.Conversation) (conversation.Change, error) {
			return c.Resolve(anna, conversation.Outcome{}, opened.Add(3*time.Minute))
		})
		// c3 begins here and is closed there.
		start = conversation.Start(conversation.Conversation{ID: "c3", Customer: conversation.Customer{ID: "u3"}}, "", opened)
		if err := s.Update(t.Context(), func(tx Tx) error { return tx.Create(start, []byte{1}) }); err != nil {
			t.Fatal(err)
		}
		save("c3", takes)
		if err := s.View(t.Context(), func(r Reader) error {
			c, err := r.Conversation("c3")
			b.saves(did(c.Resolve(anna, conversation.Outcome{}, opened.Add(3*time.Minute))))
			return err
		}); err != nil {
			t.Fatal(err)
		}

		if n := catchesUp(t, s); n != 3 {
			t.Errorf("caught up with %d", n)
		}
		finds(t, s, "u1", "c1")
		var got []string
		if err := s.Update(t.Context(), func(tx Tx) error {
			closed, err := tx.ClaimClosed(opened.Add(time.Hour), 10)
			got = append(got, fmt.Sprint("closed ", closed))
			spans, err2 := tx.Handoffs(opened, opened.Add(time.Hour))
			for _, s := range spans {
				got = append(got, fmt.Sprintf("%s handoff %d, %s to %s", s.Conversation, s.Number, s.Began.Format("15:04"), s.Ended.Format("15:04")))
			}
			trail, err3 := tx.AuditTrail(AuditFilter{}, 0, 100)
			slices.SortFunc(trail, func(a, b AuditEntry) int {
				return cmp.Or(strings.Compare(a.Conversation, b.Conversation), int(a.Seq-b.Seq))
			})
			for _, e := range trail {
				got = append(got, e.Conversation+" "+e.Action)
			}
			due, err4 := tx.ClaimDeadlines(10)
			for _, d := range due {
				got = append(got, d.Conversation+" "+string(d.Kind))
			}
			return errors.Join(err, err2, err3, err4)
		}); err != nil {
			t.Fatal(err)
		}
		want := []string{"closed [c2 c3]", "c1 handoff 1, 09:01 to 00:00", "c2 handoff 1, 09:01 to 09:03", "c3 handoff 1, 09:02 to 09:03",
			"c2 taken_over", "c2 resolved", "c3 taken_over", "c3 resolved", "c1 unavailable"}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
