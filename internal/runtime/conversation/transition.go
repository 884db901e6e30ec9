package conversation

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Name names a transition.
type Name string

// The names of the transitions. Transitions lists what each needs and does.
const (
	CustomerWrites Name = "CustomerWrites"
	Reopen         Name = "Reopen"
	AIAnswers      Name = "AIAnswers"
	HandOff        Name = "HandOff"
	MakeOffer      Name = "MakeOffer"
	OfferExpires   Name = "OfferExpires"
	Accept         Name = "Accept"
	TakeOver       Name = "TakeOver"
	Adopt          Name = "Adopt"
	AgentReplies   Name = "AgentReplies"
	AgentNotes     Name = "AgentNotes"
	Resolve        Name = "Resolve"
	ReturnToAI     Name = "ReturnToAI"
)

// Transition is one row of the state machine. docs/conversation.md is drawn from these rows.
type Transition struct {
	Name Name
	// From are the owners in which it may happen.
	From []OwnerKind
	// To are the owners it leads to; empty means that the owner stays and the epoch with it.
	To []OwnerKind
	// Guard says what else must hold, and Effect what is written, for the reader of the docs.
	Guard, Effect string
}

// Transitions is the whole state machine: what is not in it cannot happen.
var Transitions = []Transition{
	{CustomerWrites, []OwnerKind{OwnerAI, OwnerQueue, OwnerAgent}, nil,
		"the message's client id is new", "the message; the AI owes an answer where it is the owner"},
	{Reopen, []OwnerKind{OwnerNobody}, []OwnerKind{OwnerAI},
		"the customer writes to a closed conversation", "reopened, a fresh window, the message; the AI owes an answer"},
	{AIAnswers, []OwnerKind{OwnerAI}, nil,
		"the epoch is the one the turn began with, and the answer is still owed", "the AI's message with its sources"},
	{HandOff, []OwnerKind{OwnerAI}, []OwnerKind{OwnerQueue},
		"the epoch is the one the turn began with, and the answer is still owed", "the released part of a cut answer, the handoff with both summaries, what the customer is told"},
	{MakeOffer, []OwnerKind{OwnerQueue}, nil,
		"no offer is open; the agent is on shift, present, able and below capacity", "the offer, which takes the agent's capacity"},
	{OfferExpires, []OwnerKind{OwnerQueue}, nil,
		"an offer is open", "the offer ends, its place in the queue stays"},
	{Accept, []OwnerKind{OwnerQueue}, []OwnerKind{OwnerAgent},
		"the open offer is this agent's and its time is not up", "assigned, what the customer is told"},
	{TakeOver, []OwnerKind{OwnerAI, OwnerQueue}, []OwnerKind{OwnerAgent},
		"an agent of the Copilot", "the released part of a cut answer, the handoff where there was none, taken over"},
	{Adopt, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerAgent},
		"an agent of the Copilot; the owner is in no pool any more", "taken over, what the customer is told"},
	{AgentReplies, []OwnerKind{OwnerAgent}, nil,
		"the agent is the owner", "the agent's message"},
	{AgentNotes, []OwnerKind{OwnerAI, OwnerQueue, OwnerAgent, OwnerNobody}, nil,
		"an agent of the Copilot", "a note that the customer never sees"},
	{Resolve, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerAI, OwnerNobody},
		"the agent is the owner", "resolved; the AI answers again with a fresh window, or the conversation is closed"},
	{ReturnToAI, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerAI},
		"the agent is the owner", "returned; the AI answers again with a fresh window"},
}

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
	s.conv.Owner = to
	s.conv.Epoch++
	s.conv.Offer = nil
	return &to
}

// append writes an event down with the next sequence number.
func (s *step) append(e Event) {
	s.conv.Seq++
	e.Seq, e.Epoch, e.At = s.conv.Seq, s.conv.Epoch, s.now
	s.evs = append(s.evs, e)
}

// tell writes down what the customer is told, if anything.
func (s *step) tell(text string) {
	if text != "" {
		s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorSystem}, Text: text})
	}
}

func (s *step) done() (Change, error) { return Change{Conversation: s.conv, Events: s.evs}, nil }
