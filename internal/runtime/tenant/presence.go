package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// DefaultPresenceLease is how long an agent counts as being there after they were heard of. Clients are asked to be
	// heard of three times in it, so that one lost request costs nobody their offers.
	DefaultPresenceLease = time.Minute
	// PresenceGrace is how much longer agents keep what they have: they may be reloading a page or changing networks.
	PresenceGrace = time.Minute
	// maxReason bounds the reason of a presence, in bytes.
	maxReason = 100
)

var presences = []store.PresenceState{store.Online, store.Busy, store.Away, store.Offline}

// SetPresence says whether an agent can be offered work, until a time at most, the end of their sign-in; the zero time
// stands for none. What ends before that, unless the agent is heard of again, is the lease. An agent who is not online any more gives the offers they have
// back to the queue; one who goes offline, also the conversations in which the customer waits for an answer.
func (t *Tenant) SetPresence(ctx context.Context, a routing.Agent, state store.PresenceState, reason string, until time.Time) (store.Presence, error) {
	return t.setPresenceOf(ctx, a, state, reason, until, func(store.Tx) error { return nil })
}

// setPresenceOf is SetPresence, and does something more in its transaction.
func (t *Tenant) setPresenceOf(ctx context.Context, a routing.Agent, state store.PresenceState, reason string, until time.Time, also func(store.Tx) error) (p store.Presence, err error) {
	if err := checkPresence(state, reason); err != nil {
		return p, err
	}
	in, err := t.inputs()
	if err != nil {
		return p, err
	}
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		h, err := lockHoldings(tx, a.Email)
		if err != nil {
			return err
		}
		p = store.Presence{Email: a.Email, State: state, Reason: reason, Since: h.now}
		if h.presence.State == state && h.presence.Reason == reason {
			p.Since = h.presence.Since
		}
		if state != store.Offline {
			p.Until = earliest(until, h.now.Add(t.lease))
		}
		if err := setPresence(tx, p); err != nil {
			return err
		}
		if err := also(tx); err != nil {
			return err
		}
		return giveBack(tx, in.table, h, p, save)
	})
	return p, err
}

func checkPresence(state store.PresenceState, reason string) error {
	switch {
	case !slices.Contains(presences, state):
		return &Invalid{"state", fmt.Sprintf("%q is not a presence; use online, busy, away or offline", clip(string(state)))}
	case len(reason) > maxReason || !utf8.ValidString(reason) || strings.ContainsRune(reason, 0):
		return &Invalid{"reason", fmt.Sprintf("give up to %d bytes of UTF-8, such as \"lunch\"", maxReason)}
	case reason != "" && state == store.Online:
		return &Invalid{"reason", "somebody who is online needs none; leave it out, or use busy or away"}
	}
	return nil
}

// setPresence writes a presence and when to look whether it still holds.
func setPresence(tx store.Tx, p store.Presence) error {
	d := store.Deadline{Kind: store.DeadlinePresence, Agent: p.Email}
	if p.State != store.Offline {
		d.Due = p.Until.Add(PresenceGrace)
	}
	if err := tx.SetPresence(p); err != nil {
		return err
	}
	return tx.SetDeadline(d)
}

// holdings are an agent and all that they hold, locked.
type holdings struct {
	presence store.Presence
	offered  []conversation.Conversation
	owned    []conversation.Conversation
	// now is the store's time.
	now time.Time
}

// lockHoldings locks the conversations that an agent holds, and then the agent, who gets nothing more before the
// transaction ends. It returns store.ErrAgain if there came something between.
func lockHoldings(tx store.Tx, email string) (h holdings, err error) {
	held, err := tx.OwnedBy(email)
	if err != nil {
		return h, err
	}
	slices.SortFunc(held, func(a, b conversation.Conversation) int { return strings.Compare(a.ID, b.ID) })
	locked := map[string]bool{}
	for _, c := range held {
		if c, err = tx.Conversation(c.ID); err != nil {
			return h, err
		}
		locked[c.ID] = true
		switch {
		case c.Offer != nil && c.Offer.Agent.Email == email:
			h.offered = append(h.offered, c)
		case c.Owner == conversation.Owner{Kind: conversation.OwnerAgent, ID: email}:
			h.owned = append(h.owned, c)
		}
	}
	agents, err := tx.Agents(email)
	if err != nil {
		return h, err
	}
	h.presence = agents[email].Presence
	if h.now, err = tx.Now(); err != nil {
		return h, err
	}
	held, err = tx.OwnedBy(email)
	for _, c := range held {
		if !locked[c.ID] {
			return h, fmt.Errorf("what %s holds: %w", email, store.ErrAgain)
		}
	}
	return h, err
}

// giveBack returns to the queue what an agent of a presence cannot keep.
func giveBack(tx store.Tx, tb *routing.Table, h holdings, p store.Presence, save func(conversation.Change) error) error {
	if p.Present(h.now) {
		return nil
	}
	for _, c := range h.offered {
		change, err := c.Withdraw(h.now)
		if err != nil {
			return err
		}
		if err := save(change); err != nil {
			return err
		}
	}
	if p.State != store.Offline {
		return nil
	}
	for _, c := range h.owned {
		if err := agentGone(tx, tb, c, h.now, save); err != nil {
			return err
		}
	}
	return nil
}

// Heartbeat notes that an agent was heard of, whose sign-in ends at a time. It brings nobody back who is offline.
func (t *Tenant) Heartbeat(ctx context.Context, a routing.Agent, until time.Time) (p store.Presence, err error) {
	err = t.change(ctx, func(tx store.Tx, _ func(conversation.Change) error) error { // which tells the board
		agents, err := tx.Agents(a.Email)
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		if p = agents[a.Email].Presence; p.State == "" || p.State == store.Offline {
			p = shown(p, a.Email, now)
			return nil
		}
		lapsed := !now.Before(p.Until)
		p.Until = earliest(until, now.Add(t.lease))
		if lapsed { // whoever was not there may be offered work again
			return setPresence(tx, p)
		}
		return tx.RenewPresence(p) // the deadline stays: it is put off when it is due
	})
	return p, err
}

// Presence returns an agent's presence; an agent who never said anything, or was not heard of for longer than the lease,
// is offline.
func (t *Tenant) Presence(ctx context.Context, email string) (p store.Presence, err error) {
	err = t.store.View(ctx, func(r store.Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		p, err = r.Presence(email)
		p = shown(p, email, now)
		return err
	})
	return p, err
}

// shown is what counts of a presence at a time.
func shown(p store.Presence, email string, now time.Time) store.Presence {
	switch {
	case p.State == "":
		return store.Presence{Email: email, State: store.Offline}
	case p.State != store.Offline && !now.Before(p.Until):
		return store.Presence{Email: email, State: store.Offline, Reason: store.ReasonConnectionLost, Since: p.Until}
	}
	return p
}

// meetPresence looks whether an agent is still there, when they were not heard of for longer than the lease and grace, or
// were set away: what they cannot keep goes back to the queue. It says whether they are gone.
func meetPresence(tx store.Tx, tb *routing.Table, email string, save func(conversation.Change) error) (lost bool, err error) {
	h, err := lockHoldings(tx, email)
	if err != nil {
		return false, err
	}
	due, err := tx.TakeDeadline(store.Deadline{Kind: store.DeadlinePresence, Agent: email})
	if err != nil || !due || h.presence.State == store.Offline {
		return false, err
	}
	p, grace := h.presence, h.presence.Until.Add(PresenceGrace)
	if lost = !h.now.Before(grace); lost {
		p = store.Presence{Email: email, State: store.Offline, Reason: store.ReasonConnectionLost, Since: p.Until}
		err = tx.SetPresence(p)
	} else {
		err = tx.SetDeadline(store.Deadline{Kind: store.DeadlinePresence, Agent: email, Due: grace})
	}
	if err != nil {
		return false, err
	}
	return lost, giveBack(tx, tb, h, p, save)
}

// missed counts an offer that its agent let pass. One who lets too many pass is set away, and so offered nothing more.
func missed(tx store.Tx, tb *routing.Table, o conversation.Offer, now time.Time) (away bool, err error) {
	email := o.Agent.Email
	agents, err := tx.Agents(email)
	if err != nil {
		return false, err
	}
	p := agents[email].Presence
	p.Missed++
	if limit := tb.MissedOffersUntilAway(o.Pool); limit == 0 || p.Missed < limit || p.State != store.Online {
		return false, tx.SetPresence(p)
	}
	p.State, p.Reason, p.Since = store.Away, store.ReasonMissedOffers, now
	if err := tx.SetPresence(p); err != nil {
		return false, err
	}
	// The other offers they have are given back as soon as their conversations can be locked.
	return true, tx.SetDeadline(store.Deadline{Kind: store.DeadlinePresence, Agent: email, Due: now})
}

// answered notes that an agent reacted to an offer.
func answered(tx store.Tx, p store.Presence) error {
	if p.Missed == 0 {
		return nil
	}
	p.Missed = 0
	return tx.SetPresence(p)
}

// atWork notes that an agent has taken a conversation. One who was offline, or never said anything, is busy since: they
// are offered nothing that they did not ask for, and if nothing more is heard of them the customer does not wait in vain.
func (t *Tenant) atWork(tx store.Tx, email string, p store.Presence, now time.Time) error {
	if p.State != "" && p.State != store.Offline {
		return answered(tx, p)
	}
	return setPresence(tx, store.Presence{Email: email, State: store.Busy, Reason: store.ReasonTookOver, Since: now, Until: now.Add(t.lease)})
}
