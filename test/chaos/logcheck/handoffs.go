package logcheck

import (
	"cmp"
	"slices"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

func (c *checker) handoffs(h *history) {
	number := 0
	perEpoch := map[int64]int{}
	for i, e := range h.events {
		switch e.Type {
		case conversation.EventHandoff:
			number++
			perEpoch[e.Epoch]++
			if e.Handoff == nil || e.Handoff.Number != number {
				c.report(HandoffOnce, h.id, e.Seq, "handoff %d has another number: %+v", number, e.Handoff)
			}
			if e.Owner != nil && !told(h.events, i) {
				c.report(HandoffTold, h.id, e.Seq, "the customer is not told of the handoff")
			}
		case conversation.EventAssigned, conversation.EventTakenOver:
			if !told(h.events, i) {
				c.report(HandoffTold, h.id, e.Seq, "the customer is not told who has the conversation")
			}
		}
	}
	var before conversation.OwnerKind
	for _, epoch := range h.epochs() {
		want := 0
		owner := h.owners[epoch].Kind
		if before == conversation.OwnerAI || before == conversation.OwnerNobody && owner == conversation.OwnerQueue {
			want = 1
		}
		if perEpoch[epoch] != want {
			c.report(HandoffOnce, h.id, 0, "epoch %d, after the owner %s, has %d handoffs, not %d", epoch, before, perEpoch[epoch], want)
		}
		before = owner
	}
}

// told says whether the event after the one at i tells the customer something in the same epoch.
func told(events []conversation.Event, i int) bool {
	if i+1 == len(events) {
		return false
	}
	next := events[i+1]
	return next.Type == conversation.EventMessage && next.Author.Kind == conversation.AuthorSystem && next.Epoch == events[i].Epoch
}

func (c *checker) offers(h *history) {
	open := ""
	for _, e := range h.events {
		switch e.Type {
		case conversation.EventOffered:
			if open != "" {
				c.report(OfferAlone, h.id, e.Seq, "offered to %s while %s has the offer", agent(e), open)
			}
			if owner := h.owner(e); owner.Kind != conversation.OwnerQueue {
				c.report(OfferAlone, h.id, e.Seq, "offered to %s while the owner is %s", agent(e), owner.Kind)
			}
			open = agent(e)
		case conversation.EventOfferExpired:
			if open != agent(e) {
				c.report(OfferAccepted, h.id, e.Seq, "an offer to %s ends while %q has the offer", agent(e), open)
			}
			open = ""
		case conversation.EventAssigned:
			if open != agent(e) || e.Author.ID != open {
				c.report(OfferAccepted, h.id, e.Seq, "%s gets it by %s while %q has the offer", agent(e), e.Author.ID, open)
			}
		}
		if e.Owner != nil {
			open = ""
		}
	}
}

func agent(e conversation.Event) string {
	if e.Agent == nil {
		return ""
	}
	return e.Agent.ID
}

func (c *checker) assignments(h *history) {
	for n, part := range parts(h.events) {
		got := 0
		for _, e := range part {
			if e.Type == conversation.EventAssigned || e.Type == conversation.EventTakenOver {
				got++
			}
		}
		switch {
		case n == 0 && got > 0:
			c.report(AssignedOnce, h.id, 0, "an agent gets it before the first handoff")
		case n > 0 && got != 1:
			c.report(AssignedOnce, h.id, part[0].Seq, "handoff %d has %d assignments", n, got)
		}
	}
}

// parts cuts a log before each handoff: part 0 is what comes before the first one, part n what belongs to the nth.
func parts(events []conversation.Event) [][]conversation.Event {
	out := [][]conversation.Event{nil}
	for _, e := range events {
		if e.Type == conversation.EventHandoff {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], e)
	}
	return out
}

// load is a change of what an agent holds.
type load struct {
	event        conversation.Event
	conversation string
	agent        string
	units        int
	offered      bool
}

// capacity counts what agents hold over all conversations in the order of time. What happened at the same time happened
// in one transaction, in which the runtime takes back before it gives.
func (c *checker) capacity(logs map[string][]conversation.Event, capacities map[string]int) {
	var all []load
	for id, events := range logs {
		all = append(all, loads(id, events)...)
	}
	slices.SortStableFunc(all, func(a, b load) int {
		return cmp.Or(a.event.At.Compare(b.event.At), cmp.Compare(a.units, b.units),
			cmp.Compare(a.conversation, b.conversation), cmp.Compare(a.event.Seq, b.event.Seq))
	})
	held := map[string]int{}
	for _, l := range all {
		held[l.agent] += l.units
		if l.offered && held[l.agent] > capacities[l.agent] {
			c.report(WithinCapacity, l.conversation, l.event.Seq, "the offer brings %s to %d of %d", l.agent, held[l.agent], capacities[l.agent])
		}
	}
}

// loads follows one conversation from holder to holder.
func loads(id string, events []conversation.Event) (out []load) {
	holder := ""
	move := func(e conversation.Event, to string) {
		if holder == to {
			return
		}
		if holder != "" {
			out = append(out, load{e, id, holder, -1, false})
		}
		if to != "" {
			out = append(out, load{e, id, to, 1, e.Type == conversation.EventOffered})
		}
		holder = to
	}
	for _, e := range events {
		switch {
		case e.Type == conversation.EventOffered:
			move(e, agent(e))
		case e.Type == conversation.EventOfferExpired:
			move(e, "")
		case e.Owner != nil && e.Owner.Kind == conversation.OwnerAgent:
			move(e, e.Owner.ID)
		case e.Owner != nil:
			move(e, "")
		}
	}
	return out
}
