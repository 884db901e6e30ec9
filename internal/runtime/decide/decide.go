package decide

import (
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Author says who wrote a message.
type Author string

// The values of Author.
const (
	Customer Author = "Customer"
	AI       Author = "AI"
	Agent    Author = "Agent"
)

// Message is one message of a conversation.
type Message struct {
	Author Author
	Text   string
}

// AnswerSignals is how the attempt to answer the newest message went.
type AnswerSignals struct {
	// Understood: an answer was found, by the model or in the knowledge.
	Understood bool
	// ModelFailed: a model is configured, and its call failed.
	ModelFailed bool
	// Confidence of the answer, 0 to 1.
	Confidence float64
	// Text of the answer, which may announce a human.
	Text string
}

// Input is what a decision is made from.
type Input struct {
	// Messages is the AI's context window, oldest first. The last is the customer's newest message.
	Messages []Message
	// Turns counts the customer's messages in this window, the newest included.
	Turns int
	// NotUnderstood counts the consecutive turns without an answer before this one.
	NotUnderstood int
	// Language to use when the messages are too short to tell.
	Language string
	// Answer is nil before the answer was tried.
	Answer *AnswerSignals
}

// Decision is the outcome for the customer's newest message. Reason and Confidence are zero unless HandOff.
type Decision struct {
	HandOff bool
	Reason  v1alpha1.HandoffReason
	// IssueType is one of the policy's, or empty.
	IssueType string
	Sentiment v1alpha1.Sentiment
	// Language is an ISO 639-1 code.
	Language string
	// Confidence that Reason holds, 0 to 1.
	Confidence float64
	// Evidence has the words that led to the reason and the sentiment, redacted, for the agent.
	Evidence []string
}

// Confidence in each reason. A topic and a count are facts; a request and a mood are read from words, and these are
// about the share of their findings that were right on labelled utterances (see TestAccuracy).
const (
	confidenceFact      = 1.0
	confidenceRequest   = 0.95
	confidenceUnsure    = 0.7
	confidenceSentiment = 0.8
)

// Decide says whether a human must take over after the customer's newest message. It is called before the answer is
// tried (Answer nil) and again afterwards; what it hands off before, it hands off afterwards for the same reason.
//
// Several reasons may hold. The first of these is given: ForbiddenTopic (what the AI must not touch is routed as such,
// even if the customer also asks for a human), HumanRequested, NegativeSentiment, TurnLimit, and after the answer
// ModelFailure, NotUnderstood (also where the answer itself announces a human). A nil policy never hands off.
func Decide(p *routing.Policy, in Input) Decision {
	newest := parse(newestCustomerText(in.Messages))
	mood := moodOf(in.Messages, newest)
	d := Decision{Sentiment: mood.sentiment, Language: languageOf(in.Messages, in.Language), Evidence: mood.evidence}
	if p != nil {
		d.IssueType = issueTypeOf(p.IssueTypes, in.Messages)
		if f := firstFinding(p.Triggers, in, newest, mood); f != nil {
			d.HandOff, d.Reason, d.Confidence = true, f.reason, f.confidence
			d.Evidence = append(f.evidence, d.Evidence...)
		}
	}
	for i, e := range d.Evidence {
		d.Evidence[i] = Redact(e)
	}
	return d
}

func firstFinding(t routing.Triggers, in Input, newest text, m mood) *finding {
	for _, trigger := range triggers {
		if f := trigger(t, in, newest, m); f != nil {
			return f
		}
	}
	return nil
}

// finding is a reason to hand off.
type finding struct {
	reason     v1alpha1.HandoffReason
	confidence float64
	evidence   []string
}

// triggers in the order in which their reasons are given.
var triggers = []func(routing.Triggers, Input, text, mood) *finding{
	forbiddenTopic, humanRequest, negativeSentiment, turnLimit, modelFailure, notUnderstood, announced,
}

func forbiddenTopic(t routing.Triggers, _ Input, newest text, _ mood) *finding {
	for _, topic := range t.ForbiddenTopics {
		for _, keyword := range topic.Keywords {
			if words, ok := newest.find(keyword); ok {
				return &finding{v1alpha1.HandoffForbiddenTopic, confidenceFact, []string{topic.Name + ": " + words}}
			}
		}
	}
	return nil
}

// humanRequest hands off at once what clearly asks for a human. Asking for "customer service" may as well ask for its
// address or hours: it hands off if the AI has no answer to it, or if the customer says it again.
func humanRequest(t routing.Triggers, in Input, newest text, _ mood) *finding {
	if !t.HumanRequest {
		return nil
	}
	r := requestOf(newest)
	switch {
	case r.strength == requestClear:
		return &finding{v1alpha1.HandoffHumanRequested, confidenceRequest, []string{r.words}}
	case r.strength == requestUnsure && (unanswered(in.Answer) || askedBefore(in.Messages)):
		return &finding{v1alpha1.HandoffHumanRequested, confidenceUnsure, []string{r.words}}
	}
	return nil
}

func unanswered(a *AnswerSignals) bool { return a != nil && !a.Understood }

func askedBefore(messages []Message) bool {
	for _, m := range customerMessages(messages[:max(0, len(messages)-1)]) {
		if requestOf(parse(m)).strength != requestNone {
			return true
		}
	}
	return false
}

func negativeSentiment(t routing.Triggers, _ Input, _ text, m mood) *finding {
	angry := m.sentiment == v1alpha1.SentimentAngry
	dissatisfied := m.sentiment == v1alpha1.SentimentDissatisfied && t.Sentiment == v1alpha1.SentimentDissatisfied
	if t.Sentiment == "" || !angry && !dissatisfied {
		return nil
	}
	return &finding{reason: v1alpha1.HandoffNegativeSentiment, confidence: confidenceSentiment}
}

func turnLimit(t routing.Triggers, in Input, _ text, _ mood) *finding {
	if t.TurnLimit == 0 || in.Turns <= t.TurnLimit {
		return nil
	}
	return &finding{reason: v1alpha1.HandoffTurnLimit, confidence: confidenceFact}
}

func modelFailure(t routing.Triggers, in Input, _ text, _ mood) *finding {
	if !t.ModelFailure || !unanswered(in.Answer) || !in.Answer.ModelFailed {
		return nil
	}
	return &finding{reason: v1alpha1.HandoffModelFailure, confidence: confidenceFact}
}

func notUnderstood(t routing.Triggers, in Input, _ text, _ mood) *finding {
	if t.NotUnderstoodTurns == 0 || !unanswered(in.Answer) || in.NotUnderstood+1 < t.NotUnderstoodTurns {
		return nil
	}
	return &finding{reason: v1alpha1.HandoffNotUnderstood, confidence: 1 - min(1, max(0, in.Answer.Confidence))}
}

// announced hands off what the AI says is handed off, whatever the triggers are: a customer who was told that a human comes
// waits for one.
func announced(_ routing.Triggers, in Input, _ text, _ mood) *finding {
	if in.Answer == nil {
		return nil
	}
	words := announcement(in.Answer.Text)
	if words == "" {
		return nil
	}
	return &finding{v1alpha1.HandoffNotUnderstood, confidenceFact, []string{words}}
}

// newestCustomerText is the customer's newest message, empty if there is none.
func newestCustomerText(messages []Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if messages[i].Author == Customer {
			return messages[i].Text
		}
	}
	return ""
}

// customerMessages are the customer's texts, oldest first.
func customerMessages(messages []Message) []string {
	var texts []string
	for _, m := range messages {
		if m.Author == Customer {
			texts = append(texts, m.Text)
		}
	}
	return texts
}
