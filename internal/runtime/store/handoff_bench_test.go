package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
)

// BenchmarkHandoffs takes conversations round by round from the AI to a human and back, in four durable transactions: a
// message, the handoff with its assignment to an agent, the agent's acceptance, the return. 8 clients at once have a
// conversation and an agent each. The floor writes the same rows in as many commits, with the statements below and no
// more: by pgbench with prepared statements, and by a bare loop over one SQLite connection with the same driver. Durability is
// the same in each pair: fsync and synchronous_commit on in PostgreSQL, WAL with synchronous=FULL in SQLite.
func BenchmarkHandoffs(b *testing.B) {
	b.Run("postgres/floor", func(b *testing.B) { floorPostgres(b, postgrestest.Shared(b)) })
	b.Run("postgres/store", func(b *testing.B) {
		s := openPostgres(b, store.PostgresOptions{DSN: postgrestest.Shared(b).DSN(), Schema: newSchema(), MaxConns: clients})
		handoffs(b, s)
	})
	b.Run("sqlite/floor", floorSQLite)
	b.Run("sqlite/store", func(b *testing.B) { handoffs(b, open(b, b.TempDir())) })
}

// rounds plays b.N rounds over the clients.
func rounds(b *testing.B, play func(client, n int) error) {
	var wg sync.WaitGroup
	b.ResetTimer()
	for client := range clients {
		wg.Go(func() {
			for n := client; n < b.N; n += clients {
				if err := play(client, n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handoffs/s")
}

func handoffs(b *testing.B, s store.Store) {
	create(b, s, clients)
	rounds(b, func(client, n int) error {
		id := fmt.Sprint("c", client)
		agent := conversation.Person{Email: fmt.Sprintf("a%d@agents.example", client), Name: "Agent"}
		var errs []error
		for _, do := range []func(store.Tx, conversation.Conversation, time.Time) error{
			func(tx store.Tx, c conversation.Conversation, now time.Time) error {
				clientID := fmt.Sprint("m", n)
				if _, _, err := tx.EventByClientID(id, conversation.AuthorCustomer, clientID); err != nil {
					return err
				}
				change, err := c.CustomerWrites(clientID, question, now)
				return errors.Join(err, tx.Save(change))
			},
			func(tx store.Tx, c conversation.Conversation, now time.Time) error { return assign(tx, c, agent, now) },
			func(tx store.Tx, c conversation.Conversation, now time.Time) error {
				if _, err := tx.Agents(agent.Email); err != nil {
					return err
				}
				change, err := c.Accept(agent, "You are talking to Agent now.", now)
				return errors.Join(err, tx.Touch(agent.Email, now), tx.Save(change))
			},
			func(tx store.Tx, c conversation.Conversation, now time.Time) error {
				c.Returns = 0 // it would stay with humans
				change, err := c.ReturnToAI(agent, "", "The assistant is back.", now)
				return errors.Join(err, tx.Touch(agent.Email, now), tx.Save(change))
			},
		} {
			errs = append(errs, s.Update(context.Background(), func(tx store.Tx) error {
				c, err := tx.Conversation(id)
				if err != nil {
					return err
				}
				now, err := tx.Now()
				return errors.Join(err, do(tx, c, now))
			}))
		}
		return errors.Join(errs...)
	})
}

func assign(tx store.Tx, c conversation.Conversation, agent conversation.Person, now time.Time) error {
	if _, err := tx.Agents(agent.Email); err != nil {
		return err
	}
	h := conversation.Handoff{Reason: "HumanRequested", Sentiment: "Neutral", Language: "en", Confidence: 1, Summary: question, CustomerSummary: question}
	change, err := c.HandOff(c.Epoch, c.Pending, h, nil, []string{"I am connecting you with a colleague."}, now)
	if err != nil {
		return err
	}
	offered, err := change.Conversation.MakeOffer(conversation.Offer{Agent: agent, Pool: "team", Cost: 1, ExpiresAt: now.Add(time.Hour)}, now)
	return errors.Join(err, tx.Save(change), tx.Save(offered))
}

// floor are the statements of one round, for both databases: :c and :a name the client's conversation and agent, :r is
// another number each round, and LOCK is FOR UPDATE where there is that. Bodies are as long as those of the store.
var floor = strings.NewReplacer("BODY", "'"+strings.Repeat("b", 700)+"'", "EVENT", "'"+strings.Repeat("e", 250)+"'",
	"HANDOFF", "'"+strings.Repeat("h", 700)+"'").Replace(`BEGIN;
SELECT body FROM conversations WHERE id = :c LOCK;
SELECT body FROM events WHERE conversation = :c AND author_kind = 'customer' AND client_id = :r;
UPDATE conversations SET seq = seq + 1, owner_kind = 'AI', owner_id = '', holder = NULL, units = 0, pending = :r, waiting_since = 1, offer_expires = NULL, body = BODY WHERE id = :c;
INSERT INTO events (conversation, seq, author_kind, client_id, body) VALUES (:c, :r * 8 + 1, 'customer', :r, EVENT);
COMMIT;
BEGIN;
SELECT body FROM conversations WHERE id = :c LOCK;
SELECT email, state, until, idle_since, units FROM agents WHERE email = :a LOCK;
UPDATE conversations SET seq = seq + 3, epoch = epoch + 1, owner_kind = 'Queue', holder = :a, units = 1, pending = NULL, waiting_since = :r, offer_expires = :r, body = BODY WHERE id = :c;
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 2, 'system', HANDOFF);
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 3, 'system', EVENT);
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 4, 'system', EVENT);
INSERT INTO agents (email, units) VALUES (:a, 1) ON CONFLICT (email) DO UPDATE SET units = agents.units + 1;
INSERT INTO deadlines (conversation, kind, due) VALUES (:c, 'offer', :r) ON CONFLICT (conversation, kind) DO UPDATE SET due = excluded.due;
COMMIT;
BEGIN;
SELECT body FROM conversations WHERE id = :c LOCK;
SELECT email, state, until, idle_since, units FROM agents WHERE email = :a LOCK;
UPDATE agents SET idle_since = :r WHERE email = :a;
UPDATE conversations SET seq = seq + 2, epoch = epoch + 1, owner_kind = 'Agent', owner_id = :a, offer_expires = NULL, body = BODY WHERE id = :c;
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 5, 'agent', EVENT);
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 6, 'system', EVENT);
DELETE FROM deadlines WHERE conversation = :c AND kind = 'offer';
COMMIT;
BEGIN;
SELECT body FROM conversations WHERE id = :c LOCK;
UPDATE conversations SET seq = seq + 2, epoch = epoch + 1, owner_kind = 'AI', owner_id = '', holder = NULL, units = 0, waiting_since = 1, body = BODY WHERE id = :c;
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 7, 'agent', EVENT);
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 8, 'system', EVENT);
UPDATE agents SET units = units - 1, idle_since = :r WHERE email = :a;
COMMIT;
`)

func floorPostgres(b *testing.B, server *postgrestest.Server) {
	schema := newSchema()
	create(b, openPostgres(b, store.PostgresOptions{DSN: server.DSN(), Schema: schema}), clients)
	script := strings.NewReplacer(":c", "'c' || :client_id", ":a", "'a' || :client_id", "client_id = :r", "client_id = (:n)::text",
		"'customer', :r,", "'customer', (:n)::text,", ":r", "(:n)::bigint", "LOCK", "FOR UPDATE").Replace(floor)
	rate := runPgbench(b, server, schema, "\\set n :n + 1\n"+script, "-D", "n=0")
	b.ReportMetric(rate, "handoffs/s")
}

// floorSQLite shares one connection, as the store does: one transaction after another.
func floorSQLite(b *testing.B) {
	dir := b.TempDir()
	create(b, open(b, dir), clients) // which is idle from here on
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.Join(dir, "handoff.db"), RawQuery: url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	}.Encode()}).String())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	var one sync.Mutex
	steps := prepared(b, conn)
	rounds(b, func(client, n int) error {
		c, a := sql.Named("c", fmt.Sprint("c", client)), sql.Named("a", fmt.Sprint("a", client))
		for i := 0; i < len(steps); {
			one.Lock()
			for ; ; i++ {
				if err := steps[i].run(c, a, sql.Named("r", n+1)); err != nil {
					one.Unlock()
					return err
				}
				if steps[i].commits {
					i++
					break
				}
			}
			one.Unlock()
		}
		return nil
	})
}

// step is a statement of the floor.
type step struct {
	*sql.Stmt
	names          []string
	reads, commits bool
}

var parameter = regexp.MustCompile(`:([car])\b`)

// prepared are the steps of the floor. They are closed with their connection.
func prepared(b *testing.B, conn *sql.Conn) (steps []step) {
	for line := range strings.Lines(floor) {
		line = strings.ReplaceAll(strings.TrimSpace(line), " LOCK", "")
		line = strings.Replace(line, "BEGIN", "BEGIN IMMEDIATE", 1)
		stmt, err := conn.PrepareContext(b.Context(), line)
		if err != nil {
			b.Fatalf("%s: %v", line, err)
		}
		s := step{Stmt: stmt, reads: strings.HasPrefix(line, "SELECT"), commits: line == "COMMIT;"}
		for _, found := range parameter.FindAllStringSubmatch(line, -1) {
			s.names = append(s.names, found[1])
		}
		steps = append(steps, s)
	}
	return steps
}

// run executes the statement with those of the values that it has.
func (s step) run(values ...any) error {
	var args []any
	for _, v := range values {
		if strings.Contains(strings.Join(s.names, ""), v.(sql.NamedArg).Name) {
			args = append(args, v)
		}
	}
	if !s.reads {
		_, err := s.Exec(args...)
		return err
	}
	rows, err := s.Query(args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}
