package store

import (
	"encoding/json"
	"fmt"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

const queryBehind = `SELECT body, coalesce(derived, 0) FROM conversations WHERE derived IS DISTINCT FROM seq ORDER BY id LIMIT $1`

func (w tx) CatchUp(limit int) (n int, err error) {
	type row struct {
		conversation.Conversation
		derived int64
	}
	var behind []row
	err = w.each(func(scan func(...any) error) error {
		var r row
		var body []byte
		if err := scan(&body, &r.derived); err != nil {
			return err
		}
		err := json.Unmarshal(body, &r.Conversation)
		behind = append(behind, r)
		return err
	}, queryBehind+w.forUpdate, max(limit, 0))
	for _, r := range behind {
		if err == nil {
			err = w.catchUp(r.Conversation, r.derived)
		}
		if err != nil {
			return 0, w.note("catch up with conversation", r.ID, err)
		}
	}
	return len(behind), w.note("look for", "conversations that are behind", err)
}

// catchUp writes what is derived from a conversation and from its log after a sequence number. Some of it may be there.
func (w tx) catchUp(c conversation.Conversation, after int64) error {
	w.writing.lock(c)
	if err := w.catchUpLog(c.ID, after); err != nil {
		return err
	}
	if c.Owner.Kind == conversation.OwnerQueue { // who put it there may not look whether anybody comes for it
		now, err := w.Now()
		if err == nil {
			err = w.exec(`INSERT INTO deadlines (conversation, kind, due) VALUES ($1, $2, $3) ON CONFLICT (conversation, kind) DO NOTHING`,
				c.ID, string(DeadlineUnavailable), now.UnixNano())
		}
		if err != nil {
			return err
		}
		w.writing.wake.Queue = true
	}
	return w.exec(`UPDATE conversations SET derived = seq, customer = $2, merged_into = $3, closed_at = $4, email = $5, contact = $6
		WHERE id = $1`, append([]any{c.ID}, derivedColumns(c)...)...)
}

func (w tx) catchUpLog(id string, after int64) error {
	audited := map[int64]bool{}
	if err := w.each(func(scan func(...any) error) error {
		var seq int64
		err := scan(&seq)
		audited[seq] = true
		return err
	}, `SELECT seq FROM audit_trail WHERE conversation = $1 AND conversation <> ''`, id); err != nil {
		return err
	}
	// Who owned it before is not known: a human may have.
	return w.eachEvent(id, after, conversation.OwnerQueue, func(owner conversation.OwnerKind, e conversation.Event) error {
		if err := w.span(id, owner, e); err != nil || audited[e.Seq] {
			return err
		}
		return w.auditEvent(id, e)
	})
}

// eachEvent calls fn for the events after a sequence number, with who owned the conversation before each.
func (w tx) eachEvent(id string, after int64, owner conversation.OwnerKind, fn func(conversation.OwnerKind, conversation.Event) error) error {
	const page = 500
	for {
		events, err := w.Events(id, after, page)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := fn(owner, e); err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
			if after = e.Seq; e.Owner != nil {
				owner = e.Owner.Kind
			}
		}
		if len(events) < page {
			return nil
		}
	}
}

// span keeps when a handoff began or ended with an event.
func (w tx) span(id string, owner conversation.OwnerKind, e conversation.Event) error {
	if e.Type == conversation.EventHandoff && e.Handoff != nil {
		if err := w.exec(`INSERT INTO handoffs (conversation, number, began) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			id, e.Handoff.Number, e.At.UnixNano()); err != nil {
			return fmt.Errorf("handoff %d: %w", e.Handoff.Number, err)
		}
	}
	if e.Owner == nil || !human(owner) || human(e.Owner.Kind) {
		return nil
	}
	return w.exec(`UPDATE handoffs SET ended = $2 WHERE conversation = $1 AND ended IS NULL AND began <= $2`, id, e.At.UnixNano())
}

// derivedColumns returns the values of customer, merged_into, closed_at, email and contact.
func derivedColumns(c conversation.Conversation) []any {
	return []any{orNull(findable(c.CustomerKey())), orNull(c.MergedInto), nanosOrNull(closedAt(c)), orNull(address(c.Customer.Email)), orNull(contact(c))}
}
