package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

const (
	// The lock of the conversation is taken before that of its deadline, as every other writer does.
	queryDueOfConversation = `SELECT d.kind, d.conversation, '', d.due FROM conversations c
		JOIN deadlines d ON d.conversation = c.id WHERE d.due <= $1 ORDER BY d.due LIMIT $2`
	queryDueOfAgent = `SELECT kind, '', agent, due FROM deadlines WHERE due <= $1 AND agent IS NOT NULL ORDER BY due LIMIT $2`
)

func (w tx) Claim(ids ...string) ([]conversation.Conversation, error) {
	claimed, err := bodies[conversation.Conversation](w.reader,
		`SELECT body `+waiting+` AND `+w.in("id")+` ORDER BY id`+w.skipLocked, w.list(ids))
	if err != nil {
		return nil, fmt.Errorf("claim from the queue: %w", err)
	}
	for _, c := range claimed {
		w.writing.lock(c)
	}
	return claimed, nil
}

func (w tx) Touched() []string { return sorted(w.writing.touched) }

// touch notes that an agent's row was written.
func (w *writing) touch(email string) {
	if w.touched == nil {
		w.touched = map[string]bool{}
	}
	w.touched[email] = true
	if !slices.Contains(w.wake.Agents, email) {
		w.wake.Agents = append(w.wake.Agents, email)
	}
}

func (w tx) Agents(emails ...string) (map[string]Agent, error) {
	emails = slices.Compact(slices.Sorted(slices.Values(emails)))
	found, err := w.lockAgents(emails)
	if err == nil && len(found) < len(emails) {
		for _, email := range emails {
			if _, ok := found[email]; !ok && err == nil {
				err = w.exec(`INSERT INTO agents (email) VALUES ($1) ON CONFLICT (email) DO NOTHING`, email)
			}
		}
		if err == nil {
			found, err = w.lockAgents(emails)
		}
	}
	return found, w.note("lock agents", fmt.Sprint(emails), err)
}

func (w tx) lockAgents(emails []string) (map[string]Agent, error) {
	found := map[string]Agent{}
	err := w.agents(func(a Agent) { found[a.Presence.Email] = a },
		`WHERE `+w.in("email")+` ORDER BY email`+w.forUpdate, w.list(emails))
	return found, err
}

func (w tx) SetDeadline(d Deadline) error {
	return w.note("set deadline "+string(d.Kind)+" of", d.Conversation+d.Agent, w.setDeadline(d))
}

func (w tx) setDeadline(d Deadline) error {
	w.writing.wake.Queue = true
	column, subject := d.subject()
	if d.Due.IsZero() {
		return w.exec(`DELETE FROM deadlines WHERE `+column+` = $1 AND kind = $2`, subject, string(d.Kind))
	}
	return w.put(statement{query: `INSERT INTO deadlines (` + column + `, kind, due) VALUES ($1, $2, $3)
		ON CONFLICT (` + column + `, kind) DO UPDATE SET due = excluded.due`,
		args: []any{subject, string(d.Kind), d.Due.UnixNano()}, constraint: knownConversation,
		means: func() error { return ErrNotFound }})
}

func (w tx) ClaimDeadlines(limit int) ([]Deadline, error) {
	now, err := w.Now()
	if err != nil {
		return nil, w.note("claim", "deadlines", err)
	}
	due, err := w.due(queryDueOfConversation+w.skipLocked, now, limit)
	for _, d := range due {
		d.Due = time.Time{}
		if err == nil {
			err = w.setDeadline(d)
		}
	}
	if err != nil {
		return nil, w.note("claim", "deadlines", err)
	}
	return due, nil
}

func (w tx) TakeDeadline(d Deadline) (bool, error) {
	now, err := w.Now()
	column, subject := d.subject()
	var kind string
	if err == nil {
		err = w.one(&kind, `DELETE FROM deadlines WHERE `+column+` = $1 AND kind = $2 AND due <= $3 RETURNING kind`,
			subject, string(d.Kind), now.UnixNano())
	}
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	w.writing.wrote = true
	return err == nil, w.note("take deadline "+string(d.Kind)+" of", subject, err)
}

// due reads deadlines with a query that selects kind, conversation, agent and time.
func (r reader) due(query string, now time.Time, limit int) (due []Deadline, err error) {
	err = r.each(func(scan func(...any) error) error {
		var d Deadline
		var at int64
		err := scan(&d.Kind, &d.Conversation, &d.Agent, &at)
		d.Due = time.Unix(0, at).UTC()
		due = append(due, d)
		return err
	}, query, now.UnixNano(), max(limit, 0))
	return due, err
}

func (r reader) DueOfAgents(limit int) ([]Deadline, error) {
	now, err := r.Now()
	if err != nil {
		return nil, err
	}
	due, err := r.due(queryDueOfAgent, now, limit)
	if err != nil {
		return nil, fmt.Errorf("read what is due of agents: %w", err)
	}
	return due, nil
}

// subject is the column that says whose a deadline is, and its value.
func (d Deadline) subject() (column, value string) {
	if d.Agent != "" {
		return "agent", d.Agent
	}
	return "conversation", d.Conversation
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
