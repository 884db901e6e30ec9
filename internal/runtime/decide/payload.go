package decide

import "github.com/opencopilot/handoff-operator/api/v1alpha1"

// Payload is what the customer's browser and the tenant's servers are told about a handoff. It is the customer's: no
// notes, no evidence. Summery and Summary are the same text; the first is the name that existing receivers read.
type Payload struct {
	Summery string `json:"summery"`
	Summary string `json:"summary"`
	// Sentiment is happy, neutral or angry.
	Sentiment string `json:"sentiment"`
	// Reason is the typed reason; OutgoingReason has the name used in events.
	Reason         v1alpha1.HandoffReason `json:"reason"`
	IssueType      string                 `json:"issueType"`
	Language       string                 `json:"language"`
	ConversationID string                 `json:"conversationId"`
}

// NewPayload is the payload for a decision and the customer's summary of it.
func NewPayload(conversationID string, d Decision, s Summary) Payload {
	return Payload{
		Summery:        s.Customer,
		Summary:        s.Customer,
		Sentiment:      OutgoingSentiment(d.Sentiment),
		Reason:         d.Reason,
		IssueType:      d.IssueType,
		Language:       d.Language,
		ConversationID: conversationID,
	}
}

// OutgoingSentiment is the sentiment in the three values that receivers know: happy, neutral, angry.
func OutgoingSentiment(s v1alpha1.Sentiment) string {
	switch s {
	case v1alpha1.SentimentHappy:
		return "happy"
	case v1alpha1.SentimentAngry:
		return "angry"
	default:
		return "neutral"
	}
}

// OutgoingReason is the name of a reason in outgoing events.
func OutgoingReason(r v1alpha1.HandoffReason) string {
	switch r {
	case v1alpha1.HandoffForbiddenTopic:
		return "ai_is_forbidden_from_handling_this_topic"
	case v1alpha1.HandoffAgentTookOver:
		return "human_agent_decided_to_take_over"
	case v1alpha1.HandoffCustomerLeft:
		return "ai_decided_to_handoff_because_the_user_left"
	default:
		return "ai_decided_to_handoff_the_conversation"
	}
}
