package store

import (
	"database/sql"
	"encoding/json"

	"fmt"
	"time"
)

// Message is one thing to do outside, for a conversation.
type Message struct {
	Conversation string
	// Destination says who gets it: webhook/NAME, helpdesk/NAME or line/NAME.
	Destination string
	// Kind says what it is to the destination, such as an event's name.
	Kind    string
	Payload json.RawMessage
	At      time.Time
}

// DeliveryState says how far a Delivery is.
type DeliveryState string

// The values of DeliveryState.
const (
	// DeliveryPending: it waits for its turn, or for its next attempt.
	DeliveryPending DeliveryState = "pending"
	// DeliveryDone: the destination has it. Its payload is not kept.
	DeliveryDone DeliveryState = "delivered"
	// DeliveryDead: it was given up, and waits for a human to replay it.
	DeliveryDead DeliveryState = "dead"
)

// Delivery is a Message in the outbox.
type Delivery struct {
	ID int64
	Message
	// Seq counts the messages of one conversation to one destination from 1, without gaps.
	Seq int64
	// Key is the same at every attempt, and no other message's.
	Key   string
	State DeliveryState
	// Since is when the attempts began: At, or when it was replayed.
	Since time.Time
	// Due is when it may be tried; zero while others of the conversation to the destination come before it.
	Due      time.Time
	Attempts int
	// Error of the last attempt.
	Error string
	// Remote is the id of what it became at the destination, where that gives ids.
	Remote string
	// Ended is when it was delivered or given up.
	Ended time.Time
}

// Level is how much of the outbox is in one state, for one destination.
type Level struct {
	Destination string
	State       DeliveryState
	Count       int
	// Oldest is when the oldest of these was written.
	Oldest time.Time
}

const (
	deliveryColumns = `id, conversation, destination, seq, kind, key, payload, state, created, since, due, attempts, error, remote, ended`
	queryClaimable  = `SELECT ` + deliveryColumns + ` FROM outbox WHERE destination = $1 AND due <= $2 ORDER BY due, id LIMIT $3`
	// queryDue goes from destination to destination along the index and reads the first of each: what waits behind it
	// costs nothing.
	queryDue = `WITH RECURSIVE destinations (name) AS (
			SELECT (SELECT min(destination) FROM outbox WHERE due IS NOT NULL)
			UNION ALL SELECT (SELECT min(destination) FROM outbox WHERE due IS NOT NULL AND destination > name)
			FROM destinations WHERE name IS NOT NULL)
		SELECT name, (SELECT min(due) FROM outbox WHERE due IS NOT NULL AND destination = name) FROM destinations WHERE name IS NOT NULL`
	queryLevels = `SELECT destination, state, count(*), min(created) FROM outbox WHERE state <> 'delivered' GROUP BY destination, state`
	// queryPromote lets the first that waits be tried, unless one of the same stream is.
	queryPromote = `UPDATE outbox SET due = $3 WHERE id = (SELECT id FROM outbox
			WHERE conversation = $1 AND destination = $2 AND state = 'pending' ORDER BY seq LIMIT 1)
		AND NOT EXISTS (SELECT 1 FROM outbox
			WHERE conversation = $1 AND destination = $2 AND state = 'pending' AND due IS NOT NULL) RETURNING id`
)

func (w tx) Enqueue(m Message) error {
	return w.note("put into the outbox for", m.Destination, w.enqueue(m))
}

func (w tx) enqueue(m Message) error {
	var seq int64
	var ended sql.NullInt64
	waits := false
	err := w.each(func(scan func(...any) error) error {
		var state DeliveryState
		err := scan(&seq, &state, &ended)
		waits = state == DeliveryPending
		return err
	}, `SELECT seq, state, ended FROM outbox WHERE conversation = $1 AND destination = $2 ORDER BY seq DESC LIMIT 1`, m.Conversation, m.Destination)
	if err == nil && ended.Valid && m.At.Sub(fromNanos(ended)) > DeliveredFor { // Trim has left it, as the last
		err = w.exec(`DELETE FROM outbox WHERE conversation = $1 AND destination = $2 AND state = 'delivered'
			AND ended < (SELECT before FROM trimmed WHERE what = 'outbox')`, m.Conversation, m.Destination)
	}
	if err != nil {
		return err
	}
	due := any(m.At.UnixNano())
	if waits {
		due = nil
	} else {
		w.writing.wake.Outbox = true
	}
	key := fmt.Sprintf("%s/%s/%d", m.Conversation, m.Destination, seq+1)
	return w.exec(`INSERT INTO outbox (conversation, destination, seq, kind, key, payload, state, created, since, due)
		VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7, $8)`,
		m.Conversation, m.Destination, seq+1, m.Kind, key, string(m.Payload), m.At.UnixNano(), due)
}

func (w tx) ClaimOutbox(destination string, limit int, lease time.Duration) ([]Delivery, error) {
	now, err := w.Now()
	if err != nil {
		return nil, w.note("claim from the outbox for", destination, err)
	}
	claimed, err := w.deliveries(queryClaimable+w.skipLocked, destination, now.UnixNano(), max(limit, 0))
	for i := range claimed {
		d := &claimed[i]
		d.Due, d.Attempts = now.Add(lease), d.Attempts+1
		if err == nil {
			err = w.exec(`UPDATE outbox SET due = $2, attempts = $3 WHERE id = $1`, d.ID, d.Due.UnixNano(), d.Attempts)
		}
	}
	return claimed, w.note("claim from the outbox for", destination, err)
}

func (w tx) Delivered(d Delivery, remote string) error {
	return w.settle(d, `state = 'delivered', payload = '', error = '', due = NULL, remote = $3, ended = $4`,
		func(now time.Time) []any { return []any{orNull(remote), now.UnixNano()} })
}

func (w tx) Retry(d Delivery, why string, at time.Time) error {
	return w.settle(d, `error = $3, due = $4`, func(time.Time) []any { return []any{why, at.UnixNano()} })
}

func (w tx) GiveUp(d Delivery, why string) error {
	return w.settle(d, `state = 'dead', error = $3, due = NULL, ended = $4`,
		func(now time.Time) []any { return []any{why, now.UnixNano()} })
}

// settle ends an attempt, unless it is not the last one any more, and lets the next of the stream be tried. It takes the
// lock of the conversation, under which its messages are written.
func (w tx) settle(d Delivery, set string, args func(now time.Time) []any) error {
	now, err := w.Now()
	if err == nil {
		_, err = w.position(d.Conversation)
	}
	if err == nil {
		err = w.exec(`UPDATE outbox SET `+set+` WHERE id = $1 AND attempts = $2 AND state = 'pending'`,
			append([]any{d.ID, d.Attempts}, args(now)...)...)
	}
	if err == nil {
		err = w.promote(d.Conversation, d.Destination, now)
	}
	return w.note("end an attempt of the outbox for", d.Destination, err)
}

func (w tx) promote(conversation, destination string, now time.Time) error {
	return w.each(func(scan func(...any) error) error {
		var id int64
		w.writing.wrote, w.writing.wake.Outbox = true, true
		return scan(&id)
	}, queryPromote, conversation, destination, now.UnixNano())
}

func (w tx) Replay(id int64) error {
	dead, err := w.deliveries(`SELECT `+deliveryColumns+` FROM outbox WHERE id = $1 AND state = 'dead'`, id)
	if err == nil && len(dead) == 0 {
		return fmt.Errorf("dead letter %d: %w", id, ErrNotFound)
	}
	if err == nil {
		err = w.replay(dead[0])
	}
	return w.note("replay", fmt.Sprint("dead letter ", id), err)
}

func (w tx) replay(d Delivery) error {
	now, err := w.Now()
	if err != nil {
		return err
	}
	if _, err := w.position(d.Conversation); err != nil {
		return err
	}
	err = w.exec(`UPDATE outbox SET state = 'pending', since = $2, attempts = 0, error = '', ended = NULL
		WHERE id = $1 AND state = 'dead'`, d.ID, now.UnixNano())
	if err != nil {
		return err
	}
	return w.promote(d.Conversation, d.Destination, now)
}

func (r reader) OutboxDue() (map[string]time.Time, error) {
	due := map[string]time.Time{}
	err := r.each(func(scan func(...any) error) error {
		var destination string
		var at sql.NullInt64
		err := scan(&destination, &at)
		if at.Valid {
			due[destination] = fromNanos(at)
		}
		return err
	}, queryDue)
	if err != nil {
		return nil, fmt.Errorf("read when the outbox is due: %w", err)
	}
	return due, nil
}

func (r reader) OutboxLevels() (levels []Level, err error) {
	err = r.each(func(scan func(...any) error) error {
		var l Level
		var oldest int64
		err := scan(&l.Destination, &l.State, &l.Count, &oldest)
		l.Oldest = time.Unix(0, oldest).UTC()
		levels = append(levels, l)
		return err
	}, queryLevels)
	if err != nil {
		return nil, fmt.Errorf("read how full the outbox is: %w", err)
	}
	return levels, nil
}

func (r reader) DeadLetters(after int64, limit int) ([]Delivery, error) {
	dead, err := r.deliveries(`SELECT `+deliveryColumns+` FROM outbox WHERE state = 'dead' AND id > $1 ORDER BY id LIMIT $2`, after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read the dead letters: %w", err)
	}
	return dead, nil
}

func (r reader) Deliveries(conversation string) ([]Delivery, error) {
	all, err := r.deliveries(`SELECT `+deliveryColumns+` FROM outbox WHERE conversation = $1 ORDER BY destination, seq`, conversation)
	if err != nil {
		return nil, fmt.Errorf("read the outbox of conversation %s: %w", conversation, err)
	}
	return all, nil
}

func (r reader) SentAs(destination, remote string) (Delivery, error) {
	found, err := r.deliveries(`SELECT `+deliveryColumns+` FROM outbox WHERE destination = $1 AND remote = $2`, destination, remote)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("look for %q of %s in the outbox: %w", remote, destination, err)
	}
	return found[0], nil
}

func (r reader) deliveries(query string, args ...any) (all []Delivery, err error) {
	err = r.each(func(scan func(...any) error) error {
		var d Delivery
		var payload string
		var created, since int64
		var due, ended sql.NullInt64
		var remote sql.NullString
		err := scan(&d.ID, &d.Conversation, &d.Destination, &d.Seq, &d.Kind, &d.Key, &payload, &d.State, &created, &since,
			&due, &d.Attempts, &d.Error, &remote, &ended)
		d.Payload, d.Remote = json.RawMessage(payload), remote.String
		d.At, d.Since, d.Due, d.Ended = time.Unix(0, created).UTC(), time.Unix(0, since).UTC(), fromNanos(due), fromNanos(ended)
		all = append(all, d)
		return err
	}, query, args...)
	return all, err
}

// erasedPayload stands for what was erased. The message itself stays, so that no number is missing.
const erasedPayload = `[{"erased":true}]`

// eraseOutbox takes what people wrote out of a conversation's messages.
func (w tx) eraseOutbox(conversation string) error {
	return w.exec(`UPDATE outbox SET payload = $2 WHERE conversation = $1 AND state <> 'delivered'`, conversation, erasedPayload)
}
