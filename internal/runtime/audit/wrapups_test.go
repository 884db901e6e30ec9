package audit_test

import (
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/audit"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Two agents wrap up one conversation at a time, and each wrap-up takes its agent's capacity until its own end, which that
// of the other is not.
func TestOfferedDuringAWrapUp(t *testing.T) {
	t.Parallel()
	wrapUp := func(p conversation.Person) conversation.WrapUp { return conversation.WrapUp{Agent: p, Units: 1} }
	begins := func(p conversation.Person) move {
		return func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
			return c.BeginWrapUp(wrapUp(p), now)
		}
	}
	ends := func(p conversation.Person) move {
		return func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
			return c.EndWrapUp(wrapUp(p), now)
		}
	}
	for name, tc := range map[string]struct {
		ended []move
		ok    bool
	}{
		"both go on":         {nil, false},
		"the other's ended":  {[]move{ends(boris)}, false},
		"their own ended":    {[]move{ends(anna)}, true},
		"both of them ended": {[]move{ends(anna), ends(boris)}, true},
	} {
		w := clean(t) // in which anna has one conversation, of two that she can have
		w.logs = append(w.logs,
			play(t, "c3", t0.Add(2*time.Hour), append([]move{
				writes("m1"), handsOff, offers(anna, 1), accepts(anna), gives(anna), begins(anna),
				writes("m2"), handsOff, offers(boris, 0), accepts(boris), gives(boris), begins(boris),
			}, tc.ended...)...),
			play(t, "c4", t0.Add(3*time.Hour), writes("m1"), handsOff, offers(anna, 1)))
		found := w.judge()
		if tc.ok && len(found) > 0 || !tc.ok && (len(found) != 1 || found[0].Rule != audit.Room || found[0].Conversation != "c4") {
			t.Errorf("%s: %v", name, found)
		}
	}
}
