package tenant_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// locking is a store in which somebody else has conversations locked, so that nobody can claim them. found has the ids of
// those that were tried.
type locking struct {
	store.Store
	locked *sync.Map
	found  chan string
}

// await waits until a conversation was found locked.
func (l locking) await(id string) {
	for <-l.found != id {
	}
}

func (l locking) Update(ctx context.Context, fn func(store.Tx) error) error {
	return l.Store.Update(ctx, func(tx store.Tx) error { return fn(lockingTx{tx, l}) })
}

type lockingTx struct {
	store.Tx
	l locking
}

func (tx lockingTx) Claim(ids ...string) (free []conversation.Conversation, err error) {
	claimed, err := tx.Tx.Claim(ids...)
	for _, c := range claimed {
		if _, locked := tx.l.locked.Load(c.ID); locked {
			tx.l.found <- c.ID
			continue
		}
		free = append(free, c)
	}
	return free, err
}

// Conversations that somebody has locked are tried again in their time, also where others are found locked meanwhile.
func TestLockedConversationsDoNotPutEachOtherOff(t *testing.T) {
	t.Parallel()
	var locked sync.Map
	l := locking{locked: &locked, found: make(chan string, 1000)}
	w := New(t, Options{Table: Table(1, 5), Wrap: func(s store.Store) store.Store {
		l.Store = s
		return l
	}})
	first := wait(w)
	locked.Store(first, true)
	w.SetState("a0", store.Online)
	l.await(first)
	w.Clock.AwaitTimer(t, Start.Add(time.Second))

	w.SetState("a0", store.Away)
	w.Clock.Step(600 * time.Millisecond)
	second := wait(w)
	locked.Store(second, true)
	w.SetState("a0", store.Online) // first is not on the board
	l.await(second)
	w.Clock.AwaitTimer(t, Start.Add(time.Second))
	locked.Delete(first)
	w.Clock.SetTime(Start.Add(time.Second))
	offeredTo(t, w, first, 1, "a0")

	w.Clock.AwaitTimer(t, Start.Add(1600*time.Millisecond))
	locked.Delete(second)
	w.Clock.SetTime(Start.Add(1600 * time.Millisecond))
	offeredTo(t, w, second, 1, "a0")
}
