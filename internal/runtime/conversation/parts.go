package conversation

import (
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

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

// PriorityStep is what one point of priority counts as: a minute of waiting, as the API says.
const PriorityStep = time.Minute

// Place is what the queue is ordered by: when the wait began, earlier by a step for each point. Everybody ages alike, so
// a conversation is only ever overtaken by those that come within the difference of their points, and nobody starves.
func (h Handoff) Place() time.Time { return h.At.Add(-time.Duration(h.Priority) * PriorityStep) }

// Offer is a conversation held out to one agent, whose capacity it takes until it is accepted or expires.
type Offer struct {
	Agent     Person    `json:"agent"`
	Pool      string    `json:"pool"`
	Cost      int       `json:"cost"`
	ExpiresAt time.Time `json:"expiresAt"`
	// Room is what the agent held with this offer, of how much. It is written down with the offer.
	Room Room `json:"room,omitzero"`
}

// Room is the units of capacity that an agent holds, of those they can hold.
type Room struct {
	Held     int `json:"held"`
	Capacity int `json:"capacity"`
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

// Contact is how a customer can be reached when they are not there any more. Nothing in it is verified.
type Contact struct {
	// Asked is true once the customer was asked for it.
	Asked bool `json:"asked,omitempty"`
	// By is what they were asked for: Email for an address to be answered at, Phone for a number to be called back on.
	By    v1alpha1.ChannelType `json:"by,omitempty"`
	Email string               `json:"email,omitempty"`
	// Phone is in E.164 form.
	Phone string `json:"phone,omitempty"`
}

// has says whether the customer can be reached over a type of channel.
func (k *Contact) has(by v1alpha1.ChannelType) bool {
	return by == v1alpha1.ChannelTypeEmail && k.Email != "" || by == v1alpha1.ChannelTypePhone && k.Phone != ""
}

// Over is the type of channel over which a customer is reached who was asked for a way to: what they were asked for, or
// the other one if that is all they gave. It is empty for who was not asked, or gave nothing.
func (k *Contact) Over() v1alpha1.ChannelType {
	switch {
	case k.has(k.By):
		return k.By
	case !k.Asked:
		return ""
	case k.Email != "":
		return v1alpha1.ChannelTypeEmail
	case k.Phone != "":
		return v1alpha1.ChannelTypePhone
	}
	return ""
}

// Voicemail is a message that a caller left. Recording is where the sound is kept, and empty for one without sound.
type Voicemail struct {
	Recording string `json:"recording,omitempty"`
	Seconds   int    `json:"seconds"`
	// From is the caller's number in E.164 form, empty for an unknown one; Text is a transcript, if there is one.
	From string `json:"from,omitempty"`
	Text string `json:"text,omitempty"`
}

// Target is who a human sent a conversation to. Pool stands alone, or beside Agent: then the agent comes first, and the
// pool when the agent let the offer pass or is not there.
type Target struct {
	Pool     string `json:"pool,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Line     string `json:"line,omitempty"`
	Helpdesk string `json:"helpdesk,omitempty"`
}

// owner is who owns a conversation that is sent to the target: a line or helpdesk at once, otherwise the queue.
func (t Target) owner() Owner {
	switch {
	case t.Line != "":
		return Owner{OwnerLine, t.Line}
	case t.Helpdesk != "":
		return Owner{OwnerHelpdesk, t.Helpdesk}
	default:
		return Owner{Kind: OwnerQueue}
	}
}
