package store

import (
	"errors"
	"fmt"
	"time"
)

// Record is what grows with everything that happens, and of which the old is removed.
type Record string

// The values of Record.
const (
	// Delivered are the messages of the outbox that a destination has, by when it got them. The last of each stream stays,
	// from which the next is numbered.
	Delivered Record = "outbox"
	// Trail is the audit trail.
	Trail Record = "audit_trail"
	// PresenceChanges are the changes of presences. The last of each agent before a time stays: it says what they were then.
	PresenceChanges Record = "presence_log"
	// Spans are the handoffs by time, by their end.
	Spans Record = "handoffs"
)

// DeliveredFor is how long a delivered message is kept: for as long as somebody may ask what became of it, or the
// destination tell of it again.
const DeliveredFor = 30 * 24 * time.Hour

// The statements that remove what is before $1, at most $2, and return its times. That of the outbox goes on at $3: what
// is left there because it is the last of its stream is not read again, and Enqueue removes it.
var trims = map[Record]string{
	Delivered: `WITH old AS MATERIALIZED (SELECT id FROM outbox o WHERE state = 'delivered' AND ended >= $3 AND ended < $1
			AND EXISTS (SELECT 1 FROM outbox l WHERE l.conversation = o.conversation AND l.destination = o.destination AND l.seq > o.seq)
			ORDER BY ended, id LIMIT $2)
		DELETE FROM outbox WHERE id IN (SELECT id FROM old) RETURNING ended`,
	// Written in the order of ids, nearly: no index by time is kept for this alone.
	Trail: `WITH first AS MATERIALIZED (SELECT id, at FROM audit_trail ORDER BY id LIMIT $2)
		DELETE FROM audit_trail WHERE id IN (SELECT id FROM first WHERE at < $1) RETURNING at`,
	PresenceChanges: `WITH old AS MATERIALIZED (SELECT id FROM presence_log p WHERE at < $1
			AND EXISTS (SELECT 1 FROM presence_log l WHERE l.email = p.email AND l.id > p.id AND l.at < $1) ORDER BY at, id LIMIT $2)
		DELETE FROM presence_log WHERE id IN (SELECT id FROM old) RETURNING at`,
	Spans: `WITH old AS MATERIALIZED (SELECT conversation, number FROM handoffs WHERE ended < $1 ORDER BY ended LIMIT $2)
		DELETE FROM handoffs WHERE (conversation, number) IN (SELECT conversation, number FROM old) RETURNING ended`,
}

func (w tx) Trim(what Record, before time.Time, limit int) (more bool, err error) {
	more, err = w.trim(what, before.UnixNano(), max(limit, 1))
	return more, w.note("remove what is old of", string(what), err)
}

func (w tx) trim(what Record, before int64, limit int) (more bool, err error) {
	var done int64
	err = w.one(&done, `SELECT before FROM trimmed WHERE what = $1`+w.skipLocked, string(what))
	if errors.Is(err, ErrNotFound) { // another replica is at it
		return false, nil
	}
	args := []any{before, limit}
	if what == Delivered {
		args = append(args, done)
	}
	removed, upTo := 0, done
	if err == nil {
		err = w.each(func(scan func(...any) error) error {
			var at int64
			err := scan(&at)
			removed, upTo = removed+1, max(upTo, at)
			return err
		}, trims[what], args...)
	}
	if err != nil {
		return false, err
	}
	if more = removed == limit; !more || what != Delivered {
		upTo = max(before, done)
	}
	if upTo == done {
		w.writing.wrote = w.writing.wrote || removed > 0
		return more, nil
	}
	return more, w.exec(`UPDATE trimmed SET before = $2 WHERE what = $1`, string(what), upTo)
}

func (r reader) Begins(what Record) (time.Time, error) {
	var before int64
	if err := r.one(&before, `SELECT before FROM trimmed WHERE what = $1`, string(what)); err != nil {
		return time.Time{}, fmt.Errorf("read since when %s is kept: %w", what, err)
	}
	if before == 0 {
		return time.Time{}, nil
	}
	return time.Unix(0, before).UTC(), nil
}
