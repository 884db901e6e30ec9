package audit

import (
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// room judges what an agent held when an offer was made. Of what happened at the same instant the order is not known, so
// it does not count.
func (a *Auditor) room(o offer) {
	room := o.event.Room
	if room == nil {
		return
	}
	bad := func(held int) {
		a.violations = append(a.violations, Violation{Room, o.conversation, o.event.Seq, fmt.Sprintf(
			"the offer to %s makes it %d units of %d", o.event.Agent.ID, held, room.Capacity)})
	}
	if room.Held > room.Capacity {
		bad(room.Held)
		return
	}
	held := o.event.Cost
	for _, h := range a.holds[o.event.Agent.ID] {
		if h.from.Before(o.event.At) && (h.to.IsZero() || h.to.After(o.event.At)) {
			held += h.units
		}
	}
	if held > room.Capacity {
		bad(held)
	}
}

// present judges whether the agent of an offer was online.
func (a *Auditor) present(o offer) {
	if a.presences == nil || o.event.At.Before(a.PresencesFrom) {
		return
	}
	state := "never online"
	for _, p := range a.presences[o.event.Agent.ID] {
		if p.At.After(o.event.At) {
			break
		}
		if state != "online" || p.At.Before(o.event.At) { // of the same instant the order is not known
			state = p.State
		}
	}
	if state != "online" {
		a.violations = append(a.violations, Violation{Present, o.conversation, o.event.Seq, fmt.Sprintf(
			"the offer went to %s, who was %s", o.event.Agent.ID, state)})
	}
}

// held keeps what agents hold of the conversation, and the offers made.
func (r *reading) held() {
	var now *hold
	var agent string
	end := func(at time.Time) {
		if now != nil {
			now.to = at
			r.hold(agent, *now)
		}
		now = nil
	}
	begin := func(who string, e conversation.Event, units int) {
		end(e.At)
		agent = who
		now = &hold{conversation: r.log.Conversation.ID, seq: e.Seq, units: units, from: e.At}
	}
	units := 0
	wrapUps := map[string]hold{}
	for _, e := range r.log.Events {
		switch e.Type {
		case conversation.EventWrapUp:
			wrapUps[e.Agent.ID] = hold{conversation: r.log.Conversation.ID, seq: e.Seq, units: e.Cost, from: e.At}
			continue
		case conversation.EventWrapUpEnded:
			h := wrapUps[e.Agent.ID]
			h.to = e.At
			r.hold(e.Agent.ID, h)
			delete(wrapUps, e.Agent.ID)
			continue
		case conversation.EventOffered:
			r.offers = append(r.offers, offer{r.log.Conversation.ID, e})
			begin(e.Agent.ID, e, e.Cost)
			continue
		case conversation.EventOfferExpired, conversation.EventDeclined, conversation.EventOfferWithdrawn, conversation.EventSnoozed:
			end(e.At)
			continue
		case conversation.EventWoken:
			if units > 0 {
				begin(agent, e, units)
			}
			continue
		}
		if e.Owner == nil {
			continue
		}
		end(e.At)
		units = 0
		if e.Owner.Kind == conversation.OwnerAgent && e.Agent != nil {
			units = e.Cost
			begin(e.Agent.ID, e, units)
		}
	}
	end(time.Time{})
	for agent, h := range wrapUps {
		r.hold(agent, h)
	}
}

// hold keeps what an agent held.
func (a *Auditor) hold(agent string, h hold) {
	if a.holds == nil {
		a.holds = map[string][]hold{}
	}
	a.holds[agent] = append(a.holds[agent], h)
}
