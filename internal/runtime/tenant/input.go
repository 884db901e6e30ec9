package tenant

import (
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/copilot"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
)

// maxBackground bounds the text of the human part that the AI is given.
const maxBackground = 2000

// decideInput is the view as a decision needs it.
func decideInput(v view) decide.Input {
	in := decide.Input{NotUnderstood: v.conv.NotUnderstood, Turns: v.conv.Turns + 1, Language: v.conv.Language}
	for _, e := range v.window {
		if e.Type != conversation.EventMessage {
			continue
		}
		switch e.Author.Kind {
		case conversation.AuthorCustomer:
			in.Messages = append(in.Messages, decide.Message{Author: decide.Customer, Text: e.Text})
		case conversation.AuthorAI:
			in.Messages = append(in.Messages, decide.Message{Author: decide.AI, Text: e.Text})
		case conversation.AuthorAgent:
			in.Messages = append(in.Messages, decide.Message{Author: decide.Agent, Text: e.Text})
		}
	}
	return in
}

// copilotMessages is the window as the AI reads it. It ends with the customer's newest message.
func copilotMessages(window []conversation.Event) []copilot.Message {
	var out []copilot.Message
	for _, e := range window {
		if e.Type != conversation.EventMessage || e.Unanswered {
			continue
		}
		switch e.Author.Kind {
		case conversation.AuthorCustomer:
			out = append(out, copilot.Message{Author: copilot.Customer, Text: e.Text})
		case conversation.AuthorAI:
			out = append(out, copilot.Message{Author: copilot.AI, Text: e.Text})
		case conversation.AuthorAgent:
			out = append(out, copilot.Message{Author: copilot.Agent, Text: e.Text})
		}
	}
	return out
}

// describeHandoff is the handoff that a decision leads to, with both summaries.
func describeHandoff(v view, d decide.Decision) conversation.Handoff {
	s := decide.Summarize(decide.SummaryInput{
		CustomerName: v.conv.Customer.Name, Messages: decideInput(v).Messages, Decision: d,
	})
	return conversation.Handoff{
		Reason: d.Reason, IssueType: d.IssueType, Sentiment: d.Sentiment, Language: d.Language,
		Confidence: d.Confidence, Evidence: d.Evidence, Summary: s.Agent, CustomerSummary: s.Customer,
	}
}

// humanPart is what the agents told the customer since the handoff, for the AI that takes over again.
func humanPart(events []conversation.Event) string {
	var lines []string
	for _, e := range events {
		if e.Type == conversation.EventHandoff {
			lines = lines[:0]
		}
		if e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAgent {
			lines = append(lines, e.Author.Name+": "+e.Text)
		}
	}
	text := strings.Join(lines, "\n")
	if len(text) > maxBackground {
		text = strings.ToValidUTF8(text[len(text)-maxBackground:], "")
	}
	return text
}
