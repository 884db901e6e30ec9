package tenant

import (
	"context"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// leftToOthers is how long a deadline of a kind that this release does not know is left to a newer one beside it.
const leftToOthers = time.Minute

// dueWork is one deadline of a conversation, in the transaction that claimed it and holds the conversation's lock.
type dueWork struct {
	store.Deadline
	tx    store.Tx
	table *routing.Table
	// now is the store's time: one clock for all replicas.
	now  time.Time
	save func(conversation.Change) error
}

// meet does what a deadline of a conversation is for. What it is for may have gone since it was set, so each kind looks
// first whether there is still something to do.
func (t *Tenant) meet(w dueWork) error {
	switch w.Kind {
	case store.DeadlineOffer:
		return endOffer(w.tx, w.Conversation, w.now, func(conversation.Offer) bool { return true }, w.save)
	case store.DeadlineSnooze:
		return endSnooze(w)
	case store.DeadlineReturn:
		return t.returnIdle(w)
	default:
		w.Due = w.now.Add(leftToOthers)
		return w.tx.SetDeadline(w.Deadline)
	}
}

// meetDeadlines does all that is due, and ends the offers whose agent has left every pool.
func (t *Tenant) meetDeadlines(ctx context.Context, tb *routing.Table) error {
	if err := t.endOffersOfLeavers(ctx, tb); err != nil {
		return err
	}
	for more := true; more; {
		if err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) (err error) {
			more, err = t.meetSome(tx, tb, save)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// meetSome does some of what is due, and says whether there may be more. Another replica may do so at the same time:
// each takes what is left.
func (t *Tenant) meetSome(tx store.Tx, tb *routing.Table, save func(conversation.Change) error) (more bool, err error) {
	now, err := tx.Now()
	if err != nil {
		return false, err
	}
	due, err := tx.ClaimDeadlines(queuePage)
	if err != nil {
		return false, err
	}
	for _, d := range due {
		if err := t.meet(dueWork{Deadline: d, tx: tx, table: tb, now: now, save: save}); err != nil {
			return false, err
		}
	}
	return len(due) == queuePage, nil
}

// endOffersOfLeavers ends the offers whose agent has left every pool.
func (t *Tenant) endOffersOfLeavers(ctx context.Context, tb *routing.Table) error {
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
			now, err := tx.Now()
			if err != nil {
				return err
			}
			left := func(o conversation.Offer) bool { _, ok := tb.AgentByEmail(o.Agent.Email); return !ok }
			return endOffer(tx, id, now, left, save)
		}); err != nil {
			return err
		}
	}
	return nil
}

// endOffer ends an offer that fits, under the conversation's lock.
func endOffer(tx store.Tx, id string, now time.Time, fits func(conversation.Offer) bool, save func(conversation.Change) error) error {
	c, err := tx.Conversation(id)
	if err != nil || c.Offer == nil || !fits(*c.Offer) {
		return err
	}
	change, err := c.OfferExpires(now)
	if err != nil {
		return err
	}
	return save(change)
}
