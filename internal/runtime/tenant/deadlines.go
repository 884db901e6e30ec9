package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

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
		return w.offerMissed()
	case store.DeadlineSnooze:
		return endSnooze(w)
	case store.DeadlineReturn:
		return t.returnIdle(w)
	case store.DeadlineUnavailable:
		return w.meetUnavailable()
	case store.DeadlineWrapUp:
		return w.meetWrapUps()
	default:
		return leaveToOthers(w.tx, w.Deadline)
	}
}

// early says whether the conversation's deadline is still to come, and sets it again if so: the claim removed it.
func (w dueWork) early(due time.Time) (bool, error) {
	if !w.now.Before(due) {
		return false, nil
	}
	d := w.Deadline
	d.Due = due
	return true, w.tx.SetDeadline(d)
}

// meetDeadlines does all that is due. What fails keeps nothing else from being done.
func (t *Tenant) meetDeadlines(ctx context.Context, tb *routing.Table) error {
	return errors.Join(t.meetConversations(ctx, tb), t.meetAgents(ctx, tb))
}

// meetConversations does what is due of conversations, many in a transaction. Where one of them fails, each is done by
// itself until the one is found, which is put off.
func (t *Tenant) meetConversations(ctx context.Context, tb *routing.Table) error {
	for limit := queuePage; ; {
		due, err := t.meetSome(ctx, tb, limit)
		switch {
		case err == nil && len(due) < limit:
			return nil
		case err == nil:
		case len(due) > 1:
			limit = 1
		case len(due) == 1:
			if err := t.putOff(ctx, due[0], err); err != nil {
				return err
			}
			limit = queuePage
		default:
			return err
		}
	}
}

// meetAgents does what is due of agents, one after the other: their conversations have to be locked before them.
func (t *Tenant) meetAgents(ctx context.Context, tb *routing.Table) error {
	for {
		var due []store.Deadline
		if err := t.store.View(ctx, func(r store.Reader) (err error) {
			due, err = r.DueOfAgents(queuePage)
			return err
		}); err != nil {
			return err
		}
		for _, d := range due {
			if err := t.meetAgent(ctx, tb, d); err != nil {
				if err := t.putOff(ctx, d, err); err != nil {
					return err
				}
			}
		}
		if len(due) < queuePage {
			return nil
		}
	}
}

func (t *Tenant) meetAgent(ctx context.Context, tb *routing.Table, d store.Deadline) error {
	var lost bool
	err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) (err error) {
		defer t.survive(&err)
		switch d.Kind {
		case store.DeadlinePresence:
			lost, err = meetPresence(tx, tb, d.Agent, save)
			return err
		default:
			return leaveToOthers(tx, d)
		}
	})
	if lost && err == nil {
		t.metrics.agentsLost.Inc()
		t.log.Info("an agent was not heard of any more and is offline", "agent", d.Agent)
	}
	return err
}

// meetSome does some of what is due, and returns what it claimed. Another replica may do so at the same time: each takes
// what is left.
func (t *Tenant) meetSome(ctx context.Context, tb *routing.Table, limit int) (due []store.Deadline, err error) {
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) (err error) {
		defer t.survive(&err)
		if due, err = tx.ClaimDeadlines(limit); err != nil {
			return err
		}
		now, err := tx.Now() // after the claim: what was due then is due now
		if err != nil {
			return err
		}
		if err := lockAgentsOf(tx, due); err != nil {
			return err
		}
		for _, d := range due {
			if err := t.meet(dueWork{Deadline: d, tx: tx, table: tb, now: now, save: save}); err != nil {
				return err
			}
		}
		return nil
	})
	return due, err
}

// lockAgentsOf locks the agents who hold the conversations of deadlines, or wrap them up, all at once and so in their order.
func lockAgentsOf(tx store.Tx, due []store.Deadline) error {
	var emails []string
	for _, d := range due {
		c, err := tx.Conversation(d.Conversation)
		if err != nil {
			return err
		}
		switch {
		case c.Offer != nil:
			emails = append(emails, c.Offer.Agent.Email)
		case c.Owner.Kind == conversation.OwnerAgent:
			emails = append(emails, c.Owner.ID)
		}
		if d.Kind == store.DeadlineWrapUp {
			all, err := tx.WrapUps(c.ID)
			if err != nil {
				return err
			}
			for _, w := range all {
				emails = append(emails, w.Agent.Email)
			}
		}
	}
	if len(emails) == 0 {
		return nil
	}
	_, err := tx.Agents(emails...)
	return err
}

// offerMissed ends an offer whose time is up. Its agent let it pass.
func (w dueWork) offerMissed() error {
	c, err := w.tx.Conversation(w.Conversation)
	if err != nil || c.Offer == nil {
		return err
	}
	if early, err := w.early(c.Offer.ExpiresAt); early || err != nil {
		return err
	}
	away, err := missed(w.tx, w.table, *c.Offer, w.now)
	if err != nil {
		return err
	}
	change, err := c.OfferMissed(away, w.now)
	if err != nil {
		return err
	}
	return w.save(change)
}
