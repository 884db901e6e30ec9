package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// WrapUp is a wrap-up that goes on, and the conversation that it comes after.
type WrapUp struct {
	Conversation string `json:"conversation"`
	conversation.WrapUp
}

const (
	queryWrapUps   = `SELECT conversation, email, name, pool, channel_type, units, since, until FROM wrap_ups WHERE conversation = $1`
	queryWrapUpsOf = `SELECT conversation, email, name, pool, channel_type, units, since, until FROM wrap_ups WHERE email = $1`
)

func (r reader) WrapUps(conversation string) ([]WrapUp, error) {
	all, err := r.wrapUps(queryWrapUps, conversation)
	if err != nil {
		return nil, fmt.Errorf("read the wrap-ups after conversation %s: %w", conversation, err)
	}
	return all, nil
}

func (r reader) WrapUpsOf(email string) ([]WrapUp, error) {
	all, err := r.wrapUps(queryWrapUpsOf, email)
	if err != nil {
		return nil, fmt.Errorf("read the wrap-ups of agent %s: %w", email, err)
	}
	return all, nil
}

func (r reader) wrapUps(query string, args ...any) (all []WrapUp, err error) {
	err = r.each(func(scan func(...any) error) error {
		var u WrapUp
		var since, until int64
		err := scan(&u.Conversation, &u.Agent.Email, &u.Agent.Name, &u.Pool, &u.Over, &u.Units, &since, &until)
		u.Since, u.Until = time.Unix(0, since).UTC(), time.Unix(0, until).UTC()
		all = append(all, u)
		return err
	}, query, args...)
	slices.SortFunc(all, func(a, b WrapUp) int {
		return cmp.Or(a.Until.Compare(b.Until), cmp.Compare(a.Agent.Email, b.Agent.Email), cmp.Compare(a.Conversation, b.Conversation))
	})
	return all, err
}

// wrapUp keeps the wrap-up that begins with a change, or forgets the one that ends, and adds what that changes of the
// units which its agent holds.
func (w tx) wrapUp(c conversation.Change, delta map[string]int) error {
	u, id := c.WrapUp, c.Conversation.ID
	if u == nil {
		return nil
	}
	var err error
	if slices.ContainsFunc(c.Events, func(e conversation.Event) bool { return e.Type == conversation.EventWrapUp }) {
		delta[u.Agent.Email] += u.Units
		err = w.exec(`INSERT INTO wrap_ups (conversation, email, name, pool, channel_type, units, since, until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, id, u.Agent.Email, u.Agent.Name, u.Pool, string(u.Over), u.Units,
			u.Since.UnixNano(), u.Until.UnixNano())
	} else {
		delta[u.Agent.Email] -= u.Units
		var units int
		err = w.one(&units, `DELETE FROM wrap_ups WHERE conversation = $1 AND email = $2 RETURNING units`, id, u.Agent.Email)
	}
	if err != nil {
		return fmt.Errorf("wrap-up of %s: %w", u.Agent.Email, err)
	}
	left, err := w.WrapUps(id)
	if err != nil {
		return err
	}
	next := Deadline{Kind: DeadlineWrapUp, Conversation: id}
	if len(left) > 0 {
		next.Due = left[0].Until
	}
	return w.setDeadline(next)
}
