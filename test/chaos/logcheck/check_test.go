package logcheck

import (
	"slices"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

func TestCleanRun(t *testing.T) {
	t.Parallel()
	r := cleanRun(t)
	for _, v := range Check(r.journal, r.logs, r.capacities) {
		t.Error(v)
	}
}

// TestPlanted plants one fault at a time in the clean run. The checker names the rule that it breaks, and no other.
func TestPlanted(t *testing.T) {
	t.Parallel()
	broken := map[Rule]bool{}
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			r := cleanRun(t)
			p.plant(r)
			var got []Rule
			for _, v := range Check(r.journal, r.logs, r.capacities) {
				t.Log(v)
				if !slices.Contains(got, v.Rule) {
					got = append(got, v.Rule)
				}
				if v.Detail == "" || v.Conversation == "" {
					t.Errorf("the violation says too little: %+v", v)
				}
			}
			want := append([]Rule{p.rule}, p.also...)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("rules %v, want %v", got, want)
			}
		})
		broken[p.rule] = true
	}
	for _, rule := range []Rule{ConversationKept, SeqContiguous, EpochFollowsOwner, OnlyOwnerSpeaks, MessageKept, MessageOnce, MessageAsSent,
		AnsweredOnce, AnsweredOrHandedOff, HandoffOnce, HandoffTold, OfferAlone, OfferAccepted, AssignedOnce, WithinCapacity,
		MoveKept, MoveOnce, MoveAsMade, SeenAsLogged, SeenWhole, PiecesKept} {
		if !broken[rule] {
			t.Errorf("nothing is planted against rule %s", rule)
		}
	}
}

// TestUnacknowledgedMayBeMissing: what was never acknowledged may have been lost with its connection.
func TestUnacknowledgedMayBeMissing(t *testing.T) {
	t.Parallel()
	r := cleanRun(t)
	r.remove(first, r.message(first, "Thanks"), 1)
	r.unacknowledge("m3")
	for _, v := range Check(r.journal, r.logs, r.capacities) {
		t.Error(v)
	}
}

// TestCutPiecesAreForgotten: after a lost connection an answer may begin anew with other words.
func TestCutPiecesAreForgotten(t *testing.T) {
	t.Parallel()
	r := cleanRun(t)
	at := slices.IndexFunc(r.journal.Seen[first], func(s Seen) bool { return s.Cut })
	r.journal.Seen[first] = slices.Insert(r.journal.Seen[first], at,
		Seen{Event: conversation.Event{AnswerTo: r.logs[first][len(r.logs[first])-1].AnswerTo, Text: "No, because"}})
	for _, v := range Check(r.journal, r.logs, r.capacities) {
		t.Error(v)
	}
}
