// Package events tells a tenant's servers what happens in conversations: as signed webhooks, in the names and fields
// that OpenCopilot's receivers read.
package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
)

// The names of the events.
const (
	Started         = "conversation.started"
	Closed          = "conversation.closed"
	Handoff         = "conversation.handoff_to_human"
	ContactResponse = "conversation.contact_response"
	AIResponse      = "conversation.ai_response"
	AgentResponse   = "conversation.agent_response"
)

// Event is one thing to tell.
type Event struct {
	Name string
	// Data is a JSON list with one object.
	Data json.RawMessage
	At   time.Time
}

// entry is the object of an event's data. Receivers ignore fields that they do not know.
type entry struct {
	ConversationID string `json:"conversation_id"`
	// Timestamp is in RFC 3339, in UTC.
	Timestamp  time.Time `json:"timestamp"`
	CustomerID string    `json:"customer_id"`
	Language   string    `json:"language"`
	Channel    string    `json:"channel"`
	// EventSeq is the number of the event in the conversation's log.
	EventSeq int64 `json:"event_seq"`
	// MessageCount counts the messages of whomever up to this event.
	MessageCount int `json:"message_count"`
	*handoff
	*message
	*closing
}

type handoff struct {
	Reason string `json:"reason"`
	// HandoffReason is the typed reason, which is finer.
	HandoffReason string `json:"handoff_reason"`
	HandoffNumber int    `json:"handoff_number"`
	// Summary is the one for the customer.
	Summary       string  `json:"summary"`
	ContactReason string  `json:"contact_reason,omitempty"`
	UserSentiment string  `json:"user_sentiment"`
	ThirdParty    bool    `json:"was_handedoff_to_third_party"`
	ThirdPartyIs  *string `json:"third_party_name"`
}

type message struct {
	Message string `json:"message"`
	// AgentName is the human's, who is named to customers too.
	AgentName string `json:"agent_name,omitempty"`
}

type closing struct {
	ResolutionType string `json:"resolution_type"`
	ClosedBy       string `json:"closed_by"`
	Disposition    string `json:"disposition,omitempty"`
}

// Of returns what a change has to tell, in order. Texts are without cards, bank accounts and passwords.
func Of(c conversation.Change) ([]Event, error) {
	later := 0 // messages of this change that come behind
	for _, e := range c.Events {
		if e.Type == conversation.EventMessage {
			later++
		}
	}
	var out []Event
	for _, e := range c.Events {
		if e.Type == conversation.EventMessage {
			later--
		}
		name, data := describe(c.Conversation, e, c.Conversation.Messages-later)
		if name == "" {
			continue
		}
		raw, err := json.Marshal([]entry{data})
		if err != nil {
			return nil, fmt.Errorf("event %d of conversation %s as %s: %w", e.Seq, c.Conversation.ID, name, err)
		}
		out = append(out, Event{Name: name, Data: raw, At: e.At})
	}
	return out, nil
}

// describe returns the name of the event that an entry of the log is, or none. messages counts those up to it.
func describe(c conversation.Conversation, e conversation.Event, messages int) (string, entry) {
	d := entry{ConversationID: c.ID, Timestamp: e.At.UTC(), CustomerID: c.Customer.ID, Language: c.Language,
		Channel: c.Channel, EventSeq: e.Seq, MessageCount: messages}
	switch {
	case e.Type == conversation.EventStarted:
		return Started, d
	case e.Type == conversation.EventHandoff:
		h := e.Handoff
		d.Language = h.Language
		d.handoff = &handoff{
			Reason: decide.OutgoingReason(h.Reason), HandoffReason: string(h.Reason), HandoffNumber: h.Number,
			Summary: decide.Redact(h.CustomerSummary), ContactReason: h.IssueType,
			UserSentiment: decide.OutgoingSentiment(h.Sentiment),
		}
		if e.Owner != nil && e.Owner.Kind == conversation.OwnerHelpdesk {
			d.ThirdParty, d.ThirdPartyIs = true, &e.Owner.ID
		}
		return Handoff, d
	case e.Owner != nil && e.Owner.Kind == conversation.OwnerNobody:
		d.closing = &closing{ResolutionType: string(e.Type), ClosedBy: "AI", Disposition: c.Disposition}
		if e.Author.Kind == conversation.AuthorAgent {
			d.ClosedBy = "human"
		}
		return Closed, d
	case e.Type == conversation.EventMessage:
		d.message = &message{Message: decide.Redact(e.Text)}
		switch e.Author.Kind {
		case conversation.AuthorCustomer:
			return ContactResponse, d
		case conversation.AuthorAI:
			return AIResponse, d
		case conversation.AuthorAgent:
			d.AgentName = e.Author.Name
			return AgentResponse, d
		}
	}
	return "", d
}
