package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// sqliteTx is the Tx of one transaction. A write that failed keeps the whole transaction from being committed, also
// when its error is dropped.
type sqliteTx struct {
	sqliteReader
	err error
	// wrote says that there is something to commit. A commit without it asks nothing of the disk.
	wrote bool
}

func (w *sqliteTx) Create(c conversation.Change, tokenHash []byte) error {
	return w.note("create conversation", c.Conversation.ID, w.create(c, tokenHash))
}

func (w *sqliteTx) create(c conversation.Change, tokenHash []byte) error {
	if err := (position{}).follows(c); err != nil {
		return err
	}
	columns, err := columns(c.Conversation)
	if err != nil {
		return err
	}
	err = w.exec(`INSERT INTO conversations
		(seq, epoch, owner_kind, owner_id, holder, units, pending, waiting_since, offer_expires, body, id, token_hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(columns, c.Conversation.ID, tokenHash)...)
	if violates(err, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return fmt.Errorf("%w: it exists already", ErrConflict)
	}
	if err != nil {
		return err
	}
	return w.append(c)
}

func (w *sqliteTx) Save(c conversation.Change) error {
	return w.note("save conversation", c.Conversation.ID, w.save(c))
}

func (w *sqliteTx) save(c conversation.Change) error {
	at, err := w.position(c.Conversation.ID)
	if err != nil {
		return err
	}
	if err := at.follows(c); err != nil {
		return err
	}
	columns, err := columns(c.Conversation)
	if err != nil {
		return err
	}
	err = w.exec(`UPDATE conversations SET seq = ?, epoch = ?, owner_kind = ?, owner_id = ?, holder = ?, units = ?,
		pending = ?, waiting_since = ?, offer_expires = ?, body = ? WHERE id = ?`, append(columns, c.Conversation.ID)...)
	if err != nil {
		return err
	}
	return w.append(c)
}

func (w *sqliteTx) position(id string) (p position, err error) {
	found := false
	err = w.each(func(scan func(...any) error) error {
		found = true
		return scan(&p.seq, &p.epoch, &p.owner.Kind, &p.owner.ID)
	}, `SELECT seq, epoch, owner_kind, owner_id FROM conversations WHERE id = ?`, id)
	if err == nil && !found {
		err = ErrNotFound
	}
	return p, err
}

// columns returns the values of seq, epoch, owner_kind, owner_id, holder, units, pending, waiting_since,
// offer_expires and body.
func columns(c conversation.Conversation) ([]any, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	holder, units := holding(c)
	var offerExpires any
	if c.Offer != nil {
		offerExpires = c.Offer.ExpiresAt.UnixNano()
	}
	return []any{c.Seq, c.Epoch, string(c.Owner.Kind), c.Owner.ID, orNull(holder), units,
		orNull(c.Pending), waitingSince(c).UnixNano(), offerExpires, string(body)}, nil
}

func (w *sqliteTx) append(c conversation.Change) error {
	for _, e := range c.Events {
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		err = w.exec(`INSERT INTO events (conversation, seq, author_kind, client_id, body) VALUES (?, ?, ?, ?, ?)`,
			c.Conversation.ID, e.Seq, string(e.Author.Kind), orNull(e.ClientID), string(body))
		if violates(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE) {
			return fmt.Errorf("%w: client id %q of %s", ErrDuplicate, e.ClientID, e.Author.Kind)
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	return nil
}

func (w *sqliteTx) SetPresence(p Presence) error {
	return w.note("set the presence of agent", p.Email, w.exec(
		`INSERT INTO agents (email, state, until) VALUES (?, ?, ?)
		ON CONFLICT (email) DO UPDATE SET state = excluded.state, until = excluded.until`,
		p.Email, string(p.State), nanosOrNull(p.Until)))
}

func (w *sqliteTx) Touch(email string, now time.Time) error {
	return w.note("note the work of agent", email, w.exec(
		`INSERT INTO agents (email, idle_since) VALUES (?, ?) ON CONFLICT (email) DO UPDATE SET idle_since = excluded.idle_since`,
		email, now.UnixNano()))
}

func (w *sqliteTx) PutCode(hash []byte, email string, expires, now time.Time) error {
	err := w.exec(`DELETE FROM codes WHERE expires <= ?`, now.UnixNano())
	if err == nil {
		err = w.exec(`INSERT INTO codes (hash, email, expires) VALUES (?, ?, ?)`, hash, email, expires.UnixNano())
	}
	return w.note("keep a login code of agent", email, err)
}

func (w *sqliteTx) TakeCode(hash []byte, now time.Time) (email string, err error) {
	err = w.one(&email, `DELETE FROM codes WHERE hash = ? AND expires > ? RETURNING email`, hash, now.UnixNano())
	if errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("take a login code: %w", err)
	}
	return email, w.note("take", "a login code", err)
}

func (w *sqliteTx) exec(query string, args ...any) error {
	_, err := w.tx.ExecContext(w.ctx, query, args...)
	w.wrote = w.wrote || err == nil
	return err
}

// note remembers that a write failed, and says which.
func (w *sqliteTx) note(doing, object string, err error) error {
	if err == nil {
		return nil
	}
	w.err = fmt.Errorf("%s %s: %w", doing, object, err)
	return w.err
}

func violates(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == code
}

// orNull keeps a zero value out of the indexes.
func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

func nanosOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}
