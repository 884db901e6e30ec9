package conversation

import "time"

// Erase closes a conversation and takes out of its state what people wrote and who the customer is. by is the
// supervisor who did it, or the system where its time is over. The caller does the same to the log's events, by
// Event.Erased, in the same transaction. A conversation that was closed stays at its epoch.
func (c Conversation) Erase(by Author, now time.Time) (Change, error) {
	s, err := c.begin(Erase, now)
	if err != nil {
		return Change{}, err
	}
	if !c.ErasedAt.IsZero() {
		return s.refuse("it was erased at %s", c.ErasedAt.Format(time.RFC3339))
	}
	var owner *Owner
	if c.Owner.Kind != OwnerNobody {
		owner = s.give(Owner{Kind: OwnerNobody})
	}
	s.append(Event{Type: EventErased, Author: by, Owner: owner})
	s.freshWindow("")
	s.conv.Customer, s.conv.Contact, s.conv.Previous, s.conv.LeftAt = Customer{}, nil, nil, time.Time{}
	s.conv.ErasedAt = now
	if s.conv.ClosedAt.IsZero() {
		s.conv.ClosedAt = now
	}
	return s.done()
}

// Erased returns the event without what people wrote and without who the customer is: number, epoch, type, time, owner,
// agents and the kind of a handoff stay, so that the log still shows what happened and when.
func (e Event) Erased() Event {
	e.Text, e.ClientID, e.Sources, e.Contact, e.Voicemail = "", "", nil, nil, nil
	if e.Author.Kind != AuthorAgent {
		e.Author = Author{Kind: e.Author.Kind}
	}
	if h := e.Handoff; h != nil {
		bare := *h
		bare.Evidence, bare.Summary, bare.CustomerSummary, bare.Note = nil, "", "", ""
		e.Handoff = &bare
	}
	return e
}

// room is what is written down with an offer; nil where its maker did not say.
func (o Offer) room() *Room {
	if o.Room == (Room{}) {
		return nil
	}
	return &o.Room
}
