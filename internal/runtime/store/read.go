package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// The queries over all conversations. Each reads along an index that holds only the rows it is for.
const (
	waiting         = `FROM conversations WHERE owner_kind = 'Queue' AND offer_expires IS NULL`
	queryWaiting    = `SELECT body ` + waiting + ` ORDER BY waiting_since, id LIMIT $1 OFFSET $2`
	queryNWaiting   = `SELECT count(*) ` + waiting
	queryNAhead     = queryNWaiting + ` AND (waiting_since, id) < ($1, $2)`
	queryOffered    = `SELECT body FROM conversations WHERE offer_expires IS NOT NULL ORDER BY offer_expires, id`
	queryHeld       = `SELECT body FROM conversations WHERE holder = $1 ORDER BY waiting_since, id`
	queryOfCustomer = `SELECT body FROM conversations WHERE customer = $1`
	queryMerged     = `SELECT id FROM conversations WHERE merged_into = $1 ORDER BY id`
	queryOwing      = `SELECT id FROM conversations c WHERE pending IS NOT NULL AND NOT EXISTS (SELECT 1 FROM turns t
		JOIN leases l ON l.name = '` + replicaLease + `' || t.replica WHERE t.conversation = c.id AND l.until > $1) ORDER BY id`
	queryByClientID = `SELECT body FROM events WHERE conversation = $1 AND author_kind = $2 AND client_id = $3`
	queryNextDue    = `SELECT min(due) FROM deadlines`
	queryNWorking   = `SELECT count(*) FROM agents a WHERE state = '` + string(Online) + `' AND (
		EXISTS (SELECT 1 FROM wrap_ups w WHERE w.email = a.email)
		OR EXISTS (SELECT 1 FROM conversations c WHERE c.holder = a.email AND c.owner_kind = 'Agent' AND NOT EXISTS (
			SELECT 1 FROM deadlines d WHERE d.conversation = c.id AND d.kind = '` + string(DeadlineSnooze) + `')))`
)

// reader is the Reader of one transaction, and lives as long as that.
type reader struct {
	ctx context.Context
	session
	*dialect
	// clock is nil where the database's own is asked.
	clock func() time.Time
	// writing is nil in a View.
	writing *writing
}

// writing is what a write transaction has come to.
type writing struct {
	// err is the first failure; described says that it tells what was being done.
	err       error
	described bool
	// wrote says that there is something to commit.
	wrote bool
	// pending are the statements that were not sent yet, of which the first named are described; rows has where among them
	// a row is written that may be written again.
	pending []statement
	named   int
	rows    map[string]int
	wake    Wake
	// locked has where the conversations stand whose lock the transaction holds: nobody else can move them.
	locked map[string]position
	// touched has the agents whose row was written.
	touched map[string]bool
}

// lock notes a conversation as it was read or written under its lock. In a View there is nothing to note.
func (w *writing) lock(c conversation.Conversation) {
	if w == nil {
		return
	}
	if w.locked == nil {
		w.locked = map[string]position{}
	}
	w.locked[c.ID] = positionOf(c)
}

func (r reader) Now() (time.Time, error) {
	if r.clock != nil {
		return r.clock().UTC(), nil
	}
	var micros int64
	if err := r.one(&micros, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`); err != nil {
		return time.Time{}, fmt.Errorf("read the database's time: %w", err)
	}
	return time.UnixMicro(micros).UTC(), nil
}

func (r reader) Conversation(id string) (c conversation.Conversation, err error) {
	query := `SELECT body FROM conversations WHERE id = $1`
	if r.writing != nil {
		query += r.forUpdate
	}
	var body []byte
	err = r.one(&body, query, id)
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	if err != nil {
		return c, fmt.Errorf("read conversation %s: %w", id, err)
	}
	r.writing.lock(c)
	return c, nil
}

func (r reader) TokenHash(id string) (hash []byte, err error) {
	if err := r.one(&hash, `SELECT token_hash FROM conversations WHERE id = $1`, id); err != nil {
		return nil, fmt.Errorf("read the token's hash of conversation %s: %w", id, err)
	}
	return hash, nil
}

func (r reader) Events(id string, after int64, limit int) ([]conversation.Event, error) {
	events, err := bodies[conversation.Event](r,
		`SELECT body FROM events WHERE conversation = $1 AND seq > $2 ORDER BY seq LIMIT $3`, id, after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read events of conversation %s after %d: %w", id, after, err)
	}
	return events, nil
}

func (r reader) EventByClientID(id string, author conversation.AuthorKind, clientID string) (conversation.Event, bool, error) {
	events, err := bodies[conversation.Event](r, queryByClientID, id, string(author), clientID)
	if err != nil {
		return conversation.Event{}, false, fmt.Errorf("look for client id %q in conversation %s: %w", clientID, id, err)
	}
	if len(events) == 0 {
		return conversation.Event{}, false, nil
	}
	return events[0], true, nil
}

func (r reader) Waiting(skip, limit int) ([]conversation.Conversation, error) {
	queue, err := bodies[conversation.Conversation](r, queryWaiting, max(limit, 0), skip)
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	return queue, nil
}

func (r reader) CountWaiting() (n int, err error) {
	if err := r.one(&n, queryNWaiting); err != nil {
		return 0, fmt.Errorf("count the queue: %w", err)
	}
	return n, nil
}

func (r reader) CountOnline() (online, working int, err error) {
	err = r.one(&online, `SELECT count(*) FROM agents WHERE state = '`+string(Online)+`'`)
	if err == nil {
		err = r.one(&working, queryNWorking)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("count who is online: %w", err)
	}
	return online, working, nil
}

func (r reader) CountAhead(c conversation.Conversation) (n int, err error) {
	if err := r.one(&n, queryNAhead, waitingSince(c).UnixNano(), c.ID); err != nil {
		return 0, fmt.Errorf("count the queue ahead of conversation %s: %w", c.ID, err)
	}
	return n, nil
}

func (r reader) Offered() ([]conversation.Conversation, error) {
	offered, err := bodies[conversation.Conversation](r, queryOffered)
	if err != nil {
		return nil, fmt.Errorf("read the open offers: %w", err)
	}
	return offered, nil
}

func (r reader) OwnedBy(email string) ([]conversation.Conversation, error) {
	owned, err := bodies[conversation.Conversation](r, queryHeld, email)
	if err != nil {
		return nil, fmt.Errorf("read the conversations of agent %s: %w", email, err)
	}
	return owned, nil
}

func (r reader) OfCustomer(key string) ([]conversation.Conversation, error) {
	all, err := bodies[conversation.Conversation](r, queryOfCustomer, key)
	if err != nil {
		return nil, fmt.Errorf("read the conversations of a customer: %w", err)
	}
	slices.SortFunc(all, func(a, b conversation.Conversation) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(a.ID, b.ID))
	})
	return all, nil
}

func (r reader) MergedInto(id string) ([]string, error) {
	ids, err := r.ids(queryMerged, id)
	if err != nil {
		return nil, fmt.Errorf("read what was merged into conversation %s: %w", id, err)
	}
	return ids, nil
}

func (r reader) Owing() (ids []string, err error) {
	now, err := r.Now()
	if err == nil {
		ids, err = r.ids(queryOwing, now.UnixNano())
	}
	if err != nil {
		return nil, fmt.Errorf("read the conversations that wait for the AI: %w", err)
	}
	return ids, nil
}

// ids reads the only column of a query.
func (r reader) ids(query string, args ...any) (ids []string, err error) {
	err = r.each(func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, query, args...)
	return ids, err
}

func (r reader) Loads() (map[string]assign.Load, error) {
	loads := map[string]assign.Load{}
	err := r.agents(func(a Agent) { loads[a.Presence.Email] = a.Load }, `WHERE units <> 0 OR idle_since IS NOT NULL OR assigned_at IS NOT NULL`)
	if err != nil {
		return nil, fmt.Errorf("read the agents' loads: %w", err)
	}
	return loads, nil
}

func (r reader) Presences() (map[string]Presence, error) {
	presences := map[string]Presence{}
	err := r.agents(func(a Agent) { presences[a.Presence.Email] = a.Presence }, `WHERE state IS NOT NULL`)
	if err != nil {
		return nil, fmt.Errorf("read the agents' presence: %w", err)
	}
	return presences, nil
}

func (r reader) Presence(email string) (p Presence, err error) {
	p.Email = email
	err = r.agents(func(a Agent) { p = a.Presence }, `WHERE email = $1`, email)
	if err != nil {
		return p, fmt.Errorf("read the presence of agent %s: %w", email, err)
	}
	return p, nil
}

func (r reader) AgentStates(emails ...string) (map[string]Agent, error) {
	states := map[string]Agent{}
	where, args := ``, []any{}
	if len(emails) > 0 {
		where, args = `WHERE `+r.in("email"), []any{r.list(emails)}
	}
	if err := r.agents(func(a Agent) { states[a.Presence.Email] = a }, where, args...); err != nil {
		return nil, fmt.Errorf("read the agents' states: %w", err)
	}
	return states, nil
}

func (r reader) NextDeadline() (time.Time, error) {
	var due sql.NullInt64
	if err := r.one(&due, queryNextDue); err != nil {
		return time.Time{}, fmt.Errorf("read when the next deadline is due: %w", err)
	}
	return fromNanos(due), nil
}

// agents calls fn for every agent that a WHERE clause selects.
func (r reader) agents(fn func(Agent), where string, args ...any) error {
	return r.each(func(scan func(...any) error) error {
		var a Agent
		var state, reason sql.NullString
		var since, until, idle, assigned sql.NullInt64
		if err := scan(&a.Presence.Email, &state, &reason, &since, &until, &a.Presence.Missed, &idle, &a.Load.Units, &assigned); err != nil {
			return err
		}
		a.Presence.State, a.Presence.Reason = PresenceState(state.String), reason.String
		a.Presence.Since, a.Presence.Until = fromNanos(since), fromNanos(until)
		a.Load.IdleSince, a.Load.AssignedAt = fromNanos(idle), fromNanos(assigned)
		fn(a)
		return nil
	}, `SELECT email, state, reason, since, until, missed, idle_since, units, assigned_at FROM agents `+where, args...)
}

// one reads the only column of the only row, or returns ErrNotFound.
func (r reader) one(dest any, query string, args ...any) error {
	err := ErrNotFound
	if failed := r.each(func(scan func(...any) error) error {
		err = nil
		return scan(dest)
	}, query, args...); failed != nil {
		return failed
	}
	return err
}

// each calls fn for every row. Nothing is found by text that cannot be stored.
func (r reader) each(fn func(scan func(...any) error) error, query string, args ...any) error {
	if storable(args) != nil {
		return nil
	}
	w := r.writing
	if w == nil {
		return r.query(r.ctx, nil, query, args, fn)
	}
	if w.err == nil {
		before := w.pending
		w.pending, w.named, w.rows = nil, 0, nil
		w.err = r.query(r.ctx, before, query, args, fn)
	}
	return w.err
}

// bodies decodes the JSON of a query's only column.
func bodies[T any](r reader, query string, args ...any) (all []T, err error) {
	err = r.each(func(scan func(...any) error) error {
		var body []byte
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

// fromNanos returns the zero time for NULL.
func fromNanos(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64).UTC()
}
