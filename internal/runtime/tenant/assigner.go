package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// queuePage is how many waiting conversations are read at once.
const queuePage = 100

// runAssigner offers waiting conversations whenever something happened that could let an agent take one: it is woken
// by changes, and by the clock at the next moment that the queue itself names (an offer or ring ends, a shift begins).
func (t *Tenant) runAssigner(ctx context.Context) error {
	for {
		next, err := t.assignAll(ctx)
		if err != nil && ctx.Err() == nil {
			t.log.Error("offering work failed and is tried again", "error", err)
			next = t.clock.Now().Add(retryTurn)
		}
		timer, stop := t.until(next)
		select {
		case <-ctx.Done():
			stop()
			return nil
		case <-t.kick:
		case <-timer:
		}
		stop()
	}
}

// until returns a channel that fires at a time, or never for the zero time.
func (t *Tenant) until(at time.Time) (<-chan time.Time, func()) {
	if at.IsZero() {
		return nil, func() {}
	}
	d := at.Sub(t.clock.Now())
	if d <= 0 {
		past := make(chan time.Time)
		close(past)
		return past, func() {}
	}
	timer := t.clock.NewTimer(d)
	return timer.C(), func() { timer.Stop() }
}

// assignAll does what is due and offers what waits, oldest first. It returns when it has to be called
// again even if nothing happens; the zero time stands for never.
func (t *Tenant) assignAll(ctx context.Context) (next time.Time, err error) {
	in, err := t.inputs()
	if err != nil {
		return next, nil //nolint:nilerr // Use wakes the assigner
	}
	if err := t.meetDeadlines(ctx, in.table); err != nil {
		return next, err
	}
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) (err error) {
		r, err := readRoom(tx, in.table, t.clock.Now())
		if err != nil {
			return err
		}
		if next, err = r.offerWaiting(tx, in.table, save); err != nil {
			return err
		}
		due, err := tx.NextDeadline()
		if !due.IsZero() && !due.After(r.now) {
			due = r.now.Add(retryTurn) // another replica has it, or did not finish
		}
		next = earliest(next, due)
		return err
	})
	return next, err
}

// room is what agents hold and who is present. Who was present when it was read is locked.
type room struct {
	agents map[string]store.Agent
	now    time.Time
}

// readRoom locks the agents of a table who are present. The caller locks conversations before, if at all.
func readRoom(tx store.Tx, tb *routing.Table, now time.Time) (*room, error) {
	presences, err := tx.Presences()
	if err != nil {
		return nil, fmt.Errorf("reading who is present: %w", err)
	}
	var present []string
	for email, p := range presences {
		if _, ok := tb.AgentByEmail(email); ok && p.Present(now) {
			present = append(present, email)
		}
	}
	agents, err := tx.Agents(present...)
	return &room{agents: agents, now: now}, err
}

// choose returns the offer to make for a conversation now, or nil if nobody can take it.
func (r *room) choose(candidates []routing.Candidate, passed []string) *conversation.Offer {
	loads := make(map[string]assign.Load, len(candidates))
	for _, c := range candidates {
		loads[c.Email] = r.agents[c.Email].Load
	}
	c, ok := assign.Choose(candidates, loads, func(email string) bool { return r.agents[email].Presence.Present(r.now) }, passed)
	if !ok {
		return nil
	}
	return &conversation.Offer{
		Agent: conversation.Person{Email: c.Email, Name: c.DisplayName},
		Pool:  c.Pool, Cost: min(c.Cost, c.Capacity), ExpiresAt: r.now.Add(c.OfferTimeout),
	}
}

// anyFree says whether some agent who is present has room left.
func (r *room) anyFree(tb *routing.Table) bool {
	for email, now := range r.agents {
		if a, ok := tb.AgentByEmail(email); ok && now.Presence.Present(r.now) && now.Load.Units < a.Capacity {
			return true
		}
	}
	return false
}

// offerWaiting offers what waits, oldest first, as long as somebody has room. It returns when the queue has to be
// looked at again even if nothing happens.
func (r *room) offerWaiting(tx store.Tx, tb *routing.Table, save func(conversation.Change) error) (next time.Time, err error) {
	stay := 0
	for last := (conversation.Conversation{}); r.anyFree(tb); {
		waiting, err := tx.ClaimWaiting(last, queuePage)
		if err != nil {
			return next, fmt.Errorf("reading the queue: %w", err)
		}
		for _, c := range waiting {
			last = c
			offer, at := r.offerFor(tb, c)
			next = earliest(next, at)
			if offer == nil {
				stay++
				continue
			}
			change, err := c.MakeOffer(*offer, r.now)
			if err != nil {
				return next, err
			}
			if err := save(change); err != nil {
				return next, err
			}
		}
		if len(waiting) < queuePage {
			at, err := r.passedBy(tx, stay)
			return earliest(next, at), err
		}
	}
	return next, nil
}

// passedBy returns when to look again for conversations that somebody else had locked, if there are more waiting than
// the stay that were looked at. Their transaction may end without a change, of which nobody is told.
func (r *room) passedBy(tx store.Tx, stay int) (time.Time, error) {
	n, err := tx.CountWaiting()
	if err != nil || n <= stay {
		return time.Time{}, err
	}
	return r.now.Add(retryTurn), nil
}

// offerFor returns the offer to make for a waiting conversation, and takes the agent's room for it; or nil and when its
// place has to be looked at again.
func (r *room) offerFor(tb *routing.Table, c conversation.Conversation) (*conversation.Offer, time.Time) {
	f := facts(c, *c.Handoff)
	route := tb.Route(f)
	if route == nil {
		return nil, time.Time{}
	}
	offer := r.choose(tb.Candidates(route, f, r.now.Sub(c.Handoff.At), r.now), c.Passed)
	if offer == nil {
		at, _ := tb.NextChange(route, c.Handoff.At, r.now)
		return nil, at
	}
	a := r.agents[offer.Agent.Email]
	a.Load.Units += offer.Cost
	r.agents[offer.Agent.Email] = a
	return offer, offer.ExpiresAt
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// placement is what happens to a conversation at the moment of its handoff.
type placement struct {
	// offer for an agent who can take it at once; nil if it waits.
	offer *conversation.Offer
	// told is what the customer is told, in order.
	told []string
}

// place finds out, in the transaction of a handoff, who can take the conversation now and what the customer is told.
// What has waited longer is offered first.
func place(tx store.Tx, tb *routing.Table, c conversation.Conversation, h conversation.Handoff, now time.Time, save func(conversation.Change) error) (placement, error) {
	text := func(event v1alpha1.MessageEvent, vars map[string]string) string {
		return tb.Text(event, h.Language, c.ChannelType, h.Reason, vars)
	}
	p := placement{told: []string{text(v1alpha1.MessageHandoff, nil)}}
	f := facts(c, h)
	route := tb.Route(f)
	if tb.Closed(route, now) {
		return p, nil // which waiting.look tells
	}
	r, err := readRoom(tx, tb, now)
	if err != nil {
		return p, err
	}
	if _, err := r.offerWaiting(tx, tb, save); err != nil {
		return p, err
	}
	if p.offer = r.choose(tb.Candidates(route, f, 0, now), nil); p.offer != nil {
		return p, nil
	}
	if h.At.IsZero() {
		h.At = now
	}
	c.Handoff = &h
	queued, err := newWaiting(tx, tb, c, now, save).queuedText()
	p.told = append(p.told, queued)
	return p, err
}
