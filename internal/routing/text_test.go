package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func TestText(t *testing.T) {
	t.Parallel()
	table := &Table{Copilot: Copilot{Language: "de"}, Policy: &Policy{Messages: []Message{
		{Event: v1alpha1.MessageHandoff, Reasons: []v1alpha1.HandoffReason{v1alpha1.HandoffForbiddenTopic}, Text: "personally"},
		{Event: v1alpha1.MessageQueued, ChannelTypes: []v1alpha1.ChannelType{v1alpha1.ChannelTypeWeb}, Language: "en", Text: "number {position}, {agent}{wait}!"},
		{Event: v1alpha1.MessageHandoff, Language: "pt", Text: "um colega"},
		{Event: v1alpha1.MessageAssigned, Language: "de", Text: "hier ist {agent}"},
	}}}
	vars := map[string]string{"position": "3", "agent": "Ann {position}"}
	for name, c := range map[string]struct {
		event    v1alpha1.MessageEvent
		language string
		ct       v1alpha1.ChannelType
		reason   v1alpha1.HandoffReason
		vars     map[string]string
		want     string
	}{
		"by reason, any language":            {v1alpha1.MessageHandoff, "xx", "Web", v1alpha1.HandoffForbiddenTopic, nil, "personally"},
		"built in where none fits":           {v1alpha1.MessageHandoff, "en", "Web", v1alpha1.HandoffRule, nil, "I am passing this on to a colleague."},
		"by channel, variables replaced":     {v1alpha1.MessageQueued, "en-GB", "Web", "", map[string]string{"position": "3", "wait": "2 min"}, "number 3, 2 min!"},
		"another channel":                    {v1alpha1.MessageQueued, "en", "Email", "", nil, "A colleague will be with you as soon as possible."},
		"built in, with its variable":        {v1alpha1.MessageQueued, "fr", "Web", "", vars, "Vous êtes en position 3 dans la file d'attente. Un collègue vous répondra dès que possible."},
		"a wider language":                   {v1alpha1.MessageHandoff, "pt-BR", "Web", "", nil, "um colega"},
		"unknown language: the Copilot's":    {v1alpha1.MessageAssigned, "xx", "Web", "", map[string]string{"agent": "Ann"}, "hier ist Ann"},
		"no language: the Copilot's":         {v1alpha1.MessageHandoff, "", "Web", "", nil, "Ich gebe das an eine Kollegin oder einen Kollegen weiter."},
		"the customer's before the policy's": {v1alpha1.MessageAssigned, "es-MX", "Web", "", map[string]string{"agent": "Ann"}, "Ahora habla con Ann."},
		"a name is not a template":           {v1alpha1.MessageAssigned, "en", "Web", "", vars, "You are now talking to Ann {position}."},
	} {
		if got := table.Text(c.event, c.language, c.ct, c.reason, c.vars); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
	table.Copilot.Language = "ja"
	if got := table.Text(v1alpha1.MessageReturned, "", "Web", "", nil); got != builtInTexts[v1alpha1.MessageReturned]["en"][0] {
		t.Errorf("a Copilot in a language without built-in texts says %q", got)
	}
}

// TestBuiltInTextsAreComplete: every event speaks every language, and its last text needs no variable.
func TestBuiltInTextsAreComplete(t *testing.T) {
	t.Parallel()
	events := []v1alpha1.MessageEvent{
		v1alpha1.MessageHandoff, v1alpha1.MessageQueued, v1alpha1.MessageAssigned, v1alpha1.MessageUnavailable,
		v1alpha1.MessageReturned, v1alpha1.MessageResolved, v1alpha1.MessageNotUnderstood,
		TextAskEmail, TextAskPhone, TextVoicemail, TextEmailUnreadable, TextPhoneUnreadable,
	}
	for _, event := range events {
		for _, language := range []string{"en", "de", "fr", "ar", "nl", "es"} {
			texts := builtInTexts[event][language]
			if len(texts) == 0 || strings.Contains(texts[len(texts)-1], "{") {
				t.Errorf("%s in %s: %q", event, language, texts)
			}
		}
	}
}

// The texts that repeat what a customer left do so in every language.
func TestContactIsRepeated(t *testing.T) {
	t.Parallel()
	table := &Table{}
	for _, event := range []v1alpha1.MessageEvent{TextEmailKept, TextPhoneKept} {
		for _, language := range []string{"en", "de", "fr", "ar", "nl", "es"} {
			if got := table.Text(event, language, "Web", "", map[string]string{"contact": "ada@example.com"}); !strings.Contains(got, "ada@example.com") || strings.Contains(got, "{") {
				t.Errorf("%s in %s: %q", event, language, got)
			}
		}
	}
}

// The policy's text for when nobody is there stands for every action's.
func TestUnavailableTextOfThePolicy(t *testing.T) {
	t.Parallel()
	table := &Table{Policy: &Policy{Messages: []Message{{Event: v1alpha1.MessageUnavailable, Text: "gone"}}}}
	for _, event := range []v1alpha1.MessageEvent{v1alpha1.MessageUnavailable, TextAskEmail, TextAskPhone, TextVoicemail} {
		if got := table.Text(event, "en", "Web", "", nil); got != "gone" {
			t.Errorf("%s: %q", event, got)
		}
	}
	if got := table.Text(TextEmailKept, "en", "Web", "", nil); got == "gone" {
		t.Error("the thanks are replaced too")
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Second: "1 min", time.Minute: "1 min", time.Minute + 1: "2 min", 10 * time.Minute: "10 min", 11 * time.Minute: "15 min",
		55*time.Minute + 1: "1 h", time.Hour: "1 h", 61 * time.Minute: "1.5 h", 119 * time.Minute: "2 h", 5 * time.Hour: "5 h",
	} {
		if got := Wait(d, "de"); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	if got := Wait(time.Minute, "ar-EG"); !strings.HasSuffix(got, "دقيقة") {
		t.Errorf("in Arabic: %q", got)
	}
}
