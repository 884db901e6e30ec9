// Package conversation is the ownership state machine of a conversation: who owns it, who may do what to it, and what
// is written down when they do.
//
// It is pure: it knows no SQL, HTTP or vendor, and takes the time as an argument. A transition takes a Conversation as
// it was read in a transaction and returns a Change to be saved in that same transaction; one that may not happen
// returns a *Refusal and changes nothing.
package conversation

import (
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// OwnerKind says what kind of party a conversation belongs to.
type OwnerKind string

// The values of OwnerKind. A conversation belongs to exactly one owner at any time.
const (
	// OwnerAI: the AI answers.
	OwnerAI OwnerKind = "AI"
	// OwnerQueue: the conversation waits for a human.
	OwnerQueue OwnerKind = "Queue"
	// OwnerAgent: one agent works it; Owner.ID is the agent's e-mail address.
	OwnerAgent OwnerKind = "Agent"
	// OwnerLine: a phone line, a number without an agent, has it; Owner.ID is the line's name.
	OwnerLine OwnerKind = "Line"
	// OwnerHelpdesk: it is worked in a helpdesk; Owner.ID is the helpdesk's name.
	OwnerHelpdesk OwnerKind = "Helpdesk"
	// OwnerNobody: the conversation is closed.
	OwnerNobody OwnerKind = "Nobody"
)

// Owner is the party a conversation belongs to.
type Owner struct {
	Kind OwnerKind `json:"kind"`
	ID   string    `json:"id,omitempty"`
}

// Customer is what the customer says about themselves: display only, never a proof.
type Customer struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// Person is an agent: the e-mail address identifies, the name is shown to customers.
type Person struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

// Conversation is the current state of one conversation. Everything that happened to it is in its event log; this is
// what the next transition needs to know.
type Conversation struct {
	ID          string               `json:"id"`
	Channel     string               `json:"channel"`
	ChannelType v1alpha1.ChannelType `json:"channelType"`
	Customer    Customer             `json:"customer"`
	Language    string               `json:"language"`
	Owner       Owner                `json:"owner"`
	// Epoch rises by one at each change of owner. What the AI says commits only at the epoch its turn began with.
	Epoch int64 `json:"epoch"`
	// Seq is the sequence number of the last event.
	Seq int64 `json:"seq"`
	// Window is the sequence number after which the AI's context begins: what lies before cannot trigger a handoff.
	Window int64 `json:"window"`
	// Background is a summary of the last human part, for the AI.
	Background string `json:"background,omitempty"`
	// Pending is the sequence number of the newest customer's message that the AI owes an answer, or zero.
	Pending int64 `json:"pending,omitempty"`
	// Answered is the sequence number of the newest customer's message that the AI answered.
	Answered int64 `json:"answered,omitempty"`
	// Turns counts the AI's turns in the window.
	Turns int `json:"turns"`
	// NotUnderstood counts the consecutive turns up to now in which the AI had no answer.
	NotUnderstood int `json:"notUnderstood"`
	// Handoffs counts the handoffs of the conversation.
	Handoffs int `json:"handoffs"`
	// Handoff is the one in progress: set while the queue or a human owns the conversation.
	Handoff *Handoff `json:"handoff,omitempty"`
	// Offer is the offer that an agent has now; only while the queue owns the conversation.
	Offer *Offer `json:"offer,omitempty"`
	// Passed are the agents who let an offer of this handoff pass.
	Passed []string `json:"passed,omitempty"`
	// Cost is the units of capacity that the conversation takes of the agent who owns it.
	Cost int `json:"cost,omitempty"`
	// LastAgent is the e-mail address of the agent who owned it last, also while they do.
	LastAgent string `json:"lastAgent,omitempty"`
	// LastAgentAt is when that agent got it or, once they have it no more, lost it.
	LastAgentAt time.Time `json:"lastAgentAt,omitzero"`
	// LastCustomer and LastHuman are the sequence numbers of the newest message of the customer and of an agent.
	LastCustomer int64 `json:"lastCustomer,omitempty"`
	LastHuman    int64 `json:"lastHuman,omitempty"`
	// SnoozedUntil is set while the agent who owns it has put it off; it takes none of their capacity meanwhile.
	SnoozedUntil time.Time `json:"snoozedUntil,omitzero"`
	// SnoozedAt is when they did, and Rested how long it was put off before that since they got it.
	SnoozedAt time.Time     `json:"snoozedAt,omitzero"`
	Rested    time.Duration `json:"rested,omitempty"`
	// Returns counts how often humans gave it back to the AI. Above a limit they keep it.
	Returns int `json:"returns,omitempty"`
	// Absences are why the customer was told in this wait that nobody is there.
	Absences []Absence `json:"absences,omitempty"`
	// Pool is the one through which the agent who owns it got it, empty for one who took it over; AssignedAt is when.
	Pool       string    `json:"pool,omitempty"`
	AssignedAt time.Time `json:"assignedAt,omitzero"`
	// Course is how the handoff in progress goes.
	Course Course `json:"course,omitzero"`
	// Contact is how the customer can be reached later, once they were asked or said so.
	Contact *Contact `json:"contact,omitempty"`
	// Disposition is what the human who resolved it last said came of it.
	Disposition string `json:"disposition,omitempty"`
	// MergedInto is the conversation that goes on for this closed one.
	MergedInto string `json:"mergedInto,omitempty"`
	// MergedAt is the sequence number in that one at which it does.
	MergedAt int64 `json:"mergedAt,omitempty"`
	// Previous is the last handoff that ended: whoever reopens the conversation goes on from it.
	Previous *Handoff `json:"previous,omitempty"`
	// ReturnAt is when the AI takes over if the customer stays silent: set by a human's message with nothing unanswered.
	ReturnAt time.Time `json:"returnAt,omitzero"`
	// LeftAt is set from when the customer went away until they come back.
	LeftAt time.Time `json:"leftAt,omitzero"`
	// ClosedAt is set while nobody owns it.
	ClosedAt time.Time `json:"closedAt,omitzero"`
	// Messages counts the messages in the log, of whomever.
	Messages int `json:"messages,omitempty"`
	// ErasedAt is when what people wrote, and who the customer is, was taken out of it. It stays closed.
	ErasedAt  time.Time `json:"erasedAt,omitzero"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// Unanswered says whether the customer's newest message has no answer of a human.
func (c Conversation) Unanswered() bool { return c.LastCustomer > c.LastHuman }

// AnswerBy is the type of channel over which a human will answer, which counts for routes and capacity: that of the
// conversation, or e-mail or phone once the customer was asked for, and left, an address or number to be answered at.
func (c Conversation) AnswerBy() v1alpha1.ChannelType {
	if c.Contact != nil && c.Contact.Over() != "" {
		return c.Contact.Over()
	}
	return c.ChannelType
}

// CustomerKey is what the conversations of one customer are found by: their id at the site, else their e-mail address;
// empty for a customer who gave neither. What customers say about themselves proves nothing.
func (c Conversation) CustomerKey() string {
	if c.Customer.ID != "" {
		return c.Customer.ID
	}
	return strings.ToLower(c.Customer.Email)
}

// Change is what one transition does: the conversation after it, and the events to append in order. Events carry
// their sequence numbers already.
type Change struct {
	Conversation Conversation
	Events       []Event
	// WrapUp is the one that begins or ends, as an event says.
	WrapUp *WrapUp
	// Handled is the work of an agent that is over; nil where none is.
	Handled *Handled
	// Ended is how the handoff went that is over; nil where none is.
	Ended *Course
}
