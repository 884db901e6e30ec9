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
		return w.offerMissed()
	case store.DeadlineSnooze:
		return endSnooze(w)
	case store.DeadlineReturn:
		return t.returnIdle(w)
	case store.DeadlineUnavailable:
		return w.meetUnavailable()
	case store.DeadlineWrapUp:
		return w.meetWrapUp()
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

// meetDeadlines does all that is due.
func (t *Tenant) meetDeadlines(ctx context.Context, tb *routing.Table) error {
	for more := true; more; {
		if err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) (err error) {
			more, err = t.meetSome(tx, tb, save)
			return err
		}); err != nil {
			return err
		}
	}
	return t.meetAgents(ctx, tb)
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
				return err
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

// leaveToOthers puts a deadline off of a kind that this release does not know.
func leaveToOthers(tx store.Tx, d store.Deadline) error {
	if d.Agent != "" {
		if _, err := tx.Agents(d.Agent); err != nil {
			return err
		}
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	d.Due = now.Add(leftToOthers)
	return tx.SetDeadline(d)
}

// meetSome does some of what is due, and says whether there may be more. Another replica may do so at the same time:
// each takes what is left.
func (t *Tenant) meetSome(tx store.Tx, tb *routing.Table, save func(conversation.Change) error) (more bool, err error) {
	due, err := tx.ClaimDeadlines(queuePage)
	if err != nil {
		return false, err
	}
	now, err := tx.Now() // after the claim: what was due then is due now
	if err != nil {
		return false, err
	}
	if err := lockAgentsOf(tx, due); err != nil {
		return false, err
	}
	for _, d := range due {
		if err := t.meet(dueWork{Deadline: d, tx: tx, table: tb, now: now, save: save}); err != nil {
			return false, err
		}
	}
	return len(due) == queuePage, nil
}

// lockAgentsOf locks the agents who hold the conversations of deadlines, all at once and so in their order.
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
		case c.WrapUp != nil:
			emails = append(emails, c.WrapUp.Agent.Email)
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
