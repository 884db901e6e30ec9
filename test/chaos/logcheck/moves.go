package logcheck

import "github.com/opencopilot/handoff-operator/internal/runtime/conversation"

// moveTypes are the events that agents' moves leave.
var moveTypes = map[conversation.EventType]bool{
	conversation.EventAssigned: true, conversation.EventTakenOver: true,
	conversation.EventResolved: true, conversation.EventReturned: true,
}

// actor tells who made which kind of move in a conversation.
type actor struct {
	conversation, agent string
	kind                conversation.EventType
}

// moves holds what agents did against the logs.
func (c *checker) moves(logs map[string][]conversation.Event) {
	made := map[actor]bool{}
	for _, m := range c.journal.Moves {
		made[actor{m.Conversation, m.Agent, m.Type}] = true
		parts := parts(logs[m.Conversation])
		if m.Acknowledged && (m.Handoff >= len(parts) || count(parts[m.Handoff], m) == 0) {
			c.report(MoveKept, m.Conversation, 0, "%s by %s of handoff %d was acknowledged, and is not in the log", m.Type, m.Agent, m.Handoff)
		}
	}
	for id, events := range logs {
		for n, part := range parts(events) {
			c.movesOf(id, n, part, made)
		}
	}
}

func count(part []conversation.Event, m Move) (n int) {
	for _, e := range part {
		if e.Type == m.Type && e.Author.ID == m.Agent {
			n++
		}
	}
	return n
}

// movesOf checks the moves of one handoff. That an agent gets it once is AssignedOnce.
func (c *checker) movesOf(id string, handoff int, part []conversation.Event, made map[actor]bool) {
	released := 0
	for _, e := range part {
		if !moveTypes[e.Type] {
			continue
		}
		if e.Type == conversation.EventResolved || e.Type == conversation.EventReturned {
			released++
		}
		if released > 1 {
			c.report(MoveOnce, id, e.Seq, "%s comes a second time in handoff %d", e.Type, handoff)
		}
		if !made[actor{id, e.Author.ID, e.Type}] {
			c.report(MoveAsMade, id, e.Seq, "%s never made the move %s", e.Author.ID, e.Type)
		}
	}
}
