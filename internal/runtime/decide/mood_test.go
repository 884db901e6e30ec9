package decide

import (
	"testing"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

const (
	happy        = v1alpha1.SentimentHappy
	neutral      = v1alpha1.SentimentNeutral
	dissatisfied = v1alpha1.SentimentDissatisfied
	angry        = v1alpha1.SentimentAngry
)

func TestMoodOfOneMessage(t *testing.T) {
	t.Parallel()
	tests := map[v1alpha1.Sentiment][]string{
		happy: {
			"That is great, thank you so much!", "Perfect, I love it", "thanks 😊", "This is fucking brilliant, thank you!",
		},
		neutral: {
			"", "ok", "Where is my order?", "I want to cancel my order, please", "My card was stolen and I need to dispute a charge",
			"The app crashes with an error when I pay", "Connect me to the spa", "I would like a refund", "I'm not angry, just asking",
			"My order is ABC123 XYZ", "WHERE IS MY ORDER", "How many times can I use this card?", "I lost my password!!",
		},
		dissatisfied: {
			"I am disappointed with this.", "This is not helpful", "Still waiting for my parcel!", "I'm frustrated 😞",
			"WHERE IS MY ORDER??", "I want help to make a bloody reclamation", "Ich bin sehr enttäuscht", "Estoy muy decepcionado", "Ik ben teleurgesteld",
			"Je suis déçu", "أنا محبط",
		},
		angry: {
			"This is the THIRD time I ask!", "what the fuck is going on", "You are useless!! Where is my order?!", "😡", "I GIVE UP",
			"This is a joke, worst customer service ever", "I am furious", "stop wasting my time", "ridiculous, absolutely terrible",
			"how many times do I have to tell you", "your f***ing app is terrible", "Das ist eine Frechheit!", "C'est inadmissible", "Esto es inaceptable",
			"Dit is schandalig", "هذا غير مقبول",
		},
	}
	for want, messages := range tests {
		for _, s := range messages {
			got := moodOfText(parse(s))
			if got.sentiment != want {
				t.Errorf("%q is %s, want %s (%q)", s, got.sentiment, want, got.evidence)
			}
			if bad := want == angry || want == dissatisfied; bad && len(got.evidence) == 0 {
				t.Errorf("%q is %s without evidence", s, want)
			}
		}
	}
}

// The mood is the newest message's; the window only decides whether displeasure has become anger.
func TestMoodInTheWindow(t *testing.T) {
	t.Parallel()
	const upset = "I am disappointed."
	tests := []struct {
		name  string
		texts []string
		want  v1alpha1.Sentiment
	}{
		{"calm after anger", []string{"I am furious!!", "My number is 5."}, neutral},
		{"upset after anger", []string{"I am furious!!", upset}, angry},
		{"upset twice", []string{upset, "This is not helpful"}, dissatisfied},
		{"upset three times", []string{upset, "This is not helpful", upset}, angry},
		{"a calm message between", []string{upset, upset, "ok", upset}, dissatisfied},
		{"happy after all", []string{upset, "Great, that works, thank you so much!"}, happy},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := Decide(nil, says(test.texts...)); got.Sentiment != test.want {
				t.Errorf("%s, want %s (%q)", got.Sentiment, test.want, got.Evidence)
			}
		})
	}
}

// What the AI or an agent writes is not how the customer feels.
func TestMoodIgnoresOtherAuthors(t *testing.T) {
	t.Parallel()
	in := Input{Messages: []Message{{AI, "You are a useless idiot"}, {Agent, "fuck you"}, {Customer, "Where is my order?"}}}
	if got := Decide(nil, in).Sentiment; got != neutral {
		t.Error(got)
	}
}

// TestCues: a phrase in two cues would count twice.
func TestCues(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range cues {
		for _, e := range splitEntries(c.phrases) {
			if seen[e] {
				t.Errorf("%q is there twice", e)
			}
			if e == "" || fold(e) != e {
				t.Errorf("%q is not folded: it can never be found", e)
			}
			seen[e] = true
		}
	}
}
