package conversation

import (
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Reassignment is what a supervisor decides about a conversation.
type Reassignment struct {
	// To is the kind of the new owner: Agent, Queue, AI or Nobody.
	To OwnerKind
	// Agent is the new owner for Agent, and Cost the units it takes of their capacity, which may be overdrawn.
	Agent Person
	Cost  int
	// Target is who it waits for in the queue; nil stands for whoever the route names.
	Target *Target
	// Note is for the next human.
	Note string
	// Handoff describes the handoff where none is in progress. One in progress that no route was chosen for, since an agent
	// took it over, gets its route and points in the queue. Cut is as for TakeOver.
	Handoff Handoff
	Cut     *Cut
	// Background is the AI's summary of the human part.
	Background string
	// Told is what the customer is told, in order.
	Told []string
}

func (r Reassignment) owner() Owner {
	if r.To == OwnerAgent {
		return Owner{OwnerAgent, r.Agent.Email}
	}
	return Owner{Kind: r.To}
}

// Reassign gives a conversation to whom a supervisor says, whoever has it. Given to the AI, it may go back to it as often
// as a new one.
func (c Conversation) Reassign(by Person, r Reassignment, now time.Time) (Change, error) {
	name := Reassign
	if r.To == OwnerAI {
		name = ReassignToAI
	}
	s, err := c.begin(name, now)
	if err != nil {
		return Change{}, err
	}
	to := r.owner()
	if to == c.Owner && (to.Kind != OwnerQueue || samePlace(c.Handoff.Pinned, r.Target)) {
		return s.refuse("the conversation belongs to %s already", c.Owner.describe())
	}
	s.cutShort(c, r.Cut)
	e := Event{Type: EventReassigned, Author: *by.author(), Target: r.Target, Text: r.Note}
	if to != c.Owner {
		e.Owner = s.give(to)
	} else if c.Offer != nil {
		s.conv.Offer = nil
		s.append(Event{Type: EventOfferWithdrawn, Author: *by.author(), Agent: c.Offer.Agent.author()})
	}
	human := to.Kind == OwnerAgent || to.Kind == OwnerQueue
	if human {
		e.Handoff = s.handTo(r)
	}
	if to.Kind == OwnerAgent {
		s.conv.Cost = r.Cost
		e.Agent, e.Cost = r.Agent.author(), r.Cost
	}
	s.append(e)
	for _, text := range r.Told {
		s.tell(text)
	}
	if !human {
		s.conv.Returns = 0
		s.freshWindow(r.Background)
	}
	return s.done()
}

// handTo begins a handoff to whom a reassignment names, or turns the one in progress to them, and returns it for the event.
func (s *step) handTo(r Reassignment) *Handoff {
	if s.conv.Handoff == nil {
		r.Handoff.Reason = v1alpha1.HandoffAgentTookOver
		s.handoff(r.Handoff, nil)
	}
	s.conv.Passed = nil
	return s.amend(func(h *Handoff) {
		h.Pinned, h.Note = r.Target, r.Note
		if r.To == OwnerQueue && h.Pinned == nil && h.Route == "" {
			h.Route, h.Priority = r.Handoff.Route, r.Handoff.Priority
		}
	})
}

func samePlace(a, b *Target) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// MergeInto closes a conversation in favour of another one of the same customer, which goes on for both. Both logs stay
// as they are; unanswered are the customer's messages here that nobody answered: they go on there. cut is as for TakeOver.
func (c Conversation) MergeInto(other Conversation, by Person, unanswered []Event, cut *Cut, now time.Time) (merged, goesOn Change, err error) {
	s, err := c.begin(Merge, now)
	if err != nil {
		return merged, goesOn, err
	}
	o, err := other.begin(Absorb, now)
	if err != nil {
		return merged, goesOn, err
	}
	if why := c.notOne(other); why != "" {
		merged, err = s.refuse("%s", why)
		return merged, goesOn, err
	}
	s.cutShort(c, cut)
	e := Event{Type: EventMerged, Author: *by.author(), Other: other.ID}
	if c.Owner.Kind != OwnerNobody {
		e.Owner = s.give(Owner{Kind: OwnerNobody})
	}
	o.append(Event{Type: EventAbsorbed, Author: *by.author(), Other: c.ID})
	s.conv.MergedInto, s.conv.MergedAt = other.ID, o.conv.Seq
	s.append(e)
	s.freshWindow(c.Background)
	merged, _ = s.done()

	for i, e := range unanswered {
		if i == 0 {
			o.wake(Author{Kind: AuthorSystem})
		}
		o.customerSays("", e.Text)
		said := &o.evs[len(o.evs)-1]
		if said.Other, said.Copied = c.ID, true; e.Copied {
			said.Other = e.Other
		}
	}
	goesOn, _ = o.done()
	return merged, goesOn, nil
}

// notOne says why two conversations cannot become one, or "".
func (c Conversation) notOne(other Conversation) string {
	switch {
	case c.ID == other.ID:
		return "it is the same conversation; name the one that is to go on"
	case c.MergedInto != "":
		return "it goes on in conversation " + c.MergedInto + " already"
	case !c.sameCustomer(other):
		return "the conversations are not of one customer: neither their id at the site nor their e-mail address is the same"
	default:
		return ""
	}
}

// sameCustomer says whether two conversations name one customer. It keeps an agent from a slip, no more.
func (c Conversation) sameCustomer(other Conversation) bool {
	a, b := c.Customer, other.Customer
	return a.ID != "" && a.ID == b.ID || a.Email != "" && strings.EqualFold(a.Email, b.Email)
}
