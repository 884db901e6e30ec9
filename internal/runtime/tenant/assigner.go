package tenant

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// queuePage is how many offers are made, and deadlines met, in one transaction.
	queuePage = 100
	// maxChoices bounds how often a handoff chooses again because who was chosen turned out to be gone or full.
	maxChoices = 5
)

// runAssigner offers waiting conversations whenever something happened that could let an agent take one: it is woken
// by changes, and by the clock at the next moment that the board or a deadline names.
func (t *Tenant) runAssigner(ctx context.Context) error {
	for {
		next, err := t.assignAll(ctx)
		if err != nil && ctx.Err() == nil {
			t.log.Error("offering work failed and is tried again", "error", err)
			next = t.clock.Now().Add(retryTurn)
		}
		timer, stop := t.alarm(next)
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

// alarm returns a channel that fires when this process's clock has come to a time; never for the zero time.
func (t *Tenant) alarm(at time.Time) (<-chan time.Time, func()) {
	if at.IsZero() {
		return nil, func() {}
	}
	timer := t.clock.NewTimer(at.Sub(t.clock.Now()))
	if t.clock.Now().Before(at) {
		return timer.C(), func() { timer.Stop() }
	}
	timer.Stop()
	past := make(chan time.Time)
	close(past)
	return past, func() {}
}

// assignAll does what is due and offers what can be offered, the foremost place first. It returns when it has to be
// called again even if nothing happens, by this process's clock; the zero time stands for never.
func (t *Tenant) assignAll(ctx context.Context) (next time.Time, err error) {
	in, err := t.inputs()
	if err != nil {
		return next, nil //nolint:nilerr // Use wakes the assigner
	}
	_, began, err := t.nextDeadline(ctx)
	if err != nil {
		return next, err
	}
	met := errors.Join(t.endOffersOfLeavers(ctx), t.meetDeadlines(ctx, in.table)) // what fails there holds no offer up
	if _, err := t.refresh(ctx, t.audit.Swap(false)); err != nil {
		return next, errors.Join(met, err)
	}
	again, err := t.offerAll(ctx, in.table)
	if err := errors.Join(met, err); err != nil {
		return next, err
	}
	next, now, err := t.nextDeadline(ctx)
	if !next.IsZero() && !next.After(began.store) {
		next = now.store.Add(retryTurn) // another replica has it, or did not finish
	}
	return now.local(earliest(again, next)), err
}

// moment is one instant by two clocks: what lies between it and a time does not depend on when that is worked out.
type moment struct {
	// store is what the store's clock showed, here what this process's showed just before.
	store, here time.Time
}

func (t *Tenant) moment(r store.Reader) (m moment, err error) {
	m.here = t.clock.Now()
	m.store, err = r.Now()
	return m, err
}

// local is a time of the store by this process's clock; the zero time stays.
func (m moment) local(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return m.here.Add(at.Sub(m.store))
}

// nextDeadline returns when the next deadline is due, by the store's clock, and what time it is.
func (t *Tenant) nextDeadline(ctx context.Context) (due time.Time, now moment, err error) {
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		if now, err = t.moment(r); err == nil {
			due, err = r.NextDeadline()
		}
		return err
	})
	return due, now, err
}

// offerAll makes the offers that the board finds, until it finds none; by an outdated table it makes none, and Use wakes the
// assigner. It returns when to look again even if nothing happens.
func (t *Tenant) offerAll(ctx context.Context, tb *routing.Table) (again time.Time, err error) {
	var now time.Time
	var outdated bool
	if err := t.store.View(ctx, func(r store.Reader) (err error) {
		outdated, err = t.matching.outdated(r, tb)
		return err
	}); err != nil || outdated {
		return again, err
	}
	for vain := 0; vain < maxChoices; vain++ {
		if now, err = t.refresh(ctx, false); err != nil || !t.matching.ready(now) {
			return t.matching.next(), err
		}
		r := round{matching: t.matching, table: tb}
		if err := t.run(ctx, &r); err != nil {
			return again, err
		}
		if r.made > 0 {
			vain = -1
		}
	}
	return earliest(now.Add(retryTurn), t.matching.next()), nil
}

// round is one transaction that makes offers.
type round struct {
	*matching
	table *routing.Table
	found []assign.Proposal
	// again are conversations that could not be offered as found, later those that could not be locked.
	again, later map[string]bool
	made         int
}

// run runs a round.
func (t *Tenant) run(ctx context.Context, r *round) error {
	var now time.Time
	err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) (err error) {
		r.fail() // an attempt before
		if now, err = tx.Now(); err != nil {
			return err
		}
		r.found, r.made = r.take(now), 0
		r.again, r.later = map[string]bool{}, map[string]bool{}
		return r.offer(tx, save)
	})
	if err != nil {
		r.fail()
		return err
	}
	r.done(r.found, r.again, r.later, now)
	return nil
}

// fail gives back what an attempt found.
func (r *round) fail() {
	all := map[string]bool{}
	for _, p := range r.found {
		all[p.ID] = true
	}
	r.done(r.found, all, nil, time.Time{})
	r.found = nil
}

// offer makes the offers that were found as far as they can be made by what is locked.
func (r *round) offer(tx store.Tx, save func(conversation.Change) error) error {
	if len(r.found) == 0 {
		return nil
	}
	if outdated, err := r.outdated(tx, r.table); err != nil || outdated {
		for _, p := range r.found {
			r.again[p.ID] = true
		}
		return err
	}
	now, claimed, agents, err := claim(tx, r.found)
	if err != nil {
		return err
	}
	for _, p := range r.found {
		c, ok := claimed[p.ID]
		if !ok {
			r.later[p.ID] = true // it waits no more, of which a wake-up tells, or somebody has it locked
			continue
		}
		agent := agents[p.Candidate.Email]
		candidate, ok := able(r.table, waitingOf(c), p.Candidate.Email, agent, now)
		if !ok {
			r.again[p.ID] = true
			continue
		}
		change, err := c.MakeOffer(offerOf(candidate, agent.Load, now), now)
		if err != nil {
			return err
		}
		if err := save(change); err != nil {
			return err
		}
		r.made++
		agent.Load.Units += min(candidate.Cost, candidate.Capacity)
		agents[p.Candidate.Email] = agent
	}
	for email, a := range agents { // also who was found for what could not be offered
		r.saw(email, a, now)
	}
	return nil
}

// claim locks the conversations and agents of offers, and returns those that could be had, and the time since then.
func claim(tx store.Tx, found []assign.Proposal) (now time.Time, claimed map[string]conversation.Conversation, agents map[string]store.Agent, err error) {
	var ids, emails []string
	for _, p := range found {
		ids, emails = append(ids, p.ID), append(emails, p.Candidate.Email)
	}
	waiting, err := tx.Claim(ids...)
	if err != nil {
		return now, nil, nil, err
	}
	claimed = map[string]conversation.Conversation{}
	for _, c := range waiting {
		claimed[c.ID] = c
	}
	if agents, err = tx.Agents(emails...); err != nil {
		return now, nil, nil, err
	}
	now, err = tx.Now()
	return now, claimed, agents, err
}

// able says, by what is locked, whether an agent may be offered a conversation: on shift, able, present and below
// capacity.
func able(tb *routing.Table, w assign.Waiting, email string, a store.Agent, now time.Time) (routing.Candidate, bool) {
	all := tb.Candidates(tb.Follow(w.Way, w.Facts), w.Facts, max(0, now.Sub(w.At)), now)
	i := slices.IndexFunc(all, func(c routing.Candidate) bool { return c.Email == email })
	if i < 0 || !now.Before(a.Available(now)) || !assign.Free(all[i], a.Load) {
		return routing.Candidate{}, false
	}
	return all[i], true
}

// offerOf is the offer to a candidate who holds a load.
func offerOf(c routing.Candidate, l assign.Load, now time.Time) conversation.Offer {
	cost := min(c.Cost, c.Capacity)
	return conversation.Offer{
		Agent: conversation.Person{Email: c.Email, Name: c.DisplayName},
		Pool:  c.Pool, Cost: cost, ExpiresAt: now.Add(c.OfferTimeout),
		Room: conversation.Room{Held: l.Units + cost, Capacity: c.Capacity},
	}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// placement is what happens to a conversation at the moment of its handoff.
type placement struct {
	// handoff with its route and points.
	handoff conversation.Handoff
	// offer for an agent who can take it at once; nil if it waits.
	offer *conversation.Offer
	// told is what the customer is told, in order.
	told []string
}

// place finds out, in the transaction of a handoff, who can take the conversation now and what the customer is told.
// The route and the points are decided here, unless a human chose who it goes to.
func place(tx store.Tx, tb *routing.Table, c conversation.Conversation, h conversation.Handoff, now time.Time, save func(conversation.Change) error) (placement, error) {
	text := func(event v1alpha1.MessageEvent, vars map[string]string) string {
		return tb.Text(event, h.Language, c.ChannelType, h.Reason, vars)
	}
	p := placement{told: []string{text(v1alpha1.MessageHandoff, nil)}}
	if h.At.IsZero() {
		h.At = now
	}
	var err error
	if p.handoff, err = assess(tx, tb, c, h); err != nil {
		return p, err
	}
	c.Handoff, c.Passed = &p.handoff, nil
	w := waitingOf(c)
	if tb.Closed(tb.Follow(w.Way, w.Facts), now) {
		return p, nil // which waiting.look tells
	}
	if p.offer, err = chooseFor(tx, tb, w, now, save); err != nil || p.offer != nil {
		return p, err
	}
	queued, err := newWaiting(tx, tb, c, now, save).queuedText()
	p.told = append(p.told, queued)
	return p, err
}

// assess decides along which route a conversation goes and how many points it has.
func assess(tx store.Tx, tb *routing.Table, c conversation.Conversation, h conversation.Handoff) (conversation.Handoff, error) {
	if h.Pinned != nil {
		return h, nil
	}
	f := facts(c, h)
	if tb.Evaluates() {
		events, err := tx.Events(c.ID, max(c.LastCustomer, 1)-1, 1)
		if err != nil {
			return h, err
		}
		for _, e := range events {
			f.Message = e.Text
		}
	}
	h.Priority, h.Route = tb.Points(f), ""
	if route := tb.Route(f); route != nil {
		h.Route = route.Name
	}
	return h, nil
}

// chooseFor returns the offer to make for a conversation that is being handed off, or nil if nobody can take it now. Who
// has a place before it is offered first, in the same transaction.
func chooseFor(tx store.Tx, tb *routing.Table, w assign.Waiting, now time.Time, save func(conversation.Change) error) (*conversation.Offer, error) {
	teaching, ok := tx.(teachingTx)
	if !ok {
		return nil, nil // outside of change nothing would be learnt of it: the assigner offers it
	}
	m := teaching.lesson.m
	if outdated, err := m.outdated(tx, tb); err != nil || outdated {
		return nil, err // who works by the newer table offers it
	}
	for range maxChoices {
		c, before := m.choose(teaching.lesson, w, now)
		r := round{matching: m, table: tb, found: before, again: map[string]bool{}, later: map[string]bool{}}
		if err := r.offer(tx, save); err != nil {
			return nil, err
		}
		m.left(teaching.lesson, before, r.again, r.later, now)
		if c == nil {
			return nil, nil
		}
		agents, err := tx.Agents(c.Email)
		if err != nil {
			return nil, err
		}
		if now, err = tx.Now(); err != nil { // whoever had the agent locked may have taken long
			return nil, err
		}
		if c, ok := able(tb, w, c.Email, agents[c.Email], now); ok {
			offer := offerOf(c, agents[c.Email].Load, now)
			return &offer, nil
		}
		m.saw(c.Email, agents[c.Email], now)
	}
	return nil, nil // the assigner looks again
}
