package audit

import (
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// handoffs judges that handoffs are written before anything follows from them, and that old words make none.
func (r *reading) handoffs() {
	h := humanPart{reading: r}
	for i, e := range r.log.Events {
		h.event(i, e)
		if e.Owner != nil {
			h.owner(i, e)
		}
	}
}

// humanPart is how far a reading of handoffs has come.
type humanPart struct {
	*reading
	// number counts the handoffs; active says that one is in progress.
	number int
	active bool
	// window is since when the AI has the conversation, written the customer's last message.
	window, written int64
}

func (h *humanPart) event(i int, e conversation.Event) {
	if e.Author.Kind == conversation.AuthorCustomer && e.Type == conversation.EventMessage {
		h.written = e.Seq
	}
	if e.AnswerTo != 0 && e.AnswerTo <= h.window {
		h.bad(FreshWindow, e.Seq, "it answers event %d, and the AI began anew at %d", e.AnswerTo, h.window)
	}
	if e.Type != conversation.EventHandoff || e.Handoff == nil {
		return
	}
	if h.number++; e.Handoff.Number != h.number || h.active {
		h.bad(HandoffFirst, e.Seq, "handoff %d comes where the %d. is expected, or while one is in progress", e.Handoff.Number, h.number)
	}
	h.active = true
	if e.Author.Kind != conversation.AuthorAgent && !byAgent(h.log.Events, i) && h.written <= h.window {
		h.bad(FreshWindow, e.Seq, "handoff %d comes of nothing that the customer wrote since %d", h.number, h.window)
	}
}

// owner judges a change of the owner.
func (h *humanPart) owner(i int, e conversation.Event) {
	switch e.Owner.Kind {
	case conversation.OwnerAI, conversation.OwnerNobody:
		h.active, h.window = false, e.Seq
	default:
		if !h.active && !h.handoffWith(i) {
			h.bad(HandoffFirst, e.Seq, "%s %s owns the conversation without a handoff", e.Owner.Kind, e.Owner.ID)
			h.active = true // said once
		}
	}
}

// byAgent says whether a handoff was an agent's or supervisor's doing: the takeover comes next.
func byAgent(events []conversation.Event, i int) bool {
	return i+1 < len(events) && (events[i+1].Type == conversation.EventTakenOver || events[i+1].Type == conversation.EventReassigned)
}

// handoffWith says whether the handoff was written with the change of owner i, as where a closed conversation is reopened
// for a human.
func (r *reading) handoffWith(i int) bool {
	owner := r.log.Events[i]
	for _, e := range r.log.Events[i+1:] {
		if !e.At.Equal(owner.At) || e.Owner != nil {
			return false
		}
		if e.Type == conversation.EventHandoff {
			return true
		}
	}
	return false
}
