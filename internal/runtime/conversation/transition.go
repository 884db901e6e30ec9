package conversation

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrStale refuses what the AI says in a turn that began before the owner changed, or that was answered already.
var ErrStale = errors.New("the turn is over: the conversation has changed hands or was answered")

// Refusal says why a transition may not happen. Message is for the person who asked for it.
type Refusal struct {
	Transition Name
	Owner      Owner
	Message    string
}

// Error makes a Refusal an error.
func (r *Refusal) Error() string { return fmt.Sprintf("%s refused: %s", r.Transition, r.Message) }

// step is a transition in progress.
type step struct {
	row  Transition
	conv Conversation
	evs  []Event
	now  time.Time
	// handled and ended are for the Change.
	handled *Handled
	ended   *Course
}

// begin looks the transition up and checks that the owner allows it.
func (c Conversation) begin(name Name, now time.Time) (*step, error) {
	i := slices.IndexFunc(Transitions, func(t Transition) bool { return t.Name == name })
	row := Transitions[i]
	if !slices.Contains(row.From, c.Owner.Kind) {
		return nil, &Refusal{name, c.Owner, "the conversation belongs to " + c.Owner.describe()}
	}
	c.Passed = slices.Clone(c.Passed)
	c.UpdatedAt = now
	return &step{row: row, conv: c, now: now}, nil
}

func (o Owner) describe() string {
	switch o.Kind {
	case OwnerAI:
		return "the AI"
	case OwnerQueue:
		return "the queue"
	case OwnerAgent:
		return "agent " + o.ID
	case OwnerLine:
		return "line " + o.ID
	case OwnerHelpdesk:
		return "helpdesk " + o.ID
	default:
		return "nobody: it is closed"
	}
}

// refuse ends the step with a Refusal.
func (s *step) refuse(format string, args ...any) (Change, error) {
	return Change{}, &Refusal{s.row.Name, s.conv.Owner, fmt.Sprintf(format, args...)}
}

// give changes the owner and raises the epoch, once per step.
func (s *step) give(to Owner) *Owner {
	if !slices.Contains(s.row.To, to.Kind) {
		panic(fmt.Sprintf("conversation: transition %s does not lead to %s", s.row.Name, to.Kind))
	}
	s.follow(to)
	if s.conv.Owner.Kind == OwnerAgent {
		s.conv.LastAgentAt = s.now
	}
	s.conv.Owner = to
	s.conv.Epoch++
	s.conv.Offer, s.conv.Cost = nil, 0
	s.conv.Pool, s.conv.AssignedAt, s.conv.Absences = "", time.Time{}, nil
	s.conv.SnoozedUntil, s.conv.ReturnAt, s.conv.ClosedAt = time.Time{}, time.Time{}, time.Time{}
	s.conv.SnoozedAt, s.conv.Rested = time.Time{}, 0
	switch to.Kind {
	case OwnerAgent:
		s.conv.LastAgent, s.conv.LastAgentAt = to.ID, s.now
		s.conv.AssignedAt = s.now
	case OwnerNobody:
		s.conv.ClosedAt = s.now
	}
	return &to
}

// amend changes the handoff in progress, which goes on with the same number.
func (s *step) amend(change func(*Handoff)) *Handoff {
	h := *s.conv.Handoff
	change(&h)
	s.conv.Handoff = &h
	return &h
}

// append writes an event down with the next sequence number.
func (s *step) append(e Event) {
	s.conv.Seq++
	if e.Type == EventMessage {
		s.conv.Messages++
	}
	e.Seq, e.Epoch, e.At = s.conv.Seq, s.conv.Epoch, s.now
	s.evs = append(s.evs, e)
}

// tell writes down what the customer is told, if anything.
func (s *step) tell(text string) {
	if text != "" {
		s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorSystem}, Text: text})
	}
}

func (s *step) done() (Change, error) {
	return Change{Conversation: s.conv, Events: s.evs, Handled: s.handled, Ended: s.ended}, nil
}
