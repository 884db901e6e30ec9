package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// tx is the Tx of one transaction. A statement that failed keeps the whole transaction from being committed, also when
// its error is dropped.
type tx struct{ reader }

func (w tx) Create(c conversation.Change, tokenHash []byte) error {
	return w.note("create conversation", c.Conversation.ID, w.create(c, tokenHash))
}

func (w tx) create(c conversation.Change, tokenHash []byte) error {
	if err := (position{}).follows(c); err != nil {
		return err
	}
	columns, err := columns(c.Conversation)
	if err != nil {
		return err
	}
	err = w.put(statement{query: `INSERT INTO conversations
		(id, seq, epoch, owner_kind, owner_id, holder, units, pending, waiting_since, offer_expires, body, customer, merged_into, closed_at,
		email, contact, token_hash, derived) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $2)`,
		args: append(columns, tokenHash), constraint: uniqueConversation,
		means: func() error { return fmt.Errorf("%w: it exists already", ErrConflict) }})
	if err != nil {
		return err
	}
	return w.follow(position{}, c)
}

func (w tx) Save(c conversation.Change) error {
	return w.note("save conversation", c.Conversation.ID, w.save(c))
}

func (w tx) save(c conversation.Change) error {
	before, err := w.position(c.Conversation.ID)
	if err != nil {
		return err
	}
	if err := before.follows(c); err != nil {
		return err
	}
	columns, err := columns(c.Conversation)
	if err != nil {
		return err
	}
	if err := w.update(c.Conversation.ID, columns); err != nil {
		return err
	}
	return w.follow(before, c)
}

// update writes a conversation's columns, once for all that a transaction saves between two queries.
func (w tx) update(id string, columns []any) error {
	if before := w.writing.merged("conversation", id); before != nil {
		before.args = columns
		return storable(columns)
	}
	return w.exec(`UPDATE conversations SET seq = $2, epoch = $3, owner_kind = $4, owner_id = $5, holder = $6, units = $7,
		pending = $8, waiting_since = $9, offer_expires = $10, body = $11, customer = $12, merged_into = $13, closed_at = $14,
		email = $15, contact = $16, derived = CASE WHEN derived = seq THEN $2 ELSE derived END WHERE id = $1`, columns...)
}

// work adds to an agent's units, and notes since when they are idle or were assigned last where that is known: once for
// all that a transaction notes between two queries.
func (w tx) work(email string, units int, assigned, idle any) error {
	if w.writing.err != nil {
		return w.writing.err
	}
	w.writing.touch(email)
	if before := w.writing.merged("agent", email); before != nil {
		had := before.args
		before.args = []any{email, had[1].(int) + units, or(assigned, had[2]), or(idle, had[3])}
		return nil
	}
	return w.exec(`INSERT INTO agents (email, units, assigned_at, idle_since) VALUES ($1, $2, $3, $4)
		ON CONFLICT (email) DO UPDATE SET units = agents.units + excluded.units,
			assigned_at = coalesce(excluded.assigned_at, agents.assigned_at),
			idle_since = coalesce(excluded.idle_since, agents.idle_since)`, email, units, assigned, idle)
}

func or(a, b any) any {
	if a != nil {
		return a
	}
	return b
}

// merged returns the pending statement that writes a row already, or nil. Then the next statement is the one that does.
func (w *writing) merged(what, id string) *statement {
	at, ok := w.rows[what+" "+id]
	if ok {
		return &w.pending[at]
	}
	if w.rows == nil {
		w.rows = map[string]int{}
	}
	w.rows[what+" "+id] = len(w.pending)
	return nil
}

// position returns where a conversation stands, and takes its lock.
func (w tx) position(id string) (p position, err error) {
	if p, ok := w.writing.locked[id]; ok {
		return p, w.writing.err
	}
	var body []byte
	if err := w.one(&body, `SELECT body FROM conversations WHERE id = $1`+w.forUpdate, id); err != nil {
		return p, err
	}
	var c conversation.Conversation
	err = json.Unmarshal(body, &c)
	return positionOf(c), err
}

// follow writes what depends on a conversation that was just written: its events, the agents' loads, its deadlines, and
// whom to wake.
func (w tx) follow(before position, c conversation.Change) error {
	if err := w.append(before.owner.Kind, c); err != nil {
		return err
	}
	w.writing.lock(c.Conversation)
	after := positionOf(c.Conversation)
	delta := map[string]int{}
	delta[before.holder] -= before.units
	delta[after.holder] += after.units
	var assigned string
	if after.holder != before.holder {
		assigned = after.holder
	}
	if err := errors.Join(w.wrapUp(c, delta), w.handled(c.Handled)); err != nil {
		return err
	}
	if err := w.hold(delta, assigned, c.Conversation.UpdatedAt); err != nil {
		return err
	}
	if err := w.endTurn(before, c); err != nil {
		return err
	}
	if !slices.Contains(w.writing.wake.Conversations, c.Conversation.ID) {
		w.writing.wake.Conversations = append(w.writing.wake.Conversations, c.Conversation.ID)
	}
	if before.owner.Kind != after.owner.Kind || before.holder != after.holder || before.units != after.units {
		w.writing.wake.Queue = true
	}
	for i, kind := range kept {
		if before.due[i] == after.due[i] {
			continue
		}
		d := Deadline{Kind: kind, Conversation: c.Conversation.ID}
		if due := after.due[i]; due != 0 {
			d.Due = time.Unix(0, due).UTC()
		}
		if err := w.setDeadline(d); err != nil {
			return err
		}
	}
	return nil
}

// hold changes the units of capacity that agents hold. assigned is who has the conversation since now, or "".
func (w tx) hold(delta map[string]int, assigned string, now time.Time) error {
	delete(delta, "")
	for _, email := range sorted(delta) { // the order in which Agents takes their locks
		if delta[email] == 0 {
			continue
		}
		var at any
		if email == assigned {
			at = now.UnixNano()
		}
		if err := w.work(email, delta[email], at, nil); err != nil {
			return fmt.Errorf("load of agent %s: %w", email, err)
		}
	}
	return nil
}

// columns returns the values of id, seq, epoch, owner_kind, owner_id, holder, units, pending, waiting_since,
// offer_expires, body, customer, merged_into, closed_at, email and contact.
func columns(c conversation.Conversation) ([]any, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	p := positionOf(c)
	return append([]any{c.ID, c.Seq, c.Epoch, string(c.Owner.Kind), c.Owner.ID, orNull(p.holder), p.units,
		orNull(c.Pending), waitingSince(c).UnixNano(), orNull(p.offerExpires()), string(body)}, derivedColumns(c)...), nil
}

// append writes the events of a change to what owner had, and what is derived from them.
func (w tx) append(owner conversation.OwnerKind, c conversation.Change) error {
	for _, e := range c.Events {
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		err = w.put(statement{query: `INSERT INTO events (conversation, seq, author_kind, client_id, body) VALUES ($1, $2, $3, $4, $5)`,
			args:       []any{c.Conversation.ID, e.Seq, string(e.Author.Kind), orNull(e.ClientID), string(body)},
			constraint: uniqueClientID,
			means:      func() error { return fmt.Errorf("%w: client id %q of %s", ErrDuplicate, e.ClientID, e.Author.Kind) }})
		if err == nil {
			err = errors.Join(w.span(c.Conversation.ID, owner, e), w.auditEvent(c.Conversation.ID, e))
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
		if e.Owner != nil {
			owner = e.Owner.Kind
		}
	}
	return nil
}

func (w tx) SetPresence(p Presence) error {
	w.writing.wake.Queue = true
	w.writing.touch(p.Email)
	if err := w.logPresence(p); err != nil {
		return w.note("log the presence of agent", p.Email, err)
	}
	return w.note("set the presence of agent", p.Email, w.exec(
		`INSERT INTO agents (email, state, reason, since, until, missed) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (email) DO UPDATE SET state = excluded.state, reason = excluded.reason, since = excluded.since,
			until = excluded.until, missed = excluded.missed`,
		p.Email, string(p.State), orNull(p.Reason), nanosOrNull(p.Since), nanosOrNull(p.Until), p.Missed))
}

func (w tx) RenewPresence(p Presence) error {
	w.writing.touch(p.Email)
	return w.note("renew the presence of agent", p.Email, w.exec(
		`UPDATE agents SET until = $2 WHERE email = $1`, p.Email, nanosOrNull(p.Until)))
}

func (w tx) Touch(email string, now time.Time) error {
	return w.note("note the work of agent", email, w.work(email, 0, nil, now.UnixNano()))
}

func (w tx) PutCode(hash []byte, email string, expires, now time.Time) error {
	err := w.exec(`DELETE FROM codes WHERE expires <= $1`, now.UnixNano())
	if err == nil {
		err = w.exec(`INSERT INTO codes (hash, email, expires) VALUES ($1, $2, $3)`, hash, email, expires.UnixNano())
	}
	return w.note("keep a login code of agent", email, err)
}

func (w tx) TakeCode(hash []byte, now time.Time) (email string, err error) {
	err = w.one(&email, `DELETE FROM codes WHERE hash = $1 AND expires > $2 RETURNING email`, hash, now.UnixNano())
	if errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("take a login code: %w", err)
	}
	w.writing.wrote = true
	return email, w.note("take", "a login code", err)
}

func (w tx) exec(query string, args ...any) error { return w.put(statement{query: query, args: args}) }

// put lets a statement be executed with the next query, or the commit.
func (w tx) put(s statement) error {
	if w.writing.err != nil {
		return w.writing.err
	}
	if err := storable(s.args); err != nil {
		return err
	}
	w.writing.pending, w.writing.wrote = append(w.writing.pending, s), true
	return nil
}

// note says of what the statements since the last note are part, and remembers that one failed.
func (w tx) note(doing, object string, err error) error {
	for i := w.writing.named; i < len(w.writing.pending); i++ {
		w.writing.pending[i].doing, w.writing.pending[i].object = doing, object
	}
	w.writing.named = len(w.writing.pending)
	if err == nil {
		return nil
	}
	if !w.writing.described {
		w.writing.err, w.writing.described = fmt.Errorf("%s %s: %w", doing, object, err), true
	}
	return w.writing.err
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
