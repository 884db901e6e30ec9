package audit

import (
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// step says whether an event is a step of which the customer is told: somebody else takes care of them, nobody is there,
// or they are asked for a way to be reached.
func step(e conversation.Event) bool {
	switch e.Type {
	case conversation.EventUnavailable, conversation.EventContactAsked, conversation.EventRequeued:
		return true
	case conversation.EventReassigned: // without an owner: to other humans, in the queue
		return e.Owner == nil || e.Owner.Kind != conversation.OwnerNobody
	case conversation.EventHandoff, conversation.EventAssigned, conversation.EventTakenOver, conversation.EventTransferred,
		conversation.EventReturned:
		return e.Owner != nil && e.Owner.Kind != conversation.OwnerNobody
	}
	return false
}

// told judges that the customer is told of each step in the transaction that wrote it, and of no handoff before it.
func (r *reading) told() {
	handedOff, due := false, int64(0)
	for i, e := range r.log.Events {
		if due != 0 && !e.At.Equal(r.log.Events[i-1].At) {
			r.bad(Told, due, "the customer was not told of it: %s", r.log.Events[due-1].Type)
			due = 0
		}
		handedOff = handedOff || e.Type == conversation.EventHandoff
		switch {
		case step(e) && due == 0:
			due = e.Seq
		case e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorSystem:
			due = 0
			if !handedOff && e.Epoch == 1 {
				r.bad(Told, e.Seq, "the customer is told of a handoff that was not written")
			}
		}
	}
	if due != 0 {
		r.bad(Told, due, "the customer was not told of it: %s", r.log.Events[due-1].Type)
	}
}

// toldOnce judges that the system says nothing again before the next step, or an answer of the customer's to what it said.
func (r *reading) toldOnce() {
	said := map[string]int64{}
	for _, e := range r.log.Events {
		switch {
		case e.Type != conversation.EventMessage:
			if step(e) || e.Owner != nil || e.Type == conversation.EventReassigned { // within the queue the epoch stays
				clear(said)
			}
		case e.Author.Kind == conversation.AuthorCustomer:
			clear(said)
		case e.Author.Kind == conversation.AuthorSystem:
			if before, twice := said[e.Text]; twice && e.Text != "" { // erased texts are all alike
				r.bad(Told, e.Seq, "the customer was told the same at %d, and nothing has happened since", before)
			}
			said[e.Text] = e.Seq
		}
	}
}
