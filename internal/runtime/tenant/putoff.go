package tenant

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// leftToOthers is how long a deadline of a kind that this release does not know is left to a newer one beside it.
	leftToOthers = time.Minute
	// putOffFor is how long a deadline that failed waits: the others do not wait for it.
	putOffFor = 10 * time.Second
)

// errPanicked is the error of what panicked.
var errPanicked = errors.New("it panicked")

// survive, deferred in a transaction, makes a panic its error: one deadline that nobody thought of must not end this
// process, and every one after it.
func (t *Tenant) survive(err *error) {
	if p := recover(); p != nil {
		// The value could hold the customer's words; its type and the stack do not.
		t.log.Error("meeting a deadline panicked", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		*err = errPanicked
	}
}

// putOff puts a deadline off that could not be met, for a reason of its own. Where the store itself is the reason, it
// returns that one, and the deadline stays.
func (t *Tenant) putOff(ctx context.Context, d store.Deadline, why error) error {
	if ctx.Err() != nil || errors.Is(why, store.ErrUnavailable) {
		return why
	}
	err := t.store.Update(ctx, func(tx store.Tx) error {
		if err := lockSubject(tx, d); err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		if due, err := tx.TakeDeadline(d); err != nil || !due {
			return err // another replica has met it
		}
		d.Due = now.Add(putOffFor)
		return tx.SetDeadline(d)
	})
	if err != nil {
		return errors.Join(why, err)
	}
	t.metrics.putOff.WithLabelValues(string(d.Kind)).Inc()
	t.log.Error("a deadline could not be met and is put off", "kind", d.Kind, "conversation", d.Conversation, "agent", d.Agent, "error", why)
	return nil
}

// lockSubject locks whose deadline it is.
func lockSubject(tx store.Tx, d store.Deadline) error {
	if d.Agent != "" {
		_, err := tx.Agents(d.Agent)
		return err
	}
	_, err := tx.Conversation(d.Conversation)
	return err
}

// leaveToOthers puts a deadline off of a kind that this release does not know.
func leaveToOthers(tx store.Tx, d store.Deadline) error {
	if err := lockSubject(tx, d); err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	d.Due = now.Add(leftToOthers)
	return tx.SetDeadline(d)
}
