package routing

import (
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Facts are what routes and priorities are about. An empty IssueType or Language means that it is not known.
type Facts struct {
	IssueType   string
	ChannelType v1alpha1.ChannelType
	Channel     string
	Language    string
	Reason      v1alpha1.HandoffReason
	Customer    Customer
	// Turns counts the customer's messages to the AI since it took the conversation over, the newest included.
	Turns int
	// Message is the customer's newest one. It is known at the handoff alone.
	Message   string
	Sentiment v1alpha1.Sentiment
	// Now is when the question is asked: the time of the handoff.
	Now time.Time
}

// Customer is what is known of a customer. Unless Verified, it is what they say of themselves.
type Customer struct {
	ID, Name, Email string
	Verified        bool
	Attributes      map[string]any
}

// variables are the facts by the names that expressions use.
func (f Facts) variables() map[string]any {
	attributes := f.Customer.Attributes
	if attributes == nil {
		attributes = map[string]any{}
	}
	return map[string]any{
		"customer": map[string]any{
			"id": f.Customer.ID, "name": f.Customer.Name, "email": f.Customer.Email,
			"verified": f.Customer.Verified, "attributes": attributes,
		},
		"channel": map[string]any{"name": f.Channel, "type": string(f.ChannelType)},
		"message": f.Message, "turns": f.Turns, "sentiment": string(f.Sentiment), "issueType": f.IssueType,
		"language": f.Language, "reason": string(f.Reason), "now": f.Now,
	}
}

// satisfy says whether an expression is true of the facts. One that cannot be evaluated is not: it asks for what this
// conversation does not have.
func (f Facts) satisfy(expression string) bool {
	yes, err := evaluate(expression, f.variables())
	return err == nil && yes
}

// Evaluates says whether the policy has expressions: only then anybody asks for the message.
func (t *Table) Evaluates() bool {
	return t.Policy != nil && (len(t.Policy.Priorities) > 0 ||
		slices.ContainsFunc(t.Policy.Routes, func(r Route) bool { return r.Expression != "" }))
}

// Points adds up the policy's priorities that are true of the facts.
func (t *Table) Points(f Facts) (points int) {
	if t.Policy == nil {
		return 0
	}
	for _, p := range t.Policy.Priorities {
		if f.satisfy(p.Expression) {
			points += p.Add
		}
	}
	return points
}
