// Package logcheck decides, from what clients did and saw and from the conversations' logs as agents read them
// afterwards, whether a runtime lost, doubled or invented anything. It is pure, and it recomputes every rule from the
// logs alone: it shares no code with the state machine that wrote them.
package logcheck

import (
	"fmt"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
)

// Journal is what the clients of a runtime did and saw. A request counts as acknowledged when a success came back, and
// as attempted when it may have arrived.
type Journal struct {
	// Opened are the ids of the conversations whose beginning was acknowledged.
	Opened []string
	// Sent are the texts of customers and agents.
	Sent []Sent
	// Moves are the transitions that agents made.
	Moves []Move
	// Seen is what each conversation's customer was shown, in order, by conversation id.
	Seen map[string][]Seen
}

// Sent is a text that was sent under an id of its sender's, once or repeatedly.
type Sent struct {
	Conversation string
	// Type is message, or note for what only agents see.
	Type conversation.EventType
	// Author is the customer or an agent, an agent with their address in ID.
	Author         conversation.Author
	ClientID, Text string
	Acknowledged   bool
}

// Move is an agent's transition, named by the event that it leaves in the log: assigned, taken_over, resolved, returned.
type Move struct {
	Conversation, Agent string
	Type                conversation.EventType
	// Handoff is the number of the handoff that the move was about. Only an acknowledged one needs it.
	Handoff      int
	Acknowledged bool
}

// Seen is one thing that a customer's stream brought: an event, a piece of an answer in progress, or the cut of the
// connection.
type Seen struct {
	// Event has Seq 0 for a piece, of which it has AnswerTo and Text.
	Event conversation.Event
	// Payload is what the site gets with a handoff.
	Payload *decide.Payload
	// Offset is the byte at which a piece goes.
	Offset int
	// Cut marks where the connection was lost and made anew; nothing else is set then.
	Cut bool
}

// Violation is a broken rule.
type Violation struct {
	Rule         Rule
	Conversation string
	// Seq is the event that shows it, or zero.
	Seq    int64
	Detail string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s in conversation %s at event %d: %s", v.Rule, v.Conversation, v.Seq, v.Detail)
}
