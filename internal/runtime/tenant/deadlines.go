package tenant

import (
	"context"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// endOffers ends the offers that are due, and those whose agent has left every pool.
func (t *Tenant) endOffers(ctx context.Context, tb *routing.Table) error {
	var gone []string
	if err := t.store.View(ctx, func(r store.Reader) error {
		offered, err := r.Offered()
		for _, c := range offered {
			if _, ok := tb.AgentByEmail(c.Offer.Agent.Email); !ok {
				gone = append(gone, c.ID)
			}
		}
		return err
	}); err != nil {
		return err
	}
	for _, id := range gone {
		if err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
			return t.endOffer(tx, id, func(o conversation.Offer) bool { _, ok := tb.AgentByEmail(o.Agent.Email); return !ok }, save)
		}); err != nil {
			return err
		}
	}
	for more := true; more; {
		if err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) (err error) {
			more, err = t.endDue(tx, save)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// endDue ends some of the offers that are due, and says whether there may be more. Another replica may do so at the
// same time: each takes what is left.
func (t *Tenant) endDue(tx store.Tx, save func(conversation.Change) error) (more bool, err error) {
	due, err := tx.ClaimDeadlines(queuePage)
	if err != nil {
		return false, err
	}
	for _, d := range due {
		if err := t.endOffer(tx, d.Conversation, func(conversation.Offer) bool { return true }, save); err != nil {
			return false, err
		}
	}
	return len(due) == queuePage, nil
}

// endOffer ends an offer that fits, under the conversation's lock.
func (t *Tenant) endOffer(tx store.Tx, id string, fits func(conversation.Offer) bool, save func(conversation.Change) error) error {
	c, err := tx.Conversation(id)
	if err != nil || c.Offer == nil || !fits(*c.Offer) {
		return err
	}
	change, err := c.OfferExpires(t.clock.Now())
	if err != nil {
		return err
	}
	return save(change)
}
