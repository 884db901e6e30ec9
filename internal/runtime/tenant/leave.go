package tenant

import (
	"context"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Leave notes that the customer went away. If a question is open that the AI owes an answer to, or had none for, a human
// follows it up. A customer who has left already, and a closed conversation, stay as they are.
func (t *Tenant) Leave(ctx context.Context, id string) (out conversation.Conversation, err error) {
	in, err := t.inputs()
	if err != nil {
		return out, err
	}
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		if out = c; c.Owner.Kind == conversation.OwnerNobody || !c.LeftAt.IsZero() {
			return nil
		}
		if !c.QuestionOpen() || in.table.Policy == nil {
			change, err := c.CustomerLeaves(now)
			if err != nil {
				return err
			}
			out = change.Conversation
			return save(change)
		}
		h, cut, err := handoffOf(tx, c, in, v1alpha1.HandoffCustomerLeft)
		if err != nil {
			return err
		}
		out, err = enqueue(tx, in.table, c, h, now, save, func(h conversation.Handoff, told []string) (conversation.Change, error) {
			return c.FollowUp(h, cut, told, now)
		})
		return err
	})
	return out, err
}

// ComeBack notes that a customer who left is back. A message says so too.
func (t *Tenant) ComeBack(ctx context.Context, id string) (out conversation.Conversation, err error) {
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		if out = c; c.Owner.Kind == conversation.OwnerNobody || c.LeftAt.IsZero() {
			return nil
		}
		change, err := c.CustomerReturns(now)
		if err != nil {
			return err
		}
		out = change.Conversation
		return save(change)
	})
	return out, err
}
