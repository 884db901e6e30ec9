package tenant

import (
	"context"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// beat is how often a replica says that it lives, and lease for how long that holds: one that is silent for so long is
	// taken for dead, and others give the answers that it owed. A replica that is wrongly taken for dead does no harm: its
	// turns are over, as it learns before it shows anything more.
	beat  = 3 * time.Second
	lease = 15 * time.Second
)

// join says that this replica lives. It goes on while the store fails.
func (t *Tenant) join(ctx context.Context) {
	if t.store.Shared() {
		_ = t.persist(ctx, "joining the other replicas", func() error { return t.beat(ctx) })
	}
}

// runReplica keeps saying that this replica lives, and looks for those who do not say so any more, until ctx ends.
func (t *Tenant) runReplica(ctx context.Context) error {
	if !t.store.Shared() {
		return nil
	}
	ticker := t.clock.NewTicker(beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C():
		}
		if err := t.beat(ctx); err != nil && ctx.Err() == nil {
			t.log.Warn("the other replicas cannot be told that this one lives", "error", err)
		}
	}
}

func (t *Tenant) beat(ctx context.Context) error {
	lost := 0
	err := t.store.Update(ctx, func(tx store.Tx) (err error) {
		lost, err = tx.LeaseReplica(t.replica, lease)
		return err
	})
	if err == nil && lost > 0 {
		t.metrics.lost.Add(float64(lost))
		t.log.Warn("replicas ended without a word; what they owed is done by others", "replicas", lost)
	}
	return err
}

// leave says that this replica ends.
func (t *Tenant) leave(ctx context.Context) {
	if !t.store.Shared() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), beat)
	defer cancel()
	if err := t.store.Update(ctx, func(tx store.Tx) error { return tx.LeaveReplica(t.replica) }); err != nil {
		t.log.Warn("the other replicas could not be told that this one ends; they notice by its silence", "error", err)
	}
}
