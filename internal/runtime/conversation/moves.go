package conversation

import (
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Start makes a new conversation, which belongs to the AI. A greeting is its first message.
func Start(c Conversation, greeting string, now time.Time) Change {
	c.Owner, c.Epoch, c.CreatedAt, c.UpdatedAt = Owner{Kind: OwnerAI}, 1, now, now
	s := &step{conv: c, now: now}
	s.append(Event{Type: EventStarted, Author: Author{Kind: AuthorSystem}, Owner: &c.Owner})
	if greeting != "" {
		s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorAI}, Text: greeting})
	}
	return Change{Conversation: s.conv, Events: s.evs}
}

// CustomerWrites appends a customer's message. Where the AI owns the conversation, it owes an answer afterwards; a
// closed conversation is reopened for the AI. The caller makes sure that clientID is new.
func (c Conversation) CustomerWrites(clientID, text string, now time.Time) (Change, error) {
	name := CustomerWrites
	if c.Owner.Kind == OwnerNobody {
		name = Reopen
	}
	s, err := c.begin(name, now)
	if err != nil {
		return Change{}, err
	}
	if name == Reopen {
		owner := s.give(Owner{Kind: OwnerAI})
		s.append(Event{Type: EventReopened, Author: Author{Kind: AuthorSystem}, Owner: owner})
		s.freshWindow(c.Background)
	}
	s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorCustomer, ID: c.Customer.ID, Name: c.Customer.Name},
		Text: text, ClientID: clientID})
	s.conv.LastCustomer = s.conv.Seq
	if s.conv.Owner.Kind == OwnerAI {
		s.conv.Pending = s.conv.Seq
	}
	return s.done()
}

// AIAnswers appends the AI's answer to the customer's message answerTo, in a turn that began at epoch. It returns
// ErrStale when the conversation has changed hands since or the message was answered. A message that the customer
// wrote meanwhile stays owed.
func (c Conversation) AIAnswers(epoch, answerTo int64, a Answer, now time.Time) (Change, error) {
	if c.stale(epoch, answerTo) {
		return Change{}, ErrStale
	}
	s, err := c.begin(AIAnswers, now)
	if err != nil {
		return Change{}, err
	}
	s.answer(answerTo, a)
	s.conv.Turns++
	s.conv.NotUnderstood++
	if a.Understood {
		s.conv.NotUnderstood = 0
	}
	return s.done()
}

// HandOff gives the conversation to the queue, in a turn for the customer's message answerTo that began at epoch, and
// tells the customer. What the turn released of an answer before, if anything, is kept as cut. It returns ErrStale as
// AIAnswers does.
func (c Conversation) HandOff(epoch, answerTo int64, h Handoff, cut *Answer, told []string, now time.Time) (Change, error) {
	if c.stale(epoch, answerTo) {
		return Change{}, ErrStale
	}
	s, err := c.begin(HandOff, now)
	if err != nil {
		return Change{}, err
	}
	s.cut(answerTo, cut)
	s.handoff(h, s.give(Owner{Kind: OwnerQueue}))
	for _, text := range told {
		s.tell(text)
	}
	return s.done()
}

// MakeOffer holds the conversation out to one agent.
func (c Conversation) MakeOffer(o Offer, now time.Time) (Change, error) {
	s, err := c.begin(MakeOffer, now)
	if err != nil {
		return Change{}, err
	}
	if c.Offer != nil {
		return s.refuse("it is offered to %s until %s", c.Offer.Agent.Email, c.Offer.ExpiresAt.Format(time.RFC3339))
	}
	s.conv.Offer = &o
	s.append(Event{Type: EventOffered, Author: Author{Kind: AuthorSystem}, Agent: o.Agent.author()})
	return s.done()
}

// OfferExpires ends the open offer. Its agent comes after the others when the conversation is offered again.
func (c Conversation) OfferExpires(now time.Time) (Change, error) {
	s, err := c.begin(OfferExpires, now)
	if err != nil {
		return Change{}, err
	}
	if c.Offer == nil {
		return s.refuse("no offer is open")
	}
	s.conv.Offer = nil
	if !slices.Contains(s.conv.Passed, c.Offer.Agent.Email) {
		s.conv.Passed = append(s.conv.Passed, c.Offer.Agent.Email)
	}
	s.append(Event{Type: EventOfferExpired, Author: Author{Kind: AuthorSystem}, Agent: c.Offer.Agent.author()})
	return s.done()
}

// Accept gives the conversation to the agent who has the offer, and tells the customer.
func (c Conversation) Accept(agent Person, told string, now time.Time) (Change, error) {
	s, err := c.begin(Accept, now)
	if err != nil {
		return Change{}, err
	}
	if c.Offer == nil || c.Offer.Agent.Email != agent.Email {
		return s.refuse("it is not offered to %s now; take it over instead", agent.Email)
	}
	if !now.Before(c.Offer.ExpiresAt) {
		return s.refuse("the offer to %s expired at %s; take it over instead", agent.Email, c.Offer.ExpiresAt.Format(time.RFC3339))
	}
	owner := s.give(Owner{Kind: OwnerAgent, ID: agent.Email})
	s.conv.Cost = c.Offer.Cost
	s.append(Event{Type: EventAssigned, Author: *agent.author(), Agent: agent.author(), Owner: owner})
	s.tell(told)
	return s.done()
}

// TakeOver gives the conversation to an agent, from the AI or the queue. h describes the handoff where none is in
// progress; cut is what the AI's running turn has released, if it has one, and is left out where that turn's answer is in
// the log already; cost is what it takes of the agent's
// capacity, which an agent may overdraw by their own will.
func (c Conversation) TakeOver(agent Person, cost int, h Handoff, cut *Cut, told string, now time.Time) (Change, error) {
	s, err := c.begin(TakeOver, now)
	if err != nil {
		return Change{}, err
	}
	if cut != nil && !c.stale(cut.Epoch, cut.AnswerTo) {
		s.cut(cut.AnswerTo, &cut.Answer)
	}
	owner := s.give(Owner{Kind: OwnerAgent, ID: agent.Email})
	s.conv.Cost = cost
	if c.Owner.Kind == OwnerAI {
		h.Reason = v1alpha1.HandoffAgentTookOver
		s.handoff(h, nil)
	}
	s.append(Event{Type: EventTakenOver, Author: *agent.author(), Agent: agent.author(), Owner: owner})
	s.tell(told)
	return s.done()
}

// Adopt gives an agent the conversation of another who is in no pool any more. The caller makes sure of that.
func (c Conversation) Adopt(agent Person, cost int, told string, now time.Time) (Change, error) {
	s, err := c.begin(Adopt, now)
	if err != nil {
		return Change{}, err
	}
	owner := s.give(Owner{Kind: OwnerAgent, ID: agent.Email})
	s.conv.Cost = cost
	s.append(Event{Type: EventTakenOver, Author: *agent.author(), Agent: agent.author(), Owner: owner})
	s.tell(told)
	return s.done()
}

// AgentReplies appends a message of the agent who owns the conversation. The caller makes sure that clientID is new.
func (c Conversation) AgentReplies(agent Person, clientID, text string, now time.Time) (Change, error) {
	s, err := c.beginAs(AgentReplies, agent, now)
	if err != nil {
		return Change{}, err
	}
	s.append(Event{Type: EventMessage, Author: *agent.author(), Text: text, ClientID: clientID})
	s.conv.LastHuman = s.conv.Seq
	return s.done()
}

// AgentNotes appends a note that only agents see. The caller makes sure that clientID is new.
func (c Conversation) AgentNotes(agent Person, clientID, text string, now time.Time) (Change, error) {
	s, err := c.begin(AgentNotes, now)
	if err != nil {
		return Change{}, err
	}
	s.append(Event{Type: EventNote, Author: *agent.author(), Text: text, ClientID: clientID})
	return s.done()
}

// Resolve ends the human part. With toAI the AI answers again, with background as its summary of the human part;
// otherwise the conversation is closed.
func (c Conversation) Resolve(agent Person, toAI bool, background, told string, now time.Time) (Change, error) {
	to := Owner{Kind: OwnerNobody}
	if toAI {
		to = Owner{Kind: OwnerAI}
	}
	return c.release(Resolve, EventResolved, agent, to, background, told, now)
}

// ReturnToAI gives the conversation back to the AI, with background as its summary of the human part.
func (c Conversation) ReturnToAI(agent Person, background, told string, now time.Time) (Change, error) {
	return c.release(ReturnToAI, EventReturned, agent, Owner{Kind: OwnerAI}, background, told, now)
}

func (c Conversation) release(name Name, event EventType, agent Person, to Owner, background, told string, now time.Time) (Change, error) {
	s, err := c.beginAs(name, agent, now)
	if err != nil {
		return Change{}, err
	}
	owner := s.give(to)
	s.append(Event{Type: event, Author: *agent.author(), Owner: owner})
	s.tell(told)
	s.freshWindow(background)
	return s.done()
}

// beginAs begins a transition that only the agent who owns the conversation may make.
func (c Conversation) beginAs(name Name, agent Person, now time.Time) (*step, error) {
	s, err := c.begin(name, now)
	if err != nil {
		return nil, err
	}
	if c.Owner.ID != agent.Email {
		return nil, &Refusal{name, c.Owner, "the conversation belongs to " + c.Owner.describe()}
	}
	return s, nil
}

func (c Conversation) stale(epoch, answerTo int64) bool {
	return c.Owner.Kind != OwnerAI || c.Epoch != epoch || answerTo > c.Pending || answerTo <= max(c.Answered, c.Window)
}

// answer writes the AI's message down, in the epoch in which it was said.
func (s *step) answer(answerTo int64, a Answer) {
	s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorAI}, Text: a.Text, Sources: a.Sources,
		AnswerTo: answerTo, Unanswered: !a.Understood && !a.Interrupted, Interrupted: a.Interrupted})
	s.conv.Answered = answerTo
	if s.conv.Pending <= answerTo {
		s.conv.Pending = 0
	}
}

// cut writes down what a customer has seen of an answer that ends here.
func (s *step) cut(answerTo int64, cut *Answer) {
	if cut == nil || cut.Text == "" {
		return
	}
	a := *cut
	a.Interrupted = true
	s.answer(answerTo, a)
}

// handoff writes the handoff down and makes it the one in progress.
func (s *step) handoff(h Handoff, owner *Owner) {
	s.conv.Pending = 0
	s.conv.Handoffs++
	h.Number, h.At = s.conv.Handoffs, s.now
	s.conv.Handoff = &h
	s.conv.Passed = nil
	s.append(Event{Type: EventHandoff, Author: Author{Kind: AuthorSystem}, Owner: owner, Handoff: &h})
}

// freshWindow lets the AI begin anew: what was said before cannot trigger a handoff again.
func (s *step) freshWindow(background string) {
	s.conv.Window, s.conv.Background = s.conv.Seq, background
	s.conv.Turns, s.conv.NotUnderstood, s.conv.Pending = 0, 0, 0
	s.conv.Handoff, s.conv.Passed, s.conv.Cost = nil, nil, 0
}

func (p Person) author() *Author { return &Author{Kind: AuthorAgent, ID: p.Email, Name: p.Name} }
