package store

import (
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// position is where a stored conversation stands; the zero value is before its first event.
type position struct {
	seq, epoch int64
	owner      conversation.Owner
	// holder is the agent whose capacity the conversation takes, and units how much of it; "" if it takes nobody's.
	holder string
	units  int
	// due has when the deadlines of kept are due; zero for none.
	due [len(kept)]int64
}

// kept are the deadlines that Save keeps, since the conversation says when they are due.
var kept = [...]DeadlineKind{DeadlineOffer, DeadlineSnooze, DeadlineReturn}

// offerExpires is zero while no offer is open.
func (p position) offerExpires() int64 { return p.due[0] }

// positionOf returns where a conversation stands when it is stored.
func positionOf(c conversation.Conversation) position {
	p := position{seq: c.Seq, epoch: c.Epoch, owner: c.Owner}
	switch {
	case c.Offer != nil:
		p.holder, p.units, p.due[0] = c.Offer.Agent.Email, c.Offer.Cost, c.Offer.ExpiresAt.UnixNano()
	case c.Owner.Kind == conversation.OwnerAgent:
		p.holder, p.units = c.Owner.ID, c.Cost
	}
	if !c.SnoozedUntil.IsZero() {
		p.units, p.due[1] = 0, c.SnoozedUntil.UnixNano()
	}
	if !c.ReturnAt.IsZero() {
		p.due[2] = c.ReturnAt.UnixNano()
	}
	return p
}

// follows checks that a change begins where the log ends, has no gap, and raises the epoch by one exactly if it changes
// the owner. It returns ErrConflict with what does not fit.
func (p position) follows(c conversation.Change) error {
	if len(c.Events) == 0 {
		return fmt.Errorf("%w: it has no events", ErrConflict)
	}
	next, epoch := p.seq, p.epoch
	for _, e := range c.Events {
		next++
		if e.Seq != next {
			return fmt.Errorf("%w: event %d comes where the log continues with %d", ErrConflict, e.Seq, next)
		}
		if e.Epoch < epoch || e.Epoch > c.Conversation.Epoch {
			return fmt.Errorf("%w: event %d is of epoch %d, between %d and %d", ErrConflict, e.Seq, e.Epoch, epoch, c.Conversation.Epoch)
		}
		epoch = e.Epoch
	}
	if c.Conversation.Seq != next {
		return fmt.Errorf("%w: the conversation says that its last event is %d, which is %d", ErrConflict, c.Conversation.Seq, next)
	}
	want := p.epoch
	if c.Conversation.Owner != p.owner {
		want++
	}
	if c.Conversation.Epoch != want {
		return fmt.Errorf("%w: from owner %s at epoch %d to owner %s at epoch %d; an epoch is for one owner",
			ErrConflict, p.owner.Kind, p.epoch, c.Conversation.Owner.Kind, c.Conversation.Epoch)
	}
	return nil
}

// waitingSince is what the queue is ordered by.
func waitingSince(c conversation.Conversation) time.Time {
	if c.Handoff != nil {
		return c.Handoff.Place()
	}
	return c.CreatedAt
}
