// Package conversation is the ownership state machine of a conversation: who owns it, who may do what to it, and what
// is written down when they do.
//
// It is pure: it knows no SQL, HTTP or vendor, and takes the time as an argument. A transition takes a Conversation as
// it was read in a transaction and returns a Change to be saved in that same transaction; one that may not happen
// returns a *Refusal and changes nothing.
package conversation

import (
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
	// LastCustomer and LastHuman are the sequence numbers of the newest message of the customer and of an agent.
	LastCustomer int64 `json:"lastCustomer,omitempty"`
	LastHuman    int64 `json:"lastHuman,omitempty"`
	// SnoozedUntil is set while the agent who owns it has put it off; it takes none of their capacity meanwhile.
	SnoozedUntil time.Time `json:"snoozedUntil,omitzero"`
	// Returns counts how often humans gave it back to the AI. Above a limit they keep it.
	Returns int `json:"returns,omitempty"`
	// Contact is how the customer can be reached later, once they were asked or said so.
	Contact *Contact `json:"contact,omitempty"`
	// Disposition is what the human who resolved it last said came of it.
	Disposition string `json:"disposition,omitempty"`
	// MergedInto is the conversation that goes on for this closed one.
	MergedInto string `json:"mergedInto,omitempty"`
	// ClosedAt is set while nobody owns it.
	ClosedAt  time.Time `json:"closedAt,omitzero"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// Unanswered says whether the customer's newest message has no answer of a human.
func (c Conversation) Unanswered() bool { return c.LastCustomer > c.LastHuman }

// Contact is how a customer can be reached when they are not there any more. Nothing in it is verified.
type Contact struct {
	// Asked is true once the customer was asked for it.
	Asked bool   `json:"asked,omitempty"`
	Email string `json:"email,omitempty"`
	// Phone is in E.164 form.
	Phone string `json:"phone,omitempty"`
}

// Target is who a human sent a conversation to. Pool stands alone, or beside Agent: then the agent comes first, and the
// pool when the agent let the offer pass or is not there.
type Target struct {
	Pool     string `json:"pool,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Line     string `json:"line,omitempty"`
	Helpdesk string `json:"helpdesk,omitempty"`
}

// Handoff says why a conversation went to a human, and what the human is told.
type Handoff struct {
	// Number counts the handoffs of a conversation from one.
	Number    int                    `json:"number"`
	Reason    v1alpha1.HandoffReason `json:"reason"`
	IssueType string                 `json:"issueType,omitempty"`
	Sentiment v1alpha1.Sentiment     `json:"sentiment"`
	Language  string                 `json:"language"`
	// Confidence in the decision, from 0 to 1, and the words that show it.
	Confidence float64  `json:"confidence,omitempty"`
	Evidence   []string `json:"evidence,omitempty"`
	// Summary is for the human, CustomerSummary for the customer: two texts.
	Summary         string `json:"summary"`
	CustomerSummary string `json:"customerSummary"`
	// Priority in points: each counts as a step of waiting.
	Priority int `json:"priority,omitempty"`
	// Route is the name of the policy's route that took it.
	Route string `json:"route,omitempty"`
	// Pinned is who a human sent it to; nil while the route decides.
	Pinned *Target `json:"pinned,omitempty"`
	// Note is what the human who sent it on wrote for the next one.
	Note string `json:"note,omitempty"`
	// At is when the customer's wait began.
	At time.Time `json:"at"`
}

// Offer is a conversation held out to one agent, whose capacity it takes until it is accepted or expires.
type Offer struct {
	Agent     Person    `json:"agent"`
	Pool      string    `json:"pool"`
	Cost      int       `json:"cost"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Answer is what the AI says in one turn.
type Answer struct {
	Text    string
	Sources []Source
	// Understood is false where Text only says that the AI has no answer.
	Understood bool
	// Interrupted is true where Text is the released part of an answer that was cut.
	Interrupted bool
}

// Cut is what a turn of the AI had released of its answer when it was stopped.
type Cut struct {
	// Epoch and AnswerTo are what the turn began with, as for AIAnswers: they tell whether its answer is still open.
	Epoch, AnswerTo int64
	Answer          Answer
}

// Source is where an answer comes from.
type Source struct {
	Name     string `json:"name"`
	Document string `json:"document"`
	Heading  string `json:"heading,omitempty"`
}

// Change is what one transition does: the conversation after it, and the events to append in order. Events carry
// their sequence numbers already.
type Change struct {
	Conversation Conversation
	Events       []Event
}
