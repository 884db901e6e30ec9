package conversation

import (
	"slices"
	"time"
)

// Absence is why nobody is there for a conversation that waits.
type Absence string

// The values of Absence.
const (
	// Closed: nobody of any target is on shift.
	Closed Absence = "closed"
	// Busy: agents are on shift, but none took it in the time that the policy gives.
	Busy Absence = "busy"
)

// AgentGone takes a conversation from an agent who is not there any more, and puts it back to its old place in the
// queue, where the customer's newest message has no human's answer. The caller makes sure that the agent is gone.
func (c Conversation) AgentGone(told []string, now time.Time) (Change, error) {
	s, err := c.begin(AgentGone, now)
	if err != nil {
		return Change{}, err
	}
	if !c.Unanswered() || !c.SnoozedUntil.IsZero() {
		return s.refuse("the customer waits for nothing")
	}
	s.append(Event{Type: EventRequeued, Author: Author{Kind: AuthorSystem}, Agent: &Author{Kind: AuthorAgent, ID: c.Owner.ID},
		Owner: s.give(Owner{Kind: OwnerQueue})})
	for _, text := range told {
		s.tell(text)
	}
	return s.done()
}

// NobodyThere notes that nobody is there for a conversation that waits, and tells the customer, once for each reason.
func (c Conversation) NobodyThere(why Absence, told []string, now time.Time) (Change, error) {
	s, err := c.begin(NobodyThere, now)
	if err != nil {
		return Change{}, err
	}
	if c.ToldOf(why) {
		return s.refuse("the customer was told that it is %s", why)
	}
	s.conv.Absences = append(slices.Clone(c.Absences), why)
	s.append(Event{Type: EventUnavailable, Author: Author{Kind: AuthorSystem}, Absence: why})
	for _, text := range told {
		s.tell(text)
	}
	return s.done()
}

// ToldOf says whether the customer was told in this wait that nobody is there for a reason.
func (c Conversation) ToldOf(why Absence) bool {
	return slices.Contains(c.Absences, why)
}

// Inform tells a customer who waits something that changes nothing.
func (c Conversation) Inform(told string, now time.Time) (Change, error) {
	s, err := c.begin(Inform, now)
	if err != nil {
		return Change{}, err
	}
	s.tell(told)
	return s.done()
}
