package tenant

import (
	"context"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// catchUpEvery is how often it is looked whether a release before this one has written something, while one may run
	// beside it. The look-up reads an index that is empty otherwise.
	catchUpEvery = time.Minute
	// caughtUpAtOnce bounds the conversations of one transaction, whose logs are read.
	caughtUpAtOnce = 20
)

// runCatchUp writes what a release before this one left out, until ctx ends: after an upgrade, and while both run.
func (t *Tenant) runCatchUp(ctx context.Context) error {
	for {
		err := t.catchUp(ctx)
		var next time.Time
		switch {
		case err != nil && ctx.Err() == nil:
			t.log.Error("what the release before has written cannot be made complete, which is tried again", "error", err)
			next = t.clock.Now().Add(catchUpEvery)
		case t.store.Shared():
			next = t.clock.Now().Add(catchUpEvery)
		}
		timer, stop := t.alarm(next)
		select {
		case <-ctx.Done():
			stop()
			return nil
		case <-timer:
		}
		stop()
	}
}

// catchUp makes complete what releases before this one have written so far. What finds conversations by more than their id
// calls it before.
func (t *Tenant) catchUp(ctx context.Context) error {
	found := 0
	for n := caughtUpAtOnce; n == caughtUpAtOnce; {
		if err := t.store.Update(ctx, func(tx store.Tx) (err error) {
			n, err = tx.CatchUp(caughtUpAtOnce)
			return err
		}); err != nil {
			return err
		}
		found += n
	}
	if found > 0 {
		t.log.Info("made complete what another release has written", "conversations", found)
		t.wakeRetention()
	}
	return nil
}
