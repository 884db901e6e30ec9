package copilot

import (
	"strings"
	"testing"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// The API server refuses a note of more than 1,024 bytes, and the event would be lost with what it says.
func TestNoteOfAnEventFits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		message string
		whole   bool
	}{
		"short":               {"no table", true},
		"as long as may be":   {strings.Repeat("x", 1000), true},
		"one byte too long":   {strings.Repeat("x", 1001), false},
		"two-byte characters": {strings.Repeat("ü", 600), false},
		"three-byte, shifted": {"x" + strings.Repeat("語", 20_000), false},
		"four-byte, shifted":  {"xyz" + strings.Repeat("😀", 300), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorder := events.NewFakeRecorder(1)
			r := &Reconciler{Recorder: recorder}
			r.tell(&v1alpha1.Copilot{}, nil, []metav1.Condition{{
				Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: "Invalid", Message: test.message,
			}})
			note := strings.TrimPrefix(<-recorder.Events, "Warning Invalid ")
			if test.whole {
				if note != test.message {
					t.Errorf("a note of %d bytes became %q", len(test.message), note)
				}
				return
			}
			rest, cut := strings.CutSuffix(note, "…")
			if len(note) > 1000 || len(note) < 990 || !utf8.ValidString(note) || !cut || !strings.HasPrefix(test.message, rest) {
				t.Errorf("a note of %d bytes became %d: %q", len(test.message), len(note), note)
			}
		})
	}
}
