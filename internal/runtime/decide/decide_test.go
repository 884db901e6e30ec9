package decide

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// policy has every trigger on.
func policy() *routing.Policy {
	return &routing.Policy{
		Triggers: routing.Triggers{
			HumanRequest: true, NotUnderstoodTurns: 2, Sentiment: v1alpha1.SentimentAngry, ModelFailure: true, TurnLimit: 5,
			ForbiddenTopics: []routing.Topic{{Name: "legal", Keywords: []string{"lawyer", "sue", "legal action"}}},
		},
		IssueTypes: []routing.IssueType{
			{Name: "billing", Description: "Invoices, charges, refunds, payment methods", Keywords: []string{"invoice", "refund", "charge", "payment"}},
			{Name: "technical", Description: "Errors, login problems, things that do not work", Keywords: []string{"error", "login", "password", "crash"}},
		},
	}
}

// says is a window in which the customer wrote these messages and the AI answered each but the last.
func says(texts ...string) Input {
	in := Input{Turns: len(texts)}
	for i, s := range texts {
		in.Messages = append(in.Messages, Message{Customer, s})
		if i < len(texts)-1 {
			in.Messages = append(in.Messages, Message{AI, "Here is what I found."})
		}
	}
	return in
}

func TestEachTrigger(t *testing.T) {
	t.Parallel()
	noAnswer := &AnswerSignals{}
	tests := []struct {
		name   string
		in     Input
		change func(*routing.Policy, *Input)
		want   v1alpha1.HandoffReason
	}{
		{name: "nothing", in: says("How long does delivery take?")},
		{name: "human request", in: says("I want to speak to a human"), want: v1alpha1.HandoffHumanRequested},
		{name: "human request in the very first word", in: says("Agent!"), want: v1alpha1.HandoffHumanRequested},
		{name: "human request is off", in: says("I want to speak to a human"), change: func(p *routing.Policy, _ *Input) { p.Triggers.HumanRequest = false }},
		{name: "forbidden topic", in: says("My lawyers will write to you"), want: v1alpha1.HandoffForbiddenTopic},
		{name: "forbidden topic comes before the request", in: says("I want a human or I will take legal action"), want: v1alpha1.HandoffForbiddenTopic},
		{name: "request comes before anger", in: says("This is outrageous, give me a human"), want: v1alpha1.HandoffHumanRequested},
		{name: "anger", in: says("This is outrageous!!"), want: v1alpha1.HandoffNegativeSentiment},
		{name: "dissatisfied is below the threshold", in: says("I am disappointed.")},
		{name: "dissatisfied is the threshold", in: says("I am disappointed."), want: v1alpha1.HandoffNegativeSentiment,
			change: func(p *routing.Policy, _ *Input) { p.Triggers.Sentiment = v1alpha1.SentimentDissatisfied }},
		{name: "sentiment is off", in: says("This is outrageous!!"), change: func(p *routing.Policy, _ *Input) { p.Triggers.Sentiment = "" }},
		{name: "the last turn the AI may answer", in: says("a", "b", "c", "d", "e")},
		{name: "turn limit", in: says("a", "b", "c", "d", "e", "f"), want: v1alpha1.HandoffTurnLimit},
		{name: "no turn limit", in: says("a", "b", "c", "d", "e", "f"), change: func(p *routing.Policy, _ *Input) { p.Triggers.TurnLimit = 0 }},
		{name: "not understood once", in: says("Blue bananas?"), change: func(_ *routing.Policy, in *Input) { in.Answer = noAnswer }},
		{name: "not understood twice", in: says("Blue bananas?"), want: v1alpha1.HandoffNotUnderstood,
			change: func(_ *routing.Policy, in *Input) { in.Answer, in.NotUnderstood = noAnswer, 1 }},
		{name: "understood after all", in: says("Blue bananas?"),
			change: func(_ *routing.Policy, in *Input) { in.Answer, in.NotUnderstood = &AnswerSignals{Understood: true}, 5 }},
		{name: "not understood is off", in: says("Blue bananas?"),
			change: func(p *routing.Policy, in *Input) {
				p.Triggers.NotUnderstoodTurns, in.Answer, in.NotUnderstood = 0, noAnswer, 9
			}},
		{name: "model failed", in: says("Hello there"), want: v1alpha1.HandoffModelFailure,
			change: func(_ *routing.Policy, in *Input) { in.Answer = &AnswerSignals{ModelFailed: true} }},
		{name: "model failed but knowledge answered", in: says("Hello there"),
			change: func(_ *routing.Policy, in *Input) { in.Answer = &AnswerSignals{ModelFailed: true, Understood: true} }},
		{name: "customer service, answer not tried", in: says("I want to speak to customer service")},
		{name: "customer service, no answer", in: says("I want to speak to customer service"), want: v1alpha1.HandoffHumanRequested,
			change: func(_ *routing.Policy, in *Input) { in.Answer = noAnswer }},
		{name: "customer service, asked again", in: says("I want to speak to customer service", "No. I want to speak to customer service"), want: v1alpha1.HandoffHumanRequested},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := policy()
			if test.change != nil {
				test.change(p, &test.in)
			}
			d := Decide(p, test.in)
			if d.HandOff != (test.want != "") || d.Reason != test.want {
				t.Errorf("hand off %v for %q, want %q (evidence %q)", d.HandOff, d.Reason, test.want, d.Evidence)
			}
			if off := Decide(nil, test.in); off.HandOff || off.Sentiment != d.Sentiment {
				t.Errorf("without a policy: %+v", off)
			}
		})
	}
}

func TestIssueType(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		texts []string
		want  string
	}{
		{"keyword", []string{"I was charged twice"}, "billing"},
		{"inflection", []string{"It keeps crashing"}, "technical"},
		{"keyword in an earlier message", []string{"Where is my refund", "I want a human"}, "billing"},
		{"the newest message counts more", []string{"I have a question about a refund", "Now the app shows an error"}, "technical"},
		{"more hits win", []string{"The payment page shows an error at login"}, "technical"},
		{"ties go to the first", []string{"payment error"}, "billing"},
		{"a word of the description", []string{"Which methods do you take?"}, "billing"},
		{"none", []string{"Do you ship to Norway?"}, ""},
		{"no part of a word", []string{"I need a charger"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := Decide(policy(), says(test.texts...)).IssueType; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFindKeyword(t *testing.T) {
	t.Parallel()
	tests := []struct {
		keyword, message string
		want             bool
	}{
		{"sue", "I will sue you", true},
		{"sue", "I am suing your company", true},
		{"Sue", "SUED!", true},
		{"sue", "I have an issue", false},
		{"sue", "Tell me about Suez", false},
		{"sue", "Hi, my name is Sue", false},
		{"sue", "Thanks Sue", false},
		{"legal action", "I shall take legal actions", true},
		{"legal action", "Is it legal? Action is needed", false},
		{"rechnung", "Wo sind meine Rechnungen?", true},
		{"kündigen", "Ich will kundigen", true},
		{"محامي", "سأتصل بالمحامي", true},
		{"", "anything", false},
		{"!!", "anything!!", false},
	}
	for _, test := range tests {
		if _, got := parse(test.message).find(test.keyword); got != test.want {
			t.Errorf("%q in %q: %v, want %v", test.keyword, test.message, got, test.want)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		want  string
		texts []string
	}{
		{"en", []string{"I would like to know where my order is, please"}},
		{"de", []string{"Ich habe meine Bestellung noch nicht bekommen und möchte wissen, wo sie ist"}},
		{"fr", []string{"Je n'ai toujours pas reçu ma commande, pouvez-vous m'aider ?"}},
		{"es", []string{"Todavía no he recibido mi pedido, ¿me pueden ayudar por favor?"}},
		{"nl", []string{"Ik heb mijn bestelling nog niet ontvangen, kunt u mij helpen alstublieft?"}},
		{"ar", []string{"أين طلبي؟"}},
		{"pt-BR", []string{"ok"}},
		{"de", []string{"Ich habe meine Bestellung noch nicht bekommen und möchte wissen, wo sie ist", "ok"}},
		{"pt-BR", []string{""}},
	}
	for _, test := range tests {
		in := says(test.texts...)
		in.Language = "pt-BR"
		if got := Decide(nil, in).Language; got != test.want {
			t.Errorf("%q: %q, want %q", test.texts, got, test.want)
		}
	}
	if got := Decide(nil, says("ok")).Language; got != "en" {
		t.Errorf("without a fallback: %q, want en", got)
	}
}

func TestEvidenceIsRedacted(t *testing.T) {
	t.Parallel()
	p := policy()
	p.Triggers.ForbiddenTopics = []routing.Topic{{Name: "cards", Keywords: []string{"4111 1111 1111 1111"}}}
	d := Decide(p, says("my card 4111 1111 1111 1111"))
	if diff := cmp.Diff([]string{"cards: [card number]"}, d.Evidence); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(strings.Join(d.Evidence, ""), "4111") {
		t.Error(d.Evidence)
	}
}
