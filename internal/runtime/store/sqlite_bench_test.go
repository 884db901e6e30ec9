package store_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const question = "Hello, I ordered two weeks ago and the parcel has not arrived yet. Can you tell me where it is?"

// BenchmarkUpdate reads a conversation and saves one customer's message. The floor is one INSERT of the same text in a
// transaction of its own, by the same driver with the same pragmas: what the disk and SQLite take.
func BenchmarkUpdate(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.Join(b.TempDir(), "floor.db"), RawQuery: url.Values{
			"_txlock": {"immediate"},
			"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
		}.Encode()}).String())
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		if _, err := db.ExecContext(b.Context(), `CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)`); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			tx, err := db.BeginTx(b.Context(), nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := tx.ExecContext(b.Context(), `INSERT INTO t (body) VALUES (?)`, question); err != nil {
				b.Fatal(err)
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("message", func(b *testing.B) {
		s := open(b, b.TempDir())
		create(b, s, 1)
		for i := 0; b.Loop(); i++ {
			if err := s.Update(b.Context(), func(tx store.Tx) error {
				c, err := tx.Conversation("c0")
				if err != nil {
					return err
				}
				change, err := c.CustomerWrites(fmt.Sprint("m", i), question, t0)
				if err != nil {
					return err
				}
				return tx.Save(change)
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLoads sums what 200 agents hold, with 10,000 open conversations that all belong to one of them. The floor is
// the same number of agents with nothing.
func BenchmarkLoads(b *testing.B) {
	for name, conversations := range map[string]int{"floor": 0, "10000": 10_000} {
		b.Run(name, func(b *testing.B) {
			s := open(b, b.TempDir())
			create(b, s, conversations)
			if err := s.Update(b.Context(), func(tx store.Tx) error { return takeAll(tx, conversations) }); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := s.View(b.Context(), func(r store.Reader) error {
					loads, err := r.Loads()
					if len(loads) != 200 {
						b.Fatalf("%d agents", len(loads))
					}
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func create(b testing.TB, s store.Store, n int) {
	b.Helper()
	if err := s.Update(b.Context(), func(tx store.Tx) error {
		for i := range n {
			change := conversation.Start(conversation.Conversation{ID: fmt.Sprint("c", i)}, "Hello!", t0)
			if err := tx.Create(change, []byte("hash")); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// takeAll gives each of n conversations to one of 200 agents, who have all worked before.
func takeAll(tx store.Tx, n int) error {
	agent := func(i int) conversation.Person {
		return conversation.Person{Email: fmt.Sprintf("agent%d@agents.example", i%200)}
	}
	for i := range 200 {
		if err := tx.Touch(agent(i).Email, t0); err != nil {
			return err
		}
	}
	for i := range n {
		c, err := tx.Conversation(fmt.Sprint("c", i))
		if err != nil {
			return err
		}
		change, err := c.TakeOver(agent(i), 1, conversation.Handoff{}, nil, "", t0)
		if err != nil {
			return err
		}
		if err := tx.Save(change); err != nil {
			return err
		}
	}
	return nil
}
