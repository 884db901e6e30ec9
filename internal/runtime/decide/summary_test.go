package decide

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func angryConversation() SummaryInput {
	in := Input{Turns: 3, Messages: []Message{
		{Customer, "Hello"},
		{AI, "Hello! How can I help?"},
		{Customer, "I was charged twice for my invoice, card 4111 1111 1111 1111"},
		{AI, "Refunds take\nfive days. (Source: Billing)"},
		{Customer, "This is ridiculous, a terrible service!! I want a human"},
	}}
	return SummaryInput{Messages: in.Messages, Decision: Decide(policy(), in), CustomerName: "Ada", Channel: "web"}
}

func TestSummaries(t *testing.T) {
	t.Parallel()
	want := Summary{
		Agent: strings.Join([]string{
			"Customer: Ada, by web, writes en, about billing",
			"Wants: “I was charged twice for my invoice, card [card number]”",
			"Latest message: “This is ridiculous, a terrible service!! I want a human”",
			"Tried: the AI answered 2 times, last: “Refunds take five days. (Source: Billing)”",
			"Open: the customer asked for a human",
			"Sentiment: Angry (words that led here: “want a human”, “ridiculous”, “terrible”, “!!”)",
		}, "\n"),
		Customer: "We are passing your conversation on to a colleague. " +
			"What we pass on: “I was charged twice for my invoice, card [card number]” " +
			"They can read the whole conversation, so you do not need to repeat anything.",
	}
	if diff := cmp.Diff(want, Summarize(angryConversation())); diff != "" {
		t.Error(diff)
	}
}

func TestSummaryOfNothing(t *testing.T) {
	t.Parallel()
	s := Summarize(SummaryInput{})
	if !strings.Contains(s.Agent, "nothing was written yet") || s.Customer == "" {
		t.Errorf("%+v", s)
	}
}

// The only message is the request: it is quoted rather than nothing.
func TestSummaryOfABareRequest(t *testing.T) {
	t.Parallel()
	in := says("agent please")
	s := Summarize(SummaryInput{Messages: in.Messages, Decision: Decide(policy(), in)})
	if !strings.Contains(s.Agent, "Wants: “agent please”\nTried: the AI has not answered anything") {
		t.Error(s.Agent)
	}
}

func TestCustomersSummarySpeaksTheirLanguage(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, tag := range []string{"en", "de", "fr", "ar", "nl", "es"} {
		in := angryConversation()
		in.Decision.Language = tag
		in.Decision.Evidence = []string{"secret evidence"}
		got := Summarize(in).Customer
		if other, twice := seen[got]; twice {
			t.Errorf("%s and %s have the same text", tag, other)
		}
		seen[got] = tag
		if strings.Contains(got, "secret evidence") || strings.Contains(got, "{wants}") || !strings.Contains(got, "charged twice") {
			t.Errorf("%s: %s", tag, got)
		}
	}
	if wordingFor("de-AT") != wordings["de"] || wordingFor("ja") != wordings["en"] {
		t.Error("a region has its language's wording, an unknown language English")
	}
}

func TestQuoteIsCutAtAWord(t *testing.T) {
	t.Parallel()
	if got := quote("one two three", 9); got != "“one two…”" {
		t.Error(got)
	}
	if got := quote("ééééééé", 3); got != "“ééé…”" {
		t.Error(got)
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	in := angryConversation()
	got, err := json.Marshal(NewPayload("c1", in.Decision, Summary{Agent: "notes", Customer: "text"}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"summery":"text","summary":"text","sentiment":"angry","reason":"HumanRequested","issueType":"billing","language":"en","conversationId":"c1"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOutgoingNames(t *testing.T) {
	t.Parallel()
	const decided = "ai_decided_to_handoff_the_conversation"
	reasons := map[v1alpha1.HandoffReason]string{
		v1alpha1.HandoffHumanRequested: decided, v1alpha1.HandoffNotUnderstood: decided, v1alpha1.HandoffNegativeSentiment: decided,
		v1alpha1.HandoffRule: decided, v1alpha1.HandoffTurnLimit: decided, v1alpha1.HandoffModelFailure: decided,
		v1alpha1.HandoffForbiddenTopic: "ai_is_forbidden_from_handling_this_topic",
		v1alpha1.HandoffAgentTookOver:  "human_agent_decided_to_take_over",
		v1alpha1.HandoffCustomerLeft:   "ai_decided_to_handoff_because_the_user_left",
	}
	for reason, want := range reasons {
		if got := OutgoingReason(reason); got != want {
			t.Errorf("%s: %s, want %s", reason, got, want)
		}
	}
	for s, want := range map[v1alpha1.Sentiment]string{happy: "happy", neutral: "neutral", dissatisfied: "neutral", angry: "angry", "": "neutral"} {
		if got := OutgoingSentiment(s); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
}
