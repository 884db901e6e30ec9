package conversation

import (
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// WrapUp is the time after a conversation in which its units are not given out again: the agent writes up what came
// of it. It is the agent's and no part of the conversation, which others may have meanwhile.
type WrapUp struct {
	Agent Person               `json:"agent"`
	Pool  string               `json:"pool"`
	Over  v1alpha1.ChannelType `json:"over"`
	Units int                  `json:"units"`
	// Since is when the agent got the conversation, later by the time for which it was put off.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
}

// Handled is how long a conversation took an agent's capacity, wrap-up included, and when that ended. Pool is empty for
// one that they took over.
type Handled struct {
	Pool  string
	Over  v1alpha1.ChannelType
	Ended time.Time
	Took  time.Duration
}

// Course is how a handoff goes, as the contact centre's figures count it.
type Course struct {
	// Queued says that it came into the queue, Answered that an agent had it, Outside that a line or helpdesk had it,
	// Postponed that the customer left word how to be reached.
	Queued    bool `json:"queued,omitempty"`
	Answered  bool `json:"answered,omitempty"`
	Outside   bool `json:"outside,omitempty"`
	Postponed bool `json:"postponed,omitempty"`
}

// Ending is what came of a handoff that is over, for the customer.
type Ending string

// The values of Ending. EndTakenFromAI was never in the queue, and EndAbandoned is one whose customer waited for nothing.
const (
	EndAnswered    Ending = "answered"
	EndTakenFromAI Ending = "taken_from_ai"
	EndSentOutside Ending = "sent_outside"
	EndPostponed   Ending = "postponed"
	EndAbandoned   Ending = "abandoned"
)

// Endings are all of them.
var Endings = []Ending{EndAnswered, EndTakenFromAI, EndSentOutside, EndPostponed, EndAbandoned}

// Ending is that of a handoff that is over.
func (c Course) Ending() Ending {
	switch {
	case c.Answered && c.Queued:
		return EndAnswered
	case c.Answered:
		return EndTakenFromAI
	case c.Outside:
		return EndSentOutside
	case c.Postponed:
		return EndPostponed
	default:
		return EndAbandoned
	}
}

// had notes whose the conversation is.
func (c *Course) had(k OwnerKind) {
	c.Queued = c.Queued || k == OwnerQueue
	c.Answered = c.Answered || k == OwnerAgent
	c.Outside = c.Outside || k == OwnerLine || k == OwnerHelpdesk
}

// Worked is how long the agent who owns a conversation has had it, without the time for which it was put off.
func (c Conversation) Worked(now time.Time) time.Duration {
	if !c.SnoozedAt.IsZero() {
		now = c.SnoozedAt
	}
	return now.Sub(c.AssignedAt) - c.Rested
}

// follow notes what a change of owner is for the figures.
func (s *step) follow(to Owner) {
	if c := s.conv; c.Owner.Kind == OwnerAgent && !c.AssignedAt.IsZero() {
		s.handled = &Handled{Pool: c.Pool, Over: c.AnswerBy(), Ended: s.now, Took: c.Worked(s.now)}
	}
	s.conv.Course.had(s.conv.Owner.Kind) // what a release wrote that kept no course
	s.conv.Course.had(to.Kind)
	if to.Kind == OwnerAI || to.Kind == OwnerNobody {
		if ended := s.conv.Course; s.conv.Handoff != nil {
			s.ended = &ended
		}
		s.conv.Course = Course{}
	}
}

// BeginWrapUp keeps the units of a conversation that an agent has just let go of.
func (c Conversation) BeginWrapUp(w WrapUp, now time.Time) (Change, error) {
	s, err := c.begin(BeginWrapUp, now)
	if err != nil {
		return Change{}, err
	}
	s.append(Event{Type: EventWrapUp, Author: Author{Kind: AuthorSystem}, Agent: w.Agent.author(), Cost: w.Units, Until: w.Until})
	change, err := s.done()
	change.WrapUp = &w
	return change, err
}

// EndWrapUp gives the units of a wrap-up free: when its time is up, or the agent is done before. The caller makes sure
// that it goes on.
func (c Conversation) EndWrapUp(w WrapUp, now time.Time) (Change, error) {
	s, err := c.begin(EndWrapUp, now)
	if err != nil {
		return Change{}, err
	}
	ended := now
	if w.Until.Before(now) { // nobody looked in time
		ended = w.Until
	}
	s.handled = &Handled{Pool: w.Pool, Over: w.Over, Ended: ended, Took: ended.Sub(w.Since)}
	s.append(Event{Type: EventWrapUpEnded, Author: Author{Kind: AuthorSystem}, Agent: w.Agent.author()})
	change, err := s.done()
	change.WrapUp = &w
	return change, err
}
