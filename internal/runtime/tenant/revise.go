package tenant

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// runRevisions looks at all that waits with each new table, the first one included: since the one before, its route may
// have closed or opened, or its policy let customers wait for less.
func (t *Tenant) runRevisions(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.revised:
			err := t.persist(ctx, "looking at what waits with a new table", func() error { return t.revise(ctx) })
			if err != nil && ctx.Err() == nil {
				t.log.Error("what waits was not looked at with a new table", "error", err)
			}
		}
	}
}

// revise looks at everything that waits, some at a time, so that offers go on meanwhile. What comes into the queue
// afterwards is placed with the new table.
func (t *Tenant) revise(ctx context.Context) error {
	ids, err := t.waitingIDs(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, queuePage) {
		if err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
			return t.lookAt(tx, some, save)
		}); err != nil {
			return err
		}
	}
	return nil
}

// waitingIDs lists what the queue owns, offered or not, in the order in which locks are taken.
func (t *Tenant) waitingIDs(ctx context.Context) (ids []string, err error) {
	err = t.store.View(ctx, func(r store.Reader) error {
		waiting, err := r.Waiting(0, math.MaxInt32)
		if err != nil {
			return err
		}
		offered, err := r.Offered()
		ids = nil
		for _, c := range slices.Concat(waiting, offered) {
			ids = append(ids, c.ID)
		}
		return err
	})
	slices.Sort(ids)
	return ids, err
}

// lookAt looks at conversations, as far as they wait still, with the table of now.
func (t *Tenant) lookAt(tx store.Tx, ids []string, save func(conversation.Change) error) error {
	in, err := t.inputs()
	if err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	for _, id := range ids {
		c, err := tx.Conversation(id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if c.Owner.Kind != conversation.OwnerQueue {
			continue
		}
		if err := newWaiting(tx, in.table, c, now, save).look(); err != nil {
			return err
		}
	}
	return nil
}
