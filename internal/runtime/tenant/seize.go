package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// handoffOf describes the handoff of a conversation for a reason that nobody decides about, and what was seen of the AI's
// answer in progress, which is cut by the transition, or nil. The transaction has the conversation's lock.
func handoffOf(tx store.Tx, c conversation.Conversation, in *current, reason v1alpha1.HandoffReason) (h conversation.Handoff, cut *conversation.Cut, err error) {
	v := view{conv: c, in: in}
	if c.Owner.Kind == conversation.OwnerAI {
		if v.window, err = tx.Events(c.ID, max(c.Window, c.Seq-maxWindow), maxWindow); err != nil {
			return h, nil, err
		}
		if cut, err = cutOf(tx, c.ID); err != nil {
			return h, nil, err
		}
	}
	d := decide.Decide(in.table.Policy, decideInput(v))
	d.Reason = reason
	return describeHandoff(v, d), cut, nil
}

// locked locks a conversation, and returns the store's time since then: its log goes on at that time or later.
func locked(tx store.Tx, id string) (c conversation.Conversation, now time.Time, err error) {
	if c, err = tx.Conversation(id); err != nil {
		return c, now, fmt.Errorf("conversation %s: %w", id, err)
	}
	now, err = tx.Now()
	return c, now, err
}

// move saves one transition of a conversation.
func (t *Tenant) move(ctx context.Context, id string, out *conversation.Conversation, do func(store.Tx, conversation.Conversation, time.Time) (conversation.Change, error)) error {
	return t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		change, err := do(tx, c, now)
		if err != nil {
			return err
		}
		*out = change.Conversation
		return save(change)
	})
}

// enqueue saves a transition that puts a conversation into the queue as a handoff, and offers it at once where somebody
// can take it. The transition is given the handoff with its route and points, and what the customer is told; it is tried
// without them first.
func enqueue(tx store.Tx, tb *routing.Table, c conversation.Conversation, h conversation.Handoff, now time.Time,
	save func(conversation.Change) error, move func(h conversation.Handoff, told []string) (conversation.Change, error),
) (conversation.Conversation, error) {
	if _, err := move(h, nil); err != nil {
		return c, err // before anybody is chosen for it
	}
	p, err := place(tx, tb, c, h, now, save)
	if err != nil {
		return c, err
	}
	change, err := move(p.handoff, p.told)
	if err != nil {
		return c, err
	}
	if err := save(change); err != nil || change.Conversation.Owner.Kind != conversation.OwnerQueue {
		return change.Conversation, err
	}
	w := newWaiting(tx, tb, change.Conversation, now, save)
	if p.offer != nil {
		if err := w.do(w.conv.MakeOffer(*p.offer, now)); err != nil {
			return c, err
		}
	}
	return w.conv, w.look()
}
