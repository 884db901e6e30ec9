package logcheck

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Check returns every violation of the rules. logs has the whole log of each conversation as agents see it, read after
// all conversations were settled; a conversation takes one unit of the capacities, which are by agent's address.
func Check(j Journal, logs map[string][]conversation.Event, capacities map[string]int) []Violation {
	c := &checker{journal: j}
	for _, id := range j.Opened {
		if len(logs[id]) == 0 {
			c.report(ConversationKept, id, 0, "its beginning was acknowledged, and there is no log")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(logs)) {
		h := newHistory(id, logs[id])
		c.sequence(h)
		c.ownership(h)
		c.speakers(h)
		c.answers(h)
		c.handoffs(h)
		c.offers(h)
		c.assignments(h)
		c.seen(h)
	}
	c.messages(logs)
	c.moves(logs)
	c.capacity(logs, capacities)
	return c.found
}

type checker struct {
	journal Journal
	found   []Violation
}

func (c *checker) report(r Rule, id string, seq int64, format string, args ...any) {
	c.found = append(c.found, Violation{Rule: r, Conversation: id, Seq: seq, Detail: fmt.Sprintf(format, args...)})
}

// history is one log with what the rules look up in it.
type history struct {
	id     string
	events []conversation.Event
	// owners has the owner of each epoch.
	owners map[int64]conversation.Owner
	bySeq  map[int64]conversation.Event
}

func newHistory(id string, events []conversation.Event) *history {
	h := &history{id: id, events: events, owners: map[int64]conversation.Owner{}, bySeq: map[int64]conversation.Event{}}
	for _, e := range events {
		h.bySeq[e.Seq] = e
		if _, known := h.owners[e.Epoch]; e.Owner != nil && !known {
			h.owners[e.Epoch] = *e.Owner
		}
	}
	return h
}

func (h *history) owner(e conversation.Event) conversation.Owner { return h.owners[e.Epoch] }

// epochs returns the epochs of the log in order.
func (h *history) epochs() []int64 {
	var out []int64
	for _, e := range h.events {
		if !slices.Contains(out, e.Epoch) {
			out = append(out, e.Epoch)
		}
	}
	return out
}

func (c *checker) sequence(h *history) {
	for i, e := range h.events {
		if e.Seq != int64(i)+1 {
			c.report(SeqContiguous, h.id, e.Seq, "stands at place %d", i+1)
			return
		}
	}
}

// leads has the arrows of the state machine between owners.
var leads = map[conversation.OwnerKind][]conversation.OwnerKind{
	"":                       {conversation.OwnerAI},
	conversation.OwnerAI:     {conversation.OwnerQueue, conversation.OwnerAgent},
	conversation.OwnerQueue:  {conversation.OwnerAgent},
	conversation.OwnerAgent:  {conversation.OwnerAI, conversation.OwnerNobody},
	conversation.OwnerNobody: {conversation.OwnerAI, conversation.OwnerQueue}, // what bounced goes to a human at once
}

func (c *checker) ownership(h *history) {
	given := map[int64]int{}
	var epoch int64
	for _, e := range h.events {
		if e.Epoch != epoch && e.Epoch != epoch+1 {
			c.report(EpochFollowsOwner, h.id, e.Seq, "epoch %d follows %d", e.Epoch, epoch)
		}
		epoch = e.Epoch
		if e.Owner != nil {
			if given[e.Epoch]++; given[e.Epoch] > 1 {
				c.report(EpochFollowsOwner, h.id, e.Seq, "the owner changes again in epoch %d", e.Epoch)
			}
		}
	}
	var before conversation.Owner
	for _, epoch := range h.epochs() {
		owner, ok := h.owners[epoch]
		if !ok {
			c.report(EpochFollowsOwner, h.id, 0, "epoch %d begins without a change of owner", epoch)
		} else if !slices.Contains(leads[before.Kind], owner.Kind) {
			c.report(EpochFollowsOwner, h.id, 0, "the owner of epoch %d is %s after %s", epoch, owner.Kind, before.Kind)
		}
		before = owner
	}
}

func (c *checker) speakers(h *history) {
	for _, e := range h.events {
		if e.Type != conversation.EventMessage {
			continue
		}
		owner := h.owner(e)
		switch {
		case e.Author.Kind == conversation.AuthorAI && owner.Kind != conversation.OwnerAI:
			c.report(OnlyOwnerSpeaks, h.id, e.Seq, "the AI speaks while the owner is %s", owner.Kind)
		case e.Author.Kind == conversation.AuthorAgent && owner != (conversation.Owner{Kind: conversation.OwnerAgent, ID: e.Author.ID}):
			c.report(OnlyOwnerSpeaks, h.id, e.Seq, "agent %s speaks while the owner is %s %s", e.Author.ID, owner.Kind, owner.ID)
		}
	}
}
