package tenanttest

import (
	"context"
	"sync"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Record is a store that remembers what was written, in the order of the transactions.
type Record struct {
	store.Store
	// updates lets one transaction run at a time, also where the store would run more: the order is theirs. It is no
	// mutex because a transaction may wait for a schedule to go on, see Schedule.
	updates chan struct{}
	mu      sync.Mutex
	written []Written
}

// Written is one thing that was committed: a change of a conversation, or a presence.
type Written struct {
	Change   *conversation.Change
	Presence *store.Presence
}

// All returns what was written so far, with what a transaction in progress writes: others may have seen it already.
func (r *Record) All() []Written {
	r.updates <- struct{}{}
	defer func() { <-r.updates }()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Written{}, r.written...)
}

// Update records what fn writes.
func (r *Record) Update(ctx context.Context, fn func(store.Tx) error) error {
	r.updates <- struct{}{}
	defer func() { <-r.updates }()
	rec := &recorder{}
	err := r.Store.Update(ctx, func(tx store.Tx) error {
		rec.Tx, rec.written = tx, nil
		return fn(rec)
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written = append(r.written, rec.written...)
	return nil
}

type recorder struct {
	store.Tx
	written []Written
}

func (r *recorder) Create(c conversation.Change, hash []byte) error {
	r.written = append(r.written, Written{Change: &c})
	return r.Tx.Create(c, hash)
}

func (r *recorder) Save(c conversation.Change) error {
	r.written = append(r.written, Written{Change: &c})
	return r.Tx.Save(c)
}

func (r *recorder) SetPresence(p store.Presence) error {
	r.written = append(r.written, Written{Presence: &p})
	return r.Tx.SetPresence(p)
}

func (r *recorder) RenewPresence(p store.Presence) error {
	r.written = append(r.written, Written{Presence: &p})
	return r.Tx.RenewPresence(p)
}
