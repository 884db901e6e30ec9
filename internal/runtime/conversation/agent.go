package conversation

import (
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// MaxReturns is how often a conversation goes back to the AI. Given back once more it stays with humans: what bounces
// between the AI and people is not for the AI.
const MaxReturns = 3

// Outcome is how the human part of a conversation ends.
type Outcome struct {
	// ToAI lets the AI answer again; otherwise the conversation is closed.
	ToAI bool
	// Disposition is what came of it.
	Disposition string
	// Background is the AI's summary of the human part.
	Background string
	// Told is what the customer is told.
	Told string
}

// TakeOver gives the conversation to an agent, from the AI, the queue or a line. h describes the handoff where none is in
// progress; cut is what the AI's running turn has released, if it has one, and is left out where that turn's answer is in
// the log already; cost is what it takes of the agent's capacity, which an agent may overdraw by their own will.
func (c Conversation) TakeOver(agent Person, cost int, h Handoff, cut *Cut, told string, now time.Time) (Change, error) {
	s, err := c.begin(TakeOver, now)
	if err != nil {
		return Change{}, err
	}
	s.cutShort(c, cut)
	owner := s.give(Owner{Kind: OwnerAgent, ID: agent.Email})
	s.conv.Cost = cost
	if c.Owner.Kind == OwnerAI {
		h.Reason = v1alpha1.HandoffAgentTookOver
		s.handoff(h, nil)
	}
	s.append(Event{Type: EventTakenOver, Author: *agent.author(), Agent: agent.author(), Cost: cost, Owner: owner})
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
	s.append(Event{Type: EventTakenOver, Author: *agent.author(), Agent: agent.author(), Cost: cost, Owner: owner})
	s.tell(told)
	return s.done()
}

// AgentReplies appends a message of the agent who owns the conversation. If the customer stays silent for idle after it,
// the conversation goes back to the AI; zero stands for never. The caller makes sure that clientID is new.
func (c Conversation) AgentReplies(agent Person, clientID, text string, idle time.Duration, now time.Time) (Change, error) {
	s, err := c.beginAs(AgentReplies, agent, now)
	if err != nil {
		return Change{}, err
	}
	s.wake(*agent.author())
	s.append(Event{Type: EventMessage, Author: *agent.author(), Text: text, ClientID: clientID})
	s.conv.LastHuman, s.conv.ReturnAt = s.conv.Seq, time.Time{}
	if idle > 0 {
		s.conv.ReturnAt = now.Add(idle)
	}
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

// Transfer sends a conversation on, with a note for the next human: to a colleague or a pool, who are offered it, or to a
// line or helpdesk, which owns it at once. Its place in the queue is that of a wait that begins now.
func (c Conversation) Transfer(agent Person, to Target, note string, told []string, now time.Time) (Change, error) {
	s, err := c.beginAs(Transfer, agent, now)
	if err != nil {
		return Change{}, err
	}
	if to.Agent == agent.Email {
		return s.refuse("it is yours already; name a colleague, a pool, a line or a helpdesk")
	}
	s.sendOn(*agent.author(), to, note)
	for _, text := range told {
		s.tell(text)
	}
	return s.done()
}

// sendOn gives the conversation to a target, for a wait of its own.
func (s *step) sendOn(by Author, to Target, note string) {
	owner := s.give(to.owner())
	s.conv.Passed = nil
	h := s.amend(func(h *Handoff) { h.Pinned, h.Note, h.At = &to, note, s.now })
	s.append(Event{Type: EventTransferred, Author: by, Owner: owner, Target: &to, Text: note, Handoff: h})
}

// Snooze puts a conversation off until a time, or until the customer writes. Its agent keeps it, but it takes none of
// their capacity meanwhile, and the customer's silence does not count.
func (c Conversation) Snooze(agent Person, until, now time.Time) (Change, error) {
	s, err := c.beginAs(Snooze, agent, now)
	if err != nil {
		return Change{}, err
	}
	if !until.After(now) {
		return s.refuse("%s is past; name a time to come", until.Format(time.RFC3339))
	}
	s.rested()
	s.conv.SnoozedUntil, s.conv.SnoozedAt, s.conv.ReturnAt = until, now, time.Time{}
	s.append(Event{Type: EventSnoozed, Author: *agent.author(), Until: until})
	return s.done()
}

// Wake ends a snooze, because an agent wants it or, with nil, because its time has come.
func (c Conversation) Wake(agent *Person, now time.Time) (Change, error) {
	s, err := c.begin(Wake, now)
	if err != nil {
		return Change{}, err
	}
	by := Author{Kind: AuthorSystem}
	switch {
	case c.SnoozedUntil.IsZero():
		return s.refuse("it is not snoozed")
	case agent != nil && agent.Email != c.Owner.ID:
		return s.refuse("the conversation belongs to %s", c.Owner.describe())
	case agent != nil:
		by = *agent.author()
	case now.Before(c.SnoozedUntil):
		return s.refuse("it is snoozed until %s", c.SnoozedUntil.Format(time.RFC3339))
	}
	s.wake(by)
	return s.done()
}

// wake ends a snooze, if there is one.
func (s *step) wake(by Author) {
	if !s.conv.SnoozedUntil.IsZero() {
		s.rested()
		s.conv.SnoozedUntil = time.Time{}
		s.append(Event{Type: EventWoken, Author: by})
	}
}

// rested adds up for how long it was put off until now.
func (s *step) rested() {
	if !s.conv.SnoozedAt.IsZero() {
		s.conv.Rested += s.now.Sub(s.conv.SnoozedAt)
		s.conv.SnoozedAt = time.Time{}
	}
}

// Resolve ends the human part, and with it the handoff.
func (c Conversation) Resolve(agent Person, o Outcome, now time.Time) (Change, error) {
	s, err := c.beginAs(Resolve, agent, now)
	if err != nil {
		return Change{}, err
	}
	return s.end(EventResolved, *agent.author(), o)
}

// ReturnToAI gives the conversation back to the AI, with background as its summary of the human part.
func (c Conversation) ReturnToAI(agent Person, background, told string, now time.Time) (Change, error) {
	s, err := c.beginAs(ReturnToAI, agent, now)
	if err != nil {
		return Change{}, err
	}
	if c.Returns >= MaxReturns {
		return s.refuse("%s; resolve it, or transfer it", bounced(c.Returns))
	}
	return s.end(EventReturned, *agent.author(), Outcome{ToAI: true, Background: background, Told: told})
}

// IdleReturn gives a conversation back to the AI whose customer has been silent for long enough.
func (c Conversation) IdleReturn(background, told string, now time.Time) (Change, error) {
	s, err := c.begin(IdleReturn, now)
	if err != nil {
		return Change{}, err
	}
	if c.ReturnAt.IsZero() || now.Before(c.ReturnAt) {
		return s.refuse("the customer has not been silent for long enough")
	}
	return s.end(EventReturned, Author{Kind: AuthorSystem}, Outcome{ToAI: true, Background: background, Told: told})
}

// end gives the conversation to the AI or to nobody. What went back to the AI too often is closed instead.
func (s *step) end(event EventType, by Author, o Outcome) (Change, error) {
	to := Owner{Kind: OwnerNobody}
	kept := o.ToAI && s.conv.Returns >= MaxReturns
	if o.ToAI && !kept {
		to = Owner{Kind: OwnerAI}
		s.conv.Returns++
	}
	if event == EventResolved {
		s.conv.Disposition = o.Disposition
	}
	s.append(Event{Type: event, Author: by, Owner: s.give(to), Disposition: o.Disposition})
	if kept {
		s.append(Event{Type: EventNote, Author: Author{Kind: AuthorSystem},
			Text: "Closed, and not given to the AI: " + bounced(s.conv.Returns) + ". If the customer writes again it goes to a human."})
	}
	s.tell(o.Told)
	s.freshWindow(o.Background)
	return s.done()
}

// Bounced says whether a conversation went back to the AI so often that it stays with humans.
func (c Conversation) Bounced() bool { return c.Returns >= MaxReturns }

func bounced(n int) string {
	return fmt.Sprintf("it went back to the AI %d times and needed a human again, so it stays with humans", n)
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

func (p Person) author() *Author { return &Author{Kind: AuthorAgent, ID: p.Email, Name: p.Name} }
