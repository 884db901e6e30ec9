package conversation

import "time"

// EventType names what happened.
type EventType string

// The values of EventType.
const (
	EventStarted   EventType = "started"
	EventMessage   EventType = "message"
	EventNote      EventType = "note"
	EventHandoff   EventType = "handoff"
	EventOffered   EventType = "offered"
	EventAssigned  EventType = "assigned"
	EventTakenOver EventType = "taken_over"
	EventResolved  EventType = "resolved"
	EventReturned  EventType = "returned"
	EventReopened  EventType = "reopened"

	// EventOfferExpired: the agent let the offer pass; EventDeclined: they said no; EventOfferWithdrawn: they went away, or
	// somebody else took the conversation's fate into their hands.
	EventOfferExpired   EventType = "offer_expired"
	EventDeclined       EventType = "declined"
	EventOfferWithdrawn EventType = "offer_withdrawn"

	EventTransferred EventType = "transferred"
	EventRequeued    EventType = "requeued"
	EventReassigned  EventType = "reassigned"
	EventSnoozed     EventType = "snoozed"
	EventWoken       EventType = "woken"

	EventCustomerLeft     EventType = "customer_left"
	EventCustomerReturned EventType = "customer_returned"
	EventContactAsked     EventType = "contact_asked"
	EventContactGiven     EventType = "contact_given"
	EventVoicemail        EventType = "voicemail"

	// EventUnavailable: nobody is there. EventWrapUp and EventWrapUpEnded frame the time after a conversation.
	EventUnavailable EventType = "unavailable"
	EventWrapUp      EventType = "wrap_up"
	EventWrapUpEnded EventType = "wrap_up_ended"

	// EventMerged ends the log of a conversation that goes on in another, EventAbsorbed is in the log of that other.
	EventMerged   EventType = "merged"
	EventAbsorbed EventType = "absorbed"
	// EventContinued: the customer came back too late to reopen the conversation, and a new one goes on for it.
	EventContinued EventType = "continued"
	EventErased    EventType = "erased"
)

// AuthorKind says what kind of party wrote an event.
type AuthorKind string

// The values of AuthorKind.
const (
	AuthorCustomer AuthorKind = "customer"
	AuthorAI       AuthorKind = "ai"
	AuthorAgent    AuthorKind = "agent"
	AuthorSystem   AuthorKind = "system"
)

// Author wrote an event. ID is an agent's e-mail address and is never shown to customers.
type Author struct {
	Kind AuthorKind `json:"kind"`
	ID   string     `json:"id,omitempty"`
	Name string     `json:"name,omitempty"`
}

// Event is one entry of a conversation's log. Seq rises by one from event to event of a conversation.
type Event struct {
	Seq    int64     `json:"seq"`
	Epoch  int64     `json:"epoch"`
	Type   EventType `json:"type"`
	At     time.Time `json:"at"`
	Author Author    `json:"author"`
	Text   string    `json:"text,omitempty"`
	// ClientID is the sender's own id of a message, by which a repeated one is recognised.
	ClientID string   `json:"clientId,omitempty"`
	Sources  []Source `json:"sources,omitempty"`
	// AnswerTo is the sequence number of the customer's message that an AI's message answers.
	AnswerTo int64 `json:"answerTo,omitempty"`
	// Unanswered is true on an AI's message that says it has no answer.
	Unanswered bool `json:"unanswered,omitempty"`
	// Interrupted is true on an AI's message that was cut by a takeover.
	Interrupted bool `json:"interrupted,omitempty"`
	// Owner is set on events that changed the owner: the owner since.
	Owner   *Owner   `json:"owner,omitempty"`
	Handoff *Handoff `json:"handoff,omitempty"`
	// Agent is the agent of an offer or assignment, and Cost the units of their capacity that it takes.
	Agent *Author `json:"agent,omitempty"`
	Cost  int     `json:"cost,omitempty"`
	// Target is who the conversation was sent to.
	Target *Target `json:"target,omitempty"`
	// Absence is why nobody is there.
	Absence Absence `json:"absence,omitempty"`
	// Away says that the agent who let an offer pass was set away for it.
	Away bool `json:"away,omitempty"`
	// Until is when a snooze or wrap-up ends.
	Until       time.Time  `json:"until,omitzero"`
	Disposition string     `json:"disposition,omitempty"`
	Contact     *Contact   `json:"contact,omitempty"`
	Voicemail   *Voicemail `json:"voicemail,omitempty"`
	// Other is the id of the conversation that this one was merged with or goes on in; of a message with Copied, that in
	// which the customer wrote it, before the merge.
	Other  string `json:"other,omitempty"`
	Copied bool   `json:"copied,omitempty"`
	// Room is the agent's when an offer was made, with the offer.
	Room *Room `json:"room,omitempty"`
}

// customers has the types of events that a customer may see. What nobody has decided about stays inside.
var customers = map[EventType]bool{
	EventStarted: true, EventMessage: true, EventHandoff: true, EventAssigned: true, EventTakenOver: true,
	EventResolved: true, EventReturned: true, EventReopened: true, EventTransferred: true, EventRequeued: true,
	EventReassigned: true, EventContactAsked: true, EventContactGiven: true, EventUnavailable: true,
	EventMerged: true, EventContinued: true,
}

// ForCustomer returns the event as the customer may see it, and false for an event that is not theirs: notes, offers,
// evidence, the human's summary and agents' addresses stay inside.
func (e Event) ForCustomer() (Event, bool) {
	if !customers[e.Type] {
		return Event{}, false
	}
	e.Author = e.Author.public()
	if e.Agent != nil {
		agent := e.Agent.public()
		e.Agent = &agent
	}
	if e.Owner != nil {
		e.Owner = &Owner{Kind: e.Owner.Kind}
	}
	if h := e.Handoff; h != nil {
		e.Handoff = &Handoff{
			Number: h.Number, Reason: h.Reason, IssueType: h.IssueType, Sentiment: h.Sentiment,
			Language: h.Language, CustomerSummary: h.CustomerSummary, At: h.At,
		}
	}
	if e.Type != EventHandoff { // a handoff is shown once, however often it is passed on
		e.Handoff = nil
	}
	if e.Type != EventMessage { // what an agent writes beside a move is for colleagues
		e.Text = ""
	}
	e.Cost, e.Target, e.Disposition = 0, nil, ""
	return e, true
}

func (a Author) public() Author {
	if a.Kind == AuthorAgent {
		a.ID = ""
	}
	return a
}
