package conversation

// What happens where a conversation is worked outside. It is for the adapters of phone lines and helpdesks, which are not
// served yet.

import "time"

// OutsideReplies appends the message of a human at the helpdesk that owns the conversation. The caller makes sure that
// clientID, the helpdesk's own id of it, is new.
func (c Conversation) OutsideReplies(name, clientID, text string, now time.Time) (Change, error) {
	s, err := c.begin(OutsideReplies, now)
	if err != nil {
		return Change{}, err
	}
	s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorAgent, Name: name}, Text: text, ClientID: clientID})
	s.conv.LastHuman = s.conv.Seq
	return s.done()
}

// OutsideEnds ends the human part of a conversation that a line or helpdesk owns: the call is over, the ticket solved.
func (c Conversation) OutsideEnds(o Outcome, now time.Time) (Change, error) {
	s, err := c.begin(OutsideEnds, now)
	if err != nil {
		return Change{}, err
	}
	return s.end(EventResolved, Author{Kind: AuthorSystem}, o)
}

// Requeue gives a conversation back to the queue that a line or helpdesk could not take, at its old place. why is for
// the next human.
func (c Conversation) Requeue(why string, told []string, now time.Time) (Change, error) {
	s, err := c.begin(Requeue, now)
	if err != nil {
		return Change{}, err
	}
	owner := s.give(Owner{Kind: OwnerQueue})
	h := s.amend(func(h *Handoff) { h.Pinned, h.Note = nil, why })
	s.append(Event{Type: EventRequeued, Author: Author{Kind: AuthorSystem}, Owner: owner, Text: why, Handoff: h})
	for _, text := range told {
		s.tell(text)
	}
	return s.done()
}
