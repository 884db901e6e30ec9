package routing

import (
	"strings"
	"testing"

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
