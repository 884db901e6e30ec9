package decide

import (
	"testing"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

func TestAnnouncedHandoffHappens(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"I am transferring you to a human agent now.":                         true,
		"I'm sorry to hear that. Let me connect you with one of our agents.":  true,
		"I'll pass this on to a colleague.":                                   true,
		"We will escalate this to our billing department.":                    true,
		"You will be connected shortly.":                                      true,
		"A colleague will get in touch with you within a day.":                true,
		"One of our specialists will contact you.":                            true,
		"Ich verbinde Sie mit einer Kollegin.":                                true,
		"Ein Mitarbeiter wird sich bei Ihnen melden.":                         true,
		"Je vous mets en relation avec un conseiller.":                        true,
		"Ik verbind u door met een collega.":                                  true,
		"Le paso con un compañero.":                                           true,
		"سأحولك إلى أحد الزملاء.":                                             true,
		"Orders arrive within three working days.":                            false,
		"You can transfer money to a friend in the app.":                      false,
		"I can help you connect your printer. Press the button on the back.":  false,
		"Returns are free. Put the label on the parcel.":                      false,
		"To talk to a human, ask for one here.":                               false,
		"Our team is in Utrecht. The parcel will get to you on Monday.":       false,
		"Ich gebe Ihnen gern die Öffnungszeiten: 9 bis 17 Uhr.":               false,
		"The transfer to your account takes two days and you will be mailed.": false,
	}
	policy := &routing.Policy{}
	for answer, want := range tests {
		in := Input{Messages: []Message{{Customer, "Where is it?"}}, Turns: 1, Answer: &AnswerSignals{Understood: true, Text: answer}}
		d := Decide(policy, in)
		if d.HandOff != want || want && d.Reason != v1alpha1.HandoffNotUnderstood {
			t.Errorf("%q hands off: %v for %q, want %v", answer, d.HandOff, d.Reason, want)
		}
	}
}
