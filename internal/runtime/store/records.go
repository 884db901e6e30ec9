package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// AuditEntry is one thing that an agent or a supervisor did.
type AuditEntry struct {
	// ID rises from entry to entry.
	ID int64     `json:"id"`
	At time.Time `json:"at"`
	// Actor is the e-mail address of who did it.
	Actor string `json:"actor"`
	// Action is the type of the event that it became, or a word of its own where it became none.
	Action string `json:"action"`
	// Conversation and Seq name the event, where it is about a conversation.
	Conversation string `json:"conversation,omitempty"`
	Seq          int64  `json:"seq,omitempty"`
	// Subject is whom or what else it was done to, and Detail how. Neither has what customers wrote or who they are.
	Subject string `json:"subject,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// AuditFilter selects entries; empty fields select all.
type AuditFilter struct {
	Actor, Conversation string
	From, To            time.Time
}

// PresenceChange is one entry of the log of presences.
type PresenceChange struct {
	Presence
	At time.Time `json:"at"`
}

// Span is a handoff by time. Ended is zero while the queue or a human has it.
type Span struct {
	Conversation string
	Number       int
	Began, Ended time.Time
}

const (
	queryAudit = `SELECT id, at, actor, action, conversation, seq, subject, detail FROM audit_trail
		WHERE id > $1 AND ($2 = '' OR actor = $2) AND ($3 = '' OR conversation = $3) AND at >= $4 AND at < $5 ORDER BY id LIMIT $6`
	queryPresenceLog = `SELECT email, at, state, until FROM presence_log WHERE at >= $1 AND at < $2 ORDER BY id`
	queryHandoffs    = `SELECT conversation, number, began, ended FROM handoffs
		WHERE began < $2 AND (ended IS NULL OR ended >= $1) ORDER BY began, conversation, number`
	queryClosed = `SELECT id FROM conversations WHERE closed_at <= $1 ORDER BY closed_at, id LIMIT $2`
)

func (w tx) Audit(e AuditEntry) error {
	return w.note("keep in the audit trail what was done by", e.Actor, w.audit(e))
}

func (w tx) audit(e AuditEntry) error {
	return w.exec(
		`INSERT INTO audit_trail (at, actor, action, conversation, seq, subject, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.At.UnixNano(), e.Actor, e.Action, e.Conversation, e.Seq, e.Subject, e.Detail)
}

// auditEvent keeps in the audit trail what an agent or supervisor did to a conversation.
func (w tx) auditEvent(id string, e conversation.Event) error {
	if e.Author.Kind != conversation.AuthorAgent || e.Author.ID == "" { // a human at a helpdesk is known there
		return nil
	}
	entry := AuditEntry{At: e.At, Actor: e.Author.ID, Action: string(e.Type), Conversation: id, Seq: e.Seq}
	if e.Agent != nil && e.Agent.ID != e.Author.ID {
		entry.Subject = e.Agent.ID
	}
	return w.audit(entry)
}

// human says whether a handoff is in progress: the customer waits for a human, or has one.
func human(k conversation.OwnerKind) bool {
	return k != "" && k != conversation.OwnerAI && k != conversation.OwnerNobody
}

// logPresence keeps a change of an agent's presence. One that goes on, as a heartbeat says, is none.
func (w tx) logPresence(p Presence) error {
	now, err := w.Now()
	if err != nil {
		return err
	}
	return w.exec(`INSERT INTO presence_log (email, at, state, until) SELECT $1, $2, $3, $4
		WHERE NOT EXISTS (SELECT 1 FROM agents WHERE email = $1 AND state = $3 AND (until IS NULL OR until > $2))`,
		p.Email, now.UnixNano(), string(p.State), nanosOrNull(p.Until))
}

// closedAt is when a closed conversation that was not erased was closed; zero for every other. A release that did not
// write it down has changed nothing since.
func closedAt(c conversation.Conversation) time.Time {
	switch {
	case c.Owner.Kind != conversation.OwnerNobody || !c.ErasedAt.IsZero():
		return time.Time{}
	case c.ClosedAt.IsZero():
		return c.UpdatedAt
	default:
		return c.ClosedAt
	}
}

// findable is what customers are looked up by; "" for text that the store has no place for.
func findable(s string) string {
	if storable([]any{s}) != nil {
		return ""
	}
	return s
}

// address is an e-mail address or number as customers are looked up by it.
func address(s string) string { return strings.ToLower(findable(s)) }

// contact is where a customer wants the answer.
func contact(c conversation.Conversation) string {
	if c.Contact == nil {
		return ""
	}
	if c.Contact.Email != "" {
		return address(c.Contact.Email)
	}
	return address(c.Contact.Phone)
}

func (w tx) EraseContent(id string) error {
	return w.note("erase what is in conversation", id, w.eraseContent(id))
}

func (w tx) eraseContent(id string) error {
	const page = 500
	for after := int64(0); ; {
		events, err := w.Events(id, after, page)
		if err != nil {
			return err
		}
		for _, e := range events {
			after = e.Seq
			body, err := json.Marshal(e.Erased())
			if err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
			err = w.exec(`UPDATE events SET body = $3, client_id = NULL WHERE conversation = $1 AND seq = $2`, id, e.Seq, string(body))
			if err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
		}
		if len(events) < page {
			break
		}
	}
	if err := w.exec(`UPDATE conversations SET token_hash = $2 WHERE id = $1`, id, []byte{}); err != nil {
		return err
	}
	return w.eraseOutbox(id)
}

func (w tx) ClaimClosed(before time.Time, limit int) ([]string, error) {
	ids, err := w.ids(queryClosed+w.skipLocked, before.UnixNano(), max(limit, 0))
	return ids, w.note("claim", "closed conversations", err)
}

func (r reader) OldestClosed() (time.Time, error) {
	var at sql.NullInt64
	if err := r.one(&at, `SELECT min(closed_at) FROM conversations WHERE closed_at IS NOT NULL`); err != nil {
		return time.Time{}, fmt.Errorf("read when a conversation was closed first: %w", err)
	}
	return fromNanos(at), nil
}

func (r reader) FindCustomer(key string) ([]string, error) {
	ids, err := r.ids(`SELECT id FROM conversations WHERE customer = $1 OR email = $2 OR contact = $2 ORDER BY id`, key, strings.ToLower(key))
	if err != nil {
		return nil, fmt.Errorf("look for the conversations of a customer: %w", err)
	}
	return ids, nil
}

func (r reader) AllConversations(after string, limit int) ([]conversation.Conversation, error) {
	all, err := bodies[conversation.Conversation](r, `SELECT body FROM conversations WHERE id > $1 ORDER BY id LIMIT $2`, after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read conversations after %q: %w", after, err)
	}
	return all, nil
}

func (r reader) AuditTrail(f AuditFilter, after int64, limit int) (entries []AuditEntry, err error) {
	to := f.To
	if to.IsZero() {
		to = time.Unix(0, 1<<63-1)
	}
	from := int64(0)
	if !f.From.IsZero() {
		from = f.From.UnixNano()
	}
	err = r.each(func(scan func(...any) error) error {
		var e AuditEntry
		var at int64
		err := scan(&e.ID, &at, &e.Actor, &e.Action, &e.Conversation, &e.Seq, &e.Subject, &e.Detail)
		e.At = time.Unix(0, at).UTC()
		entries = append(entries, e)
		return err
	}, queryAudit, after, f.Actor, f.Conversation, from, to.UnixNano(), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read the audit trail: %w", err)
	}
	return entries, nil
}

func (r reader) PresenceLog(from, to time.Time) (changes []PresenceChange, err error) {
	err = r.each(func(scan func(...any) error) error {
		var c PresenceChange
		var at int64
		var until sql.NullInt64
		err := scan(&c.Email, &at, &c.State, &until)
		c.At, c.Until = time.Unix(0, at).UTC(), fromNanos(until)
		changes = append(changes, c)
		return err
	}, queryPresenceLog, from.UnixNano(), to.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read the log of presences: %w", err)
	}
	return changes, nil
}

func (r reader) Handoffs(from, to time.Time) (spans []Span, err error) {
	err = r.each(func(scan func(...any) error) error {
		var s Span
		var began int64
		var ended sql.NullInt64
		err := scan(&s.Conversation, &s.Number, &began, &ended)
		s.Began, s.Ended = time.Unix(0, began).UTC(), fromNanos(ended)
		spans = append(spans, s)
		return err
	}, queryHandoffs, from.UnixNano(), to.UnixNano())
	if err != nil {
		return nil, fmt.Errorf("read the handoffs: %w", err)
	}
	return spans, nil
}
