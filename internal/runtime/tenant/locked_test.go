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

// locking is a store in which somebody else has conversations locked, so that nobody can claim them.
type locking struct {
	store.Store
	locked *sync.Map
}

func (l locking) Update(ctx context.Context, fn func(store.Tx) error) error {
	return l.Store.Update(ctx, func(tx store.Tx) error { return fn(lockingTx{tx, l.locked}) })
}

type lockingTx struct {
	store.Tx
	locked *sync.Map
}

func (tx lockingTx) Claim(ids ...string) (free []conversation.Conversation, err error) {
	claimed, err := tx.Tx.Claim(ids...)
	for _, c := range claimed {
		if _, locked := tx.locked.Load(c.ID); !locked {
			free = append(free, c)
		}
	}
	return free, err
}

// Conversations that somebody has locked are tried again in their time, also where others are found locked meanwhile.
func TestLockedConversationsDoNotPutEachOtherOff(t *testing.T) {
	t.Parallel()
	var locked sync.Map
	w := New(t, Options{Table: Table(1, 5), Wrap: func(s store.Store) store.Store { return locking{s, &locked} }})
	first := wait(w)
	locked.Store(first, true)
	w.SetState("a0", store.Online)
	w.Clock.AwaitTimer(t, Start.Add(time.Second)) // first is found locked

	w.SetState("a0", store.Away)
	w.Clock.Step(600 * time.Millisecond)
	second := wait(w)
	locked.Store(second, true)
	w.SetState("a0", store.Online) // first is not on the board, second is found locked
	w.Clock.AwaitTimer(t, Start.Add(time.Second))
	locked.Delete(first)
	w.Clock.SetTime(Start.Add(time.Second))
	offeredTo(t, w, first, 1, "a0")

	w.Clock.AwaitTimer(t, Start.Add(1600*time.Millisecond))
	locked.Delete(second)
	w.Clock.SetTime(Start.Add(1600 * time.Millisecond))
	offeredTo(t, w, second, 1, "a0")
}
