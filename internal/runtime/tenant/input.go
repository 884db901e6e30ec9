package tenant

import (
	"cmp"
	"slices"
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/copilot"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
)

const (
	// maxBackground bounds the text of the human part that the AI is given, in bytes.
	maxBackground = 2000
	// maxRead bounds what one decision reads of a window, in bytes: the newest messages. Longer ones are clipped by
	// package decide. It keeps a customer who pastes books from taking the time of all others.
	maxRead = 16 << 10
)

// spoken lists the messages of the window in the order in which they belong together: an answer stands behind the
// message that it answers, also where the customer wrote another one meanwhile. All that the customer wrote since the
// last answer is one message, so that none of it is passed over.
func spoken(v view) []conversation.Event {
	var out []conversation.Event
	for _, e := range v.window {
		if e.Type == conversation.EventMessage && e.Author.Kind != conversation.AuthorSystem {
			out = append(out, e)
		}
	}
	place := func(e conversation.Event) int64 {
		if e.AnswerTo != 0 {
			return e.AnswerTo
		}
		return e.Seq
	}
	slices.SortStableFunc(out, func(a, b conversation.Event) int { return cmp.Compare(place(a), place(b)) })
	first := slices.IndexFunc(out, func(e conversation.Event) bool {
		return e.Author.Kind == conversation.AuthorCustomer && e.Seq > v.conv.Answered
	})
	if first < 0 {
		return out
	}
	newest := out[first]
	for _, e := range out[first+1:] {
		if e.Author.Kind == conversation.AuthorCustomer {
			newest.Text += "\n" + e.Text
		}
	}
	return append(out[:first], newest)
}

// decideInput is the view as a decision needs it: the newest messages, at least one of them. The greeting is no answer.
func decideInput(v view) decide.Input {
	in := decide.Input{NotUnderstood: v.conv.NotUnderstood, Turns: v.conv.Turns + 1, Language: v.conv.Language}
	authors := map[conversation.AuthorKind]decide.Author{
		conversation.AuthorCustomer: decide.Customer, conversation.AuthorAI: decide.AI, conversation.AuthorAgent: decide.Agent,
	}
	size := 0
	for _, e := range slices.Backward(spoken(v)) {
		if e.Author.Kind == conversation.AuthorAI && e.AnswerTo == 0 {
			continue
		}
		if size += len(e.Text); size > maxRead && len(in.Messages) > 0 {
			break
		}
		in.Messages = append(in.Messages, decide.Message{Author: authors[e.Author.Kind], Text: e.Text})
	}
	slices.Reverse(in.Messages)
	return in
}

// copilotMessages is the window as the AI reads it. It ends with the customer's newest message. Since a model may be
// the reader, cards, bank accounts and passwords are blanked out.
func copilotMessages(v view) []copilot.Message {
	authors := map[conversation.AuthorKind]copilot.Author{
		conversation.AuthorCustomer: copilot.Customer, conversation.AuthorAI: copilot.AI, conversation.AuthorAgent: copilot.Agent,
	}
	var out []copilot.Message
	for _, e := range spoken(v) {
		if !e.Unanswered {
			out = append(out, copilot.Message{Author: authors[e.Author.Kind], Text: decide.Redact(e.Text)})
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
