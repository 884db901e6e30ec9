package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// finish notes that an agent has let go of a conversation: its units stay taken for as long as the pool's wrap-up, or
// are free at once.
func finish(tx store.Tx, tb *routing.Table, before, after conversation.Conversation, now time.Time, save func(conversation.Change) error) (conversation.Conversation, error) {
	a, known := tb.AgentByEmail(before.Owner.ID)
	wrapUp := tb.WrapUp(before.Pool, before.Owner.ID)
	if !known || wrapUp == 0 || before.Cost == 0 {
		return after, handled(tx, before.Pool, before, before.AssignedAt, now)
	}
	w := conversation.WrapUp{Agent: person(a), Pool: before.Pool, Units: before.Cost, Since: before.AssignedAt, Until: now.Add(wrapUp)}
	change, err := after.BeginWrapUp(w, now)
	if err != nil {
		return after, err
	}
	return change.Conversation, save(change)
}

// handled keeps how long a conversation took an agent's capacity.
func handled(tx store.Tx, pool string, c conversation.Conversation, since, now time.Time) error {
	if pool == "" || since.IsZero() {
		return nil
	}
	return tx.Handled(pool, c.AnswerBy(), now, now.Sub(since))
}

// endWrapUp gives the units of a wrap-up free.
func endWrapUp(tx store.Tx, c conversation.Conversation, now time.Time, save func(conversation.Change) error) (conversation.Conversation, error) {
	change, err := c.EndWrapUp(now)
	if err != nil {
		return c, err
	}
	if err := tx.Touch(c.WrapUp.Agent.Email, now); err != nil {
		return c, err
	}
	if err := save(change); err != nil {
		return c, err
	}
	return change.Conversation, handled(tx, c.WrapUp.Pool, c, c.WrapUp.Since, now)
}

// meetWrapUp ends a wrap-up whose time is up.
func (d dueWork) meetWrapUp() error {
	c, err := d.tx.Conversation(d.Conversation)
	if err != nil || c.WrapUp == nil {
		return err
	}
	if early, err := d.early(c.WrapUp.Until); early || err != nil {
		return err
	}
	_, err = endWrapUp(d.tx, c, d.now, d.save)
	return err
}

// EndWrapUp ends an agent's wrap-up before its time. One that is over already is no mistake.
func (t *Tenant) EndWrapUp(ctx context.Context, id string, a routing.Agent) (out conversation.Conversation, err error) {
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		if out, err = tx.Conversation(id); err != nil {
			return fmt.Errorf("conversation %s: %w", id, err)
		}
		if out.WrapUp == nil || out.WrapUp.Agent.Email != a.Email {
			return nil
		}
		if _, err := tx.Agents(a.Email); err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		out, err = endWrapUp(tx, out, now, save)
		return err
	})
	return out, err
}
