package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// wrapUpAfter is the wrap-up of the agent who lets go of a conversation, or nil if its units are free at once.
func wrapUpAfter(tb *routing.Table, c conversation.Conversation, now time.Time) *conversation.WrapUp {
	a, known := tb.AgentByEmail(c.Owner.ID)
	d := tb.WrapUp(c.Pool, c.Owner.ID)
	if !known || d == 0 || c.Cost == 0 {
		return nil
	}
	return &conversation.WrapUp{Agent: person(a), Pool: c.Pool, Over: c.AnswerBy(), Units: c.Cost, Since: now.Add(-c.Worked(now)), Until: now.Add(d)}
}

// finish saves a change with which an agent lets go of a conversation, whose units stay taken during a wrap-up.
func finish(change conversation.Change, w *conversation.WrapUp, now time.Time, save func(conversation.Change) error) (conversation.Conversation, error) {
	if w == nil {
		return change.Conversation, save(change)
	}
	change.Handled = nil // goes on with the wrap-up
	if err := save(change); err != nil {
		return change.Conversation, err
	}
	begun, err := change.Conversation.BeginWrapUp(*w, now)
	if err != nil {
		return change.Conversation, err
	}
	return begun.Conversation, save(begun)
}

// endWrapUp gives the units of a wrap-up free.
func endWrapUp(tx store.Tx, c conversation.Conversation, w store.WrapUp, now time.Time, save func(conversation.Change) error) (conversation.Conversation, error) {
	change, err := c.EndWrapUp(w.WrapUp, now)
	if err != nil {
		return c, err
	}
	if err := tx.Touch(w.Agent.Email, now); err != nil {
		return c, err
	}
	return change.Conversation, save(change)
}

// endWrapUpOf ends the wrap-up of one agent after a conversation, if it goes on.
func endWrapUpOf(tx store.Tx, c conversation.Conversation, email string, now time.Time, save func(conversation.Change) error) (conversation.Conversation, error) {
	all, err := tx.WrapUps(c.ID)
	for _, w := range all {
		if err == nil && w.Agent.Email == email {
			c, err = endWrapUp(tx, c, w, now, save)
		}
	}
	return c, err
}

// meetWrapUps ends the wrap-ups after a conversation whose time is up.
func (d dueWork) meetWrapUps() error {
	c, err := d.tx.Conversation(d.Conversation)
	if err != nil {
		return err
	}
	all, err := d.tx.WrapUps(c.ID)
	for _, w := range all {
		if err != nil {
			return err
		}
		if d.now.Before(w.Until) { // so do those after it
			_, err = d.early(w.Until)
			return err
		}
		c, err = endWrapUp(d.tx, c, w, d.now, d.save)
	}
	return err
}

// EndWrapUp ends an agent's wrap-up before its time. One that is over already is no mistake.
func (t *Tenant) EndWrapUp(ctx context.Context, id string, a routing.Agent) (out conversation.Conversation, err error) {
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		if out, err = tx.Conversation(id); err != nil {
			return fmt.Errorf("conversation %s: %w", id, err)
		}
		if _, err := tx.Agents(a.Email); err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		out, err = endWrapUpOf(tx, out, a.Email, now, save)
		return err
	})
	return out, err
}
