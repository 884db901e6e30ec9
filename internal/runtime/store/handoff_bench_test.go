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
// message, the handoff with its assignment to an agent, the agent's acceptance, the return. 8 clients at once have an
// agent each, and 32 conversations by turns, so that none has hundreds of handoffs. The floor writes the same rows in as many commits, with the statements below and no
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

// turns is how many conversations a client has.
const turns = 32

// conversationOf is the number of a client's conversation in its round n.
func conversationOf(client, n int) int { return client + clients*(n%turns) }

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
	create(b, s, clients*turns)
	rounds(b, func(client, n int) error { return handoff(s, client, n/clients) })
}

// handoff plays a client's round n.
func handoff(s store.Store, client, n int) error {
	id := fmt.Sprint("c", conversationOf(client, n))
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
// another number each round, and LOCK is FOR UPDATE where there is that. TestTheFloorWritesAsTheStoreDoes holds the rows
// that it writes, and the length of the bodies, to those of the store: conversations 4, events 8, agents 3, deadlines 2,
// handoffs 2, handled 1, and 2 of the audit trail. It reads the rows whose locks the store takes, and the event that a repeated
// message would have become, and nothing else. What it leaves out: the time of the database, a look for a turn to end,
// and decoding what was read.
var floor = strings.NewReplacer("AIBODY", text('b', 800), "QUEUEBODY", text('b', 1110), "BODY", text('b', 1190),
	"HANDOFF", text('h', 500), "LONG", text('e', 220), "SHORT", text('e', 146)).Replace(`BEGIN;
SELECT body FROM conversations WHERE id = :c LOCK;
SELECT body FROM events WHERE conversation = :c AND author_kind = 'customer' AND client_id = :r;
UPDATE conversations SET seq = seq + 1, owner_kind = 'AI', owner_id = '', holder = NULL, units = 0, pending = :r, waiting_since = 1, offer_expires = NULL, body = AIBODY WHERE id = :c;
INSERT INTO events (conversation, seq, author_kind, client_id, body) VALUES (:c, :r * 8 + 1, 'customer', :r, LONG);
COMMIT;
BEGIN;
SELECT body FROM conversations WHERE id = :c LOCK;
SELECT email, state, until, idle_since, units FROM agents WHERE email = :a LOCK;
UPDATE conversations SET seq = seq + 3, epoch = epoch + 1, owner_kind = 'Queue', holder = :a, units = 1, pending = NULL, waiting_since = :r, offer_expires = :r, body = QUEUEBODY WHERE id = :c;
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 2, 'system', HANDOFF);
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 3, 'system', SHORT);
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 4, 'system', LONG);
INSERT INTO handoffs (conversation, number, began) VALUES (:c, :r, :r);
INSERT INTO agents (email, units, assigned_at) VALUES (:a, 1, :r) ON CONFLICT (email) DO UPDATE SET units = agents.units + 1, assigned_at = excluded.assigned_at;
INSERT INTO deadlines (conversation, kind, due) VALUES (:c, 'offer', :r) ON CONFLICT (conversation, kind) DO UPDATE SET due = excluded.due;
COMMIT;
BEGIN;
SELECT body FROM conversations WHERE id = :c LOCK;
SELECT email, state, until, idle_since, units FROM agents WHERE email = :a LOCK;
UPDATE agents SET idle_since = :r WHERE email = :a;
UPDATE conversations SET seq = seq + 2, epoch = epoch + 1, owner_kind = 'Agent', owner_id = :a, offer_expires = NULL, body = BODY WHERE id = :c;
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 5, 'agent', LONG);
INSERT INTO audit_trail (at, actor, action, conversation, seq) VALUES (:r, :a, 'assigned', :c, :r * 8 + 5);
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 6, 'system', SHORT);
DELETE FROM deadlines WHERE conversation = :c AND kind = 'offer';
COMMIT;
BEGIN;
SELECT body FROM conversations WHERE id = :c LOCK;
UPDATE agents SET units = units - 1, idle_since = :r WHERE email = :a;
UPDATE conversations SET seq = seq + 2, epoch = epoch + 1, owner_kind = 'AI', owner_id = '', holder = NULL, units = 0, waiting_since = 1, body = AIBODY WHERE id = :c;
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 7, 'agent', SHORT);
INSERT INTO audit_trail (at, actor, action, conversation, seq) VALUES (:r, :a, 'returned', :c, :r * 8 + 7);
INSERT INTO events (conversation, seq, author_kind, body) VALUES (:c, :r * 8 + 8, 'system', SHORT);
UPDATE handoffs SET ended = :r WHERE conversation = :c AND number = :r;
DELETE FROM handled WHERE pool = 'team' AND channel_type = '' AND ended < 0;
INSERT INTO handled (pool, channel_type, ended, took) VALUES ('team', '', :r, :r);
COMMIT;
`)

// text is a literal of so many of one letter.
func text(letter rune, n int) string { return "'" + strings.Repeat(string(letter), n) + "'" }

func floorPostgres(b *testing.B, server *postgrestest.Server) {
	schema := newSchema()
	create(b, openPostgres(b, store.PostgresOptions{DSN: server.DSN(), Schema: schema}), clients*turns)
	script := strings.NewReplacer(":c", "'c' || :conversation", ":a", "'a' || :client_id || '@agents.example'", "client_id = :r", "client_id = (:n)::text",
		"'customer', :r,", "'customer', (:n)::text,", ":r", "(:n)::bigint", "LOCK", "FOR UPDATE").Replace(floor)
	rate := runPgbench(b, server, schema, fmt.Sprintf("\\set n :n + 1\n\\set conversation :client_id + %d * (:n %% %d)\n", clients, turns)+script, "-D", "n=0")
	b.ReportMetric(rate, "handoffs/s")
}

// floorSQLite shares one connection, as the store does: one transaction after another.
func floorSQLite(b *testing.B) {
	dir := b.TempDir()
	create(b, open(b, dir), clients*turns) // which is idle from here on
	conn := bare(b, dir)
	var one sync.Mutex
	steps := prepared(b, conn)
	rounds(b, func(client, n int) error { return play(steps, &one, client, n/clients) })
}

// bare opens the database of a store without it.
func bare(b testing.TB, dir string) *sql.Conn {
	b.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.Join(dir, "handoff.db"), RawQuery: url.Values{
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	}.Encode()}).String())
	if err != nil {
		b.Fatal(err)
	}
	conn, err := db.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = errors.Join(conn.Close(), db.Close()) })
	return conn
}

// play plays one round of the floor, and lets others in after each of its transactions.
func play(steps []step, one *sync.Mutex, client, n int) error {
	c, a := sql.Named("c", fmt.Sprint("c", conversationOf(client, n))), sql.Named("a", fmt.Sprintf("a%d@agents.example", client))
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
}

// step is a statement of the floor.
type step struct {
	*sql.Stmt
	names          []string
	reads, commits bool
}

var parameter = regexp.MustCompile(`:([car])\b`)

// prepared are the steps of the floor. They are closed with their connection.
func prepared(b testing.TB, conn *sql.Conn) (steps []step) {
	b.Helper()
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
