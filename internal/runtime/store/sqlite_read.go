package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// The queries over all conversations. Each reads along an index that holds only the rows it is for.
const (
	waiting         = `FROM conversations WHERE owner_kind = 'Queue' AND offer_expires IS NULL`
	queryWaiting    = `SELECT body ` + waiting + ` ORDER BY waiting_since, id LIMIT ? OFFSET ?`
	queryNWaiting   = `SELECT count(*) ` + waiting
	queryOffered    = `SELECT body FROM conversations WHERE offer_expires IS NOT NULL ORDER BY offer_expires, id`
	queryHeld       = `SELECT body FROM conversations WHERE holder = ? ORDER BY waiting_since, id`
	queryOwing      = `SELECT id FROM conversations WHERE pending IS NOT NULL ORDER BY id`
	queryLoads      = `SELECT holder, sum(units) FROM conversations WHERE holder IS NOT NULL GROUP BY holder`
	queryByClientID = `SELECT body FROM events WHERE conversation = ? AND author_kind = ? AND client_id = ?`
)

// sqliteReader is the Reader of one transaction, and lives as long as that.
type sqliteReader struct {
	ctx context.Context
	tx  *sql.Tx
}

func (r sqliteReader) Conversation(id string) (c conversation.Conversation, err error) {
	var body []byte
	err = r.one(&body, `SELECT body FROM conversations WHERE id = ?`, id)
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	if err != nil {
		return c, fmt.Errorf("read conversation %s: %w", id, err)
	}
	return c, nil
}

func (r sqliteReader) TokenHash(id string) (hash []byte, err error) {
	if err := r.one(&hash, `SELECT token_hash FROM conversations WHERE id = ?`, id); err != nil {
		return nil, fmt.Errorf("read the token's hash of conversation %s: %w", id, err)
	}
	return hash, nil
}

func (r sqliteReader) Events(id string, after int64, limit int) ([]conversation.Event, error) {
	events, err := bodies[conversation.Event](r,
		`SELECT body FROM events WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?`, id, after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read events of conversation %s after %d: %w", id, after, err)
	}
	return events, nil
}

func (r sqliteReader) EventByClientID(id string, author conversation.AuthorKind, clientID string) (conversation.Event, bool, error) {
	events, err := bodies[conversation.Event](r, queryByClientID, id, string(author), clientID)
	if err != nil {
		return conversation.Event{}, false, fmt.Errorf("look for client id %q in conversation %s: %w", clientID, id, err)
	}
	if len(events) == 0 {
		return conversation.Event{}, false, nil
	}
	return events[0], true, nil
}

func (r sqliteReader) Waiting(skip, limit int) ([]conversation.Conversation, error) {
	queue, err := bodies[conversation.Conversation](r, queryWaiting, max(limit, 0), skip)
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	return queue, nil
}

func (r sqliteReader) CountWaiting() (n int, err error) {
	if err := r.one(&n, queryNWaiting); err != nil {
		return 0, fmt.Errorf("count the queue: %w", err)
	}
	return n, nil
}

func (r sqliteReader) Offered() ([]conversation.Conversation, error) {
	offered, err := bodies[conversation.Conversation](r, queryOffered)
	if err != nil {
		return nil, fmt.Errorf("read the open offers: %w", err)
	}
	return offered, nil
}

func (r sqliteReader) OwnedBy(email string) ([]conversation.Conversation, error) {
	owned, err := bodies[conversation.Conversation](r, queryHeld, email)
	if err != nil {
		return nil, fmt.Errorf("read the conversations of agent %s: %w", email, err)
	}
	return owned, nil
}

func (r sqliteReader) Owing() (ids []string, err error) {
	err = r.each(func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, queryOwing)
	if err != nil {
		return nil, fmt.Errorf("read the conversations that wait for the AI: %w", err)
	}
	return ids, nil
}

func (r sqliteReader) Loads() (map[string]assign.Load, error) {
	loads := map[string]assign.Load{}
	err := r.each(func(scan func(...any) error) error {
		var email string
		var load assign.Load
		err := scan(&email, &load.Units)
		loads[email] = load
		return err
	}, queryLoads)
	if err != nil {
		return nil, fmt.Errorf("read the agents' loads: %w", err)
	}
	err = r.each(func(scan func(...any) error) error {
		var email string
		var idle int64
		err := scan(&email, &idle)
		loads[email] = assign.Load{Units: loads[email].Units, IdleSince: fromNanos(idle)}
		return err
	}, `SELECT email, idle_since FROM agents WHERE idle_since IS NOT NULL`)
	if err != nil {
		return nil, fmt.Errorf("read since when the agents are idle: %w", err)
	}
	return loads, nil
}

func (r sqliteReader) Presences() (map[string]Presence, error) {
	presences := map[string]Presence{}
	err := r.each(func(scan func(...any) error) error {
		var p Presence
		var until sql.NullInt64
		err := scan(&p.Email, &p.State, &until)
		if until.Valid {
			p.Until = fromNanos(until.Int64)
		}
		presences[p.Email] = p
		return err
	}, `SELECT email, state, until FROM agents WHERE state IS NOT NULL`)
	if err != nil {
		return nil, fmt.Errorf("read the agents' presence: %w", err)
	}
	return presences, nil
}

// one reads the only column of the only row, or returns ErrNotFound.
func (r sqliteReader) one(dest any, query string, args ...any) error {
	err := r.tx.QueryRowContext(r.ctx, query, args...).Scan(dest)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// each calls fn for every row.
func (r sqliteReader) each(fn func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := r.tx.QueryContext(r.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// bodies decodes the JSON of a query's only column.
func bodies[T any](r sqliteReader, query string, args ...any) (all []T, err error) {
	err = r.each(func(scan func(...any) error) error {
		var body sql.RawBytes
		if err := scan(&body); err != nil {
			return err
		}
		var t T
		err := json.Unmarshal(body, &t)
		all = append(all, t)
		return err
	}, query, args...)
	return all, err
}

func fromNanos(n int64) time.Time { return time.Unix(0, n).UTC() }
