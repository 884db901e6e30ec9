package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// maxSnooze keeps a slip in a date from putting a customer off for ever.
const maxSnooze = 366 * 24 * time.Hour

// Snooze puts an agent's conversation off until a time, or until the customer writes.
func (t *Tenant) Snooze(ctx context.Context, id string, a routing.Agent, until time.Time) (out conversation.Conversation, err error) {
	err = t.move(ctx, id, &out, func(_ store.Tx, c conversation.Conversation, now time.Time) (conversation.Change, error) {
		if latest := now.Add(maxSnooze); until.After(latest) {
			return conversation.Change{}, &Invalid{"until", fmt.Sprintf("%s is more than a year ahead; name a time before %s", until.Format(time.RFC3339), latest.Format(time.RFC3339))}
		}
		return c.Snooze(person(a), until.UTC(), now)
	})
	return out, err
}

// Wake ends a snooze before its time.
func (t *Tenant) Wake(ctx context.Context, id string, a routing.Agent) (out conversation.Conversation, err error) {
	err = t.move(ctx, id, &out, func(_ store.Tx, c conversation.Conversation, now time.Time) (conversation.Change, error) {
		p := person(a)
		return c.Wake(&p, now)
	})
	return out, err
}

// idle is how long a customer has to be silent after a human's message for the AI to take over; zero for ever.
func (t *Tenant) idle(c conversation.Conversation) time.Duration {
	in, err := t.inputs()
	if err != nil || in.table.Policy == nil {
		return 0
	}
	return in.table.Policy.ReturnToAI.CustomerIdle[c.AnswerBy()].Duration
}

// endSnooze wakes a conversation whose time has come.
func endSnooze(w dueWork) error {
	c, err := w.tx.Conversation(w.Conversation)
	if err != nil || c.SnoozedUntil.IsZero() {
		return err
	}
	if early, err := w.early(c.SnoozedUntil); early || err != nil {
		return err
	}
	change, err := c.Wake(nil, w.now)
	if err != nil {
		return err
	}
	if err := w.save(change); err != nil {
		return err
	}
	return ownerGone(w.tx, w.table, change.Conversation, w.now, w.save)
}

// returnIdle gives a conversation back to the AI whose customer has been silent for as long as the policy says; not where
// it does not say so any more.
func (t *Tenant) returnIdle(w dueWork) error {
	c, err := w.tx.Conversation(w.Conversation)
	if err != nil || c.ReturnAt.IsZero() || t.idle(c) == 0 {
		return err
	}
	if early, err := w.early(c.ReturnAt); early || err != nil {
		return err
	}
	events, err := w.tx.Events(c.ID, max(c.Window, c.Seq-maxWindow), maxWindow)
	if err != nil {
		return err
	}
	event := v1alpha1.MessageReturned
	if c.Bounced() {
		event = v1alpha1.MessageResolved
	}
	change, err := c.IdleReturn(humanPart(events), w.table.Text(event, languageOf(c), c.ChannelType, "", nil), w.now)
	if err != nil {
		return err
	}
	if err := w.tx.Touch(c.Owner.ID, w.now); err != nil {
		return err
	}
	return w.save(change)
}
