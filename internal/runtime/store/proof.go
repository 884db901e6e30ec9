package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"
)

// proofAge is how long a commit shows that the store is usable. A write only to ask that would queue behind all
// others, and fail its asker when the store is busiest, not when it is broken.
const proofAge = 10 * time.Second

// proof is when the last write was committed.
type proof struct {
	// at is nil if a write has failed since, or none was tried.
	at  atomic.Pointer[time.Time]
	now func() time.Time
}

// fresh says whether the proof is good enough.
func (p *proof) fresh() bool {
	at := p.at.Load()
	return at != nil && p.now().Sub(*at) < proofAge
}

// prove notes that a write was committed.
func (p *proof) prove() {
	now := p.now()
	p.at.Store(&now)
}

// doubt forgets what was proven if err, the failure of a write, may be the database's. Callers who left and writes that
// do not fit what is stored are common, and say nothing of it.
func (p *proof) doubt(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrAgain) ||
		errors.Is(err, ErrDuplicate) || errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return
	}
	p.at.Store(nil)
}

// ping returns nil if the proof is fresh, and else proves by a write of its own.
func (p *proof) ping(ctx context.Context, db *sql.DB) error {
	if err := ctx.Err(); err != nil || p.fresh() {
		return err
	}
	_, err := db.ExecContext(ctx, `INSERT INTO pings (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = pings.n + 1`)
	if err == nil {
		p.prove()
	}
	return err
}
