// Package records computes what a contact centre reports on, from conversations' event logs. It is pure.
package records

import (
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Contact is one handoff, from the moment the customer was to get a human until no human has the conversation any more.
type Contact struct {
	Conversation string
	Number       int
	// Queued is when it came into the queue; zero where an agent took it from the AI before that.
	Queued time.Time
	// Answered is when the first agent owned it; zero if none did.
	Answered time.Time
	// Ended is when it went back to the AI, to another system, or was closed; zero while it is in progress.
	Ended time.Time
	// Outside says that a phone line or a helpdesk got it.
	Outside bool
	// Postponed says that the customer left word how to be reached, and is not waiting any more.
	Postponed bool
	// Disposition is what the agent who resolved it said came of it.
	Disposition string
	// Work is who owned it when.
	Work []Stretch
}

// Stretch is a time in which an agent owned a contact, or wrapped it up. To is zero while they own it.
type Stretch struct {
	Agent    string
	From, To time.Time
}

// Contacts reads the handoffs of one conversation out of its whole log.
func Contacts(id string, events []conversation.Event) []Contact {
	r := &reading{id: id, wrapUps: map[string]place{}}
	for _, e := range events {
		r.event(e)
	}
	return r.all
}

// reading is what was read of a log so far. now is the contact in progress, or nil.
type reading struct {
	id  string
	all []Contact
	now *Contact
	// queued says that the queue owns the conversation.
	queued bool
	// wrapUps has where the wrap-ups that go on are, by agent.
	wrapUps map[string]place
}

// place is a Stretch of a Contact, by their numbers from zero.
type place struct{ contact, work int }

func (r *reading) event(e conversation.Event) {
	if e.Type == conversation.EventHandoff && e.Handoff != nil {
		r.all = append(r.all, Contact{Conversation: r.id, Number: e.Handoff.Number})
		r.now = &r.all[len(r.all)-1]
		if e.Owner == nil && r.queued { // reopened for a human: it was in the queue already
			r.now.Queued = e.At
		}
	}
	if e.Owner != nil {
		r.queued = e.Owner.Kind == conversation.OwnerQueue
	}
	r.wrapUp(e)
	if r.now == nil {
		return
	}
	if e.Disposition != "" {
		r.now.Disposition = e.Disposition
	}
	switch e.Type {
	case conversation.EventSnoozed:
		r.stop(e.At)
	case conversation.EventWoken:
		if n := len(r.now.Work); n > 0 {
			r.work(r.now.Work[n-1].Agent, e.At)
		}
	case conversation.EventContactGiven:
		r.now.Postponed = true
	}
	if e.Owner != nil {
		r.owner(*e.Owner, e.At)
	}
}

// owner notes who has the contact now.
func (r *reading) owner(o conversation.Owner, at time.Time) {
	r.stop(at)
	switch o.Kind {
	case conversation.OwnerQueue:
		if r.now.Queued.IsZero() {
			r.now.Queued = at
		}
	case conversation.OwnerAgent:
		if r.now.Answered.IsZero() {
			r.now.Answered = at
		}
		r.work(o.ID, at)
	case conversation.OwnerLine, conversation.OwnerHelpdesk:
		r.now.Outside = true
	case conversation.OwnerAI, conversation.OwnerNobody:
		r.now.Ended = at
		r.now = nil
	}
}

func (r *reading) work(agent string, at time.Time) {
	r.now.Work = append(r.now.Work, Stretch{Agent: agent, From: at})
}

func (r *reading) stop(at time.Time) {
	if n := len(r.now.Work); n > 0 && r.now.Work[n-1].To.IsZero() {
		r.now.Work[n-1].To = at
	}
}

// wrapUp adds the time after a contact that its agent wraps it up, which is work as well, whoever has the conversation
// meanwhile.
func (r *reading) wrapUp(e conversation.Event) {
	if len(r.all) == 0 || e.Agent == nil {
		return
	}
	switch e.Type {
	case conversation.EventWrapUp:
		last := len(r.all) - 1
		r.wrapUps[e.Agent.ID] = place{last, len(r.all[last].Work)}
		r.all[last].Work = append(r.all[last].Work, Stretch{Agent: e.Agent.ID, From: e.At, To: e.Until})
	case conversation.EventWrapUpEnded:
		if at, ok := r.wrapUps[e.Agent.ID]; ok && e.At.Before(r.all[at.contact].Work[at.work].To) {
			r.all[at.contact].Work[at.work].To = e.At
		}
		delete(r.wrapUps, e.Agent.ID)
	}
}
