package tenant

import (
	"context"
	"errors"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// endOffersOfLeavers ends the offers whose agent has left every pool, if there may be such since the last time. Before it
// looks for them it says by which table this replica works: an offer by an older one was either committed before, and is
// found, or sees that it is outdated.
func (t *Tenant) endOffersOfLeavers(ctx context.Context) error {
	if !t.leavers.Swap(false) {
		return nil
	}
	in, err := t.inputs() // after the swap: a newer table asks again
	if err == nil && in.version.Generation != 0 {
		err = t.store.Update(ctx, func(tx store.Tx) error { return tx.SawTable(in.version) })
	}
	if err == nil {
		err = t.withdrawFromLeavers(ctx, in.table)
	}
	if err != nil {
		t.leavers.Store(true)
	}
	return err
}

func (t *Tenant) withdrawFromLeavers(ctx context.Context, tb *routing.Table) error {
	var gone []string
	if err := t.store.View(ctx, func(r store.Reader) error {
		if outdated, err := t.matching.outdated(r, tb); err != nil || outdated {
			return err // who has left by this table may be back
		}
		offered, err := r.Offered()
		for _, c := range offered {
			if left(tb, c) {
				gone = append(gone, c.ID)
			}
		}
		return err
	}); err != nil {
		return err
	}
	var failed error
	for _, id := range gone {
		err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
			c, now, err := locked(tx, id)
			if err != nil || !left(tb, c) {
				return err
			}
			change, err := c.Withdraw(now)
			if err != nil {
				return err
			}
			return save(change)
		})
		failed = errors.Join(failed, err)
	}
	return failed
}

// left says whether a conversation is offered to somebody who is in no pool.
func left(tb *routing.Table, c conversation.Conversation) bool {
	if c.Offer == nil {
		return false
	}
	_, there := tb.AgentByEmail(c.Offer.Agent.Email)
	return !there
}

// offered looks at an offer that was made by a table which may not be the current one any more.
func (t *Tenant) offered(c conversation.Conversation) {
	if in, err := t.inputs(); err == nil && left(in.table, c) {
		t.leavers.Store(true)
	}
}
