package store

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

const (
	queryClaimWaiting = `SELECT body ` + waiting + ` AND (waiting_since, id) > ($1, $2) ORDER BY waiting_since, id LIMIT $3`
	// The lock of the conversation or agent is taken before that of its deadline, as every other writer does.
	queryDueOfConversation = `SELECT d.kind, d.conversation, '', d.due FROM conversations c
		JOIN deadlines d ON d.conversation = c.id WHERE d.due <= $1 ORDER BY d.due LIMIT $2`
	queryDueOfAgent = `SELECT d.kind, '', d.agent, d.due FROM agents a
		JOIN deadlines d ON d.agent = a.email WHERE d.due <= $1 ORDER BY d.due LIMIT $2`
)

func (w tx) ClaimWaiting(after conversation.Conversation, limit int) ([]conversation.Conversation, error) {
	since := int64(math.MinInt64)
	if after.ID != "" {
		since = waitingSince(after).UnixNano()
	}
	claimed, err := bodies[conversation.Conversation](w.reader, queryClaimWaiting+w.skipLocked, since, after.ID, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("claim from the queue: %w", err)
	}
	for _, c := range claimed {
		w.writing.lock(c)
	}
	return claimed, nil
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
		`WHERE `+w.emailIn+` ORDER BY email`+w.forUpdate, w.list(emails))
	return found, err
}

func (w tx) SetDeadline(d Deadline) error {
	return w.note("set deadline "+string(d.Kind)+" of", d.Conversation+d.Agent, w.setDeadline(d))
}

func (w tx) setDeadline(d Deadline) error {
	w.writing.wake.Queue = true
	column, subject := "conversation", d.Conversation
	if d.Agent != "" {
		column, subject = "agent", d.Agent
	}
	if d.Due.IsZero() {
		return w.exec(`DELETE FROM deadlines WHERE `+column+` = $1 AND kind = $2`, subject, string(d.Kind))
	}
	err := w.exec(`INSERT INTO deadlines (`+column+`, kind, due) VALUES ($1, $2, $3)
		ON CONFLICT (`+column+`, kind) DO UPDATE SET due = excluded.due`, subject, string(d.Kind), d.Due.UnixNano())
	if w.violates(err, knownConversation) {
		return ErrNotFound
	}
	return err
}

func (w tx) ClaimDeadlines(limit int) ([]Deadline, error) {
	now, err := w.Now()
	if err != nil {
		return nil, w.note("claim", "deadlines", err)
	}
	var due []Deadline
	for _, query := range []string{queryDueOfConversation, queryDueOfAgent} {
		if err := w.claimDue(&due, query, now, max(limit, 0)-len(due)); err != nil {
			return nil, w.note("claim", "deadlines", err)
		}
	}
	return due, nil
}

func (w tx) claimDue(due *[]Deadline, query string, now time.Time, limit int) error {
	known := len(*due)
	err := w.each(func(scan func(...any) error) error {
		var d Deadline
		var at int64
		err := scan(&d.Kind, &d.Conversation, &d.Agent, &at)
		d.Due = time.Unix(0, at).UTC()
		*due = append(*due, d)
		return err
	}, query+w.skipLocked, now.UnixNano(), limit)
	for _, d := range (*due)[known:] {
		d.Due = time.Time{}
		if err == nil {
			err = w.setDeadline(d)
		}
	}
	return err
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
