package decide

import (
	"reflect"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// drawText is any text: arbitrary Unicode, arbitrary bytes, and words that mean something to the rules, in any order.
func drawText(t *rapid.T, label string) string {
	words := rapid.SampledFrom([]string{
		"I", "want", "don't", "a", "human", "agent", "bot", "speak", "to", "with", "not", "please", ".", ",", "!!", "customer service", "sue", "Sue",
		"FUCKING", "ridiculous", "great", "😡", "😊", "4111 1111 1111 1111", "DE89370400440532013000", "password is", "Mitarbeiter", "bitte",
		"أريد", "موظف", "quiero hablar con", "persona", "\xff", "’", "'", "ß", "İ", "\u0301", "\n",
	})
	switch rapid.IntRange(0, 2).Draw(t, label+" kind") {
	case 0:
		return rapid.String().Draw(t, label)
	case 1:
		return string(rapid.SliceOf(rapid.Byte()).Draw(t, label))
	}
	s := ""
	for _, w := range rapid.SliceOfN(words, 0, 12).Draw(t, label) {
		s += w + " "
	}
	return s
}

func drawInput(t *rapid.T) Input {
	in := Input{
		Turns:         rapid.IntRange(0, 10).Draw(t, "turns"),
		NotUnderstood: rapid.IntRange(0, 3).Draw(t, "not understood"),
		Language:      rapid.SampledFrom([]string{"", "en", "de", "ar"}).Draw(t, "language"),
	}
	author := rapid.SampledFrom([]Author{Customer, Customer, AI, Agent})
	for range rapid.IntRange(0, 6).Draw(t, "messages") {
		in.Messages = append(in.Messages, Message{author.Draw(t, "author"), drawText(t, "text")})
	}
	return in
}

func drawPolicy(t *rapid.T) *routing.Policy {
	p := policy()
	p.Triggers.Sentiment = rapid.SampledFrom([]v1alpha1.Sentiment{"", dissatisfied, angry}).Draw(t, "threshold")
	p.Triggers.ForbiddenTopics[0].Keywords = append(p.Triggers.ForbiddenTopics[0].Keywords, drawText(t, "keyword"))
	p.IssueTypes[0].Keywords = append(p.IssueTypes[0].Keywords, drawText(t, "issue keyword"))
	return p
}

// Any input gives a Decision that holds together, the same each time, and summaries that are never empty.
func TestDecideOnAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, in := drawPolicy(t), drawInput(t)
		d := Decide(p, in)
		if again := Decide(p, in); !reflect.DeepEqual(d, again) {
			t.Fatalf("twice the same input: %+v and %+v", d, again)
		}
		if d.HandOff != (d.Reason != "") || d.Sentiment == "" || d.Language == "" || d.Confidence < 0 || d.Confidence > 1 {
			t.Fatalf("%+v", d)
		}
		s := Summarize(SummaryInput{Messages: in.Messages, Decision: d, CustomerName: drawText(t, "name")})
		if s.Agent == "" || s.Customer == "" || !utf8.ValidString(s.Agent) || !utf8.ValidString(s.Customer) {
			t.Fatalf("%+v", s)
		}
	})
}

// What was handed off before the answer is handed off after it, for the same reason, however the answer went.
func TestAnswerNeverRemovesAHandoff(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, in := drawPolicy(t), drawInput(t)
		before := Decide(p, in)
		in.Answer = &AnswerSignals{
			Understood: rapid.Bool().Draw(t, "understood"), ModelFailed: rapid.Bool().Draw(t, "failed"), Confidence: rapid.Float64().Draw(t, "confidence"),
		}
		after := Decide(p, in)
		if before.HandOff && (!after.HandOff || after.Reason != before.Reason) {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	})
}

// A card number is in no text that leaves, wherever it stood.
func TestNoCardNumberInSummaries(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		in.Messages = append(in.Messages, Message{Customer, drawText(t, "before") + " x 4111111111111111 x " + drawText(t, "after")})
		d := Decide(drawPolicy(t), in)
		s := Summarize(SummaryInput{Messages: in.Messages, Decision: d})
		for _, text := range append(d.Evidence, s.Agent, s.Customer) {
			if containsAny(text, []string{"4111111111111111"}) {
				t.Fatal(text)
			}
		}
	})
}

func FuzzDecide(f *testing.F) {
	for _, s := range []string{"I want a human", "sue\xff", "DE89 3704 0044 0532 0130 00", "don’t", "😡!!", ""} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, earlier, newest string) {
		in := says(earlier, newest)
		d := Decide(policy(), in)
		if s := Summarize(SummaryInput{Messages: in.Messages, Decision: d}); s.Agent == "" || s.Customer == "" {
			t.Fatalf("%+v", s)
		}
	})
}
