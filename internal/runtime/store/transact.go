package store

import (
	"context"
	crand "crypto/rand"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// attempts bounds how often Update calls fn. Each attempt that fails does so because another transaction went on.
	attempts = 20
	// backoff is the longest wait before the second attempt; it doubles up to backoffLimit.
	backoff      = 5 * time.Millisecond
	backoffLimit = 200 * time.Millisecond

	keySize = 32
)

// outcome is what came of one attempt at a write transaction.
type outcome struct {
	*writing
	// fnErr is the error of fn itself; failed one of the database, and doing what it was asked to do then.
	fnErr, failed error
	doing         string
}

const (
	doingBegin  = "begin a write transaction"
	doingKeep   = "keep a transaction in which something failed"
	doingCommit = "commit"
)

// transact runs fn in one transaction and commits it.
func transact(begin func() (session, error), r reader, fn func(Tx) error) (out outcome) {
	out.writing = &writing{}
	r.writing = out.writing
	fail := func(doing string, err error) outcome {
		out.doing, out.failed = doing, err
		return out
	}
	var err error
	if r.session, err = begin(); err != nil {
		return fail(doingBegin, err)
	}
	defer r.close()
	if out.fnErr = fn(tx{r}); out.fnErr != nil {
		return out
	}
	if out.err != nil {
		return fail(doingKeep, out.err)
	}
	if !out.wrote && r.ctx.Err() == nil {
		return out // rolled back: a commit, even of locks alone, would wait for the disk
	}
	err = ended(r.ctx, r.commit(r.ctx, out.pending))
	switch {
	case errors.As(err, new(statementError)):
		return fail(doingKeep, err)
	case err != nil:
		return fail(doingCommit, err)
	}
	return out
}

// cause is the first failure of an attempt, or nil.
func (o outcome) cause() error {
	switch {
	case o.failed != nil:
		return o.failed
	case o.err != nil: // fn's error may not show it
		return o.err
	default:
		return o.fnErr
	}
}

// ended returns the context's error for that of a transaction that the context ended.
func ended(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// repeat calls do until it says that it is done, and waits between the calls: at random, so that transactions that got
// into each other's way do not meet again.
func repeat(ctx context.Context, do func() (done bool, err error)) error {
	wait := backoff
	for n := 1; ; n++ {
		done, err := do()
		if done || n == attempts {
			return err
		}
		timer := time.NewTimer(rand.N(wait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(ctx.Err(), err)
		}
		wait = min(2*wait, backoffLimit)
	}
}

// readKey is Key.
func readKey(ctx context.Context, db *sql.DB, name string) (key []byte, err error) {
	fresh := make([]byte, keySize)
	_, _ = crand.Read(fresh) // never fails: crypto/rand ends the program instead
	err = db.QueryRowContext(ctx, `INSERT INTO keys (name, key) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING key`, name, fresh).Scan(&key)
	return key, err
}
