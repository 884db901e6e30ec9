package logcheck

import "github.com/opencopilot/handoff-operator/internal/runtime/conversation"

// textKey tells the texts of a conversation apart: customers and agents choose their ids independently.
type textKey struct {
	conversation string
	author       conversation.AuthorKind
	clientID     string
}

func (c *checker) messages(logs map[string][]conversation.Event) {
	logged := map[textKey][]conversation.Event{}
	for id, events := range logs {
		for _, e := range events {
			if e.ClientID != "" {
				k := textKey{id, e.Author.Kind, e.ClientID}
				logged[k] = append(logged[k], e)
			}
		}
	}
	sent := map[textKey]Sent{}
	for _, s := range c.journal.Sent {
		k := textKey{s.Conversation, s.Author.Kind, s.ClientID}
		sent[k] = s
		if s.Acknowledged && len(logged[k]) == 0 {
			c.report(MessageKept, s.Conversation, 0, "%s %q of %s was acknowledged, and is not in the log", s.Type, s.ClientID, s.Author.Kind)
		}
		if n := len(logged[k]); n > 1 {
			c.report(MessageOnce, s.Conversation, logged[k][1].Seq, "%s %q of %s is in the log %d times", s.Type, s.ClientID, s.Author.Kind, n)
		}
	}
	c.origins(logs, sent)
}

// origins checks that what the logs have of people is theirs.
func (c *checker) origins(logs map[string][]conversation.Event, sent map[textKey]Sent) {
	for id, events := range logs {
		for _, e := range events {
			if !fromPerson(e) {
				continue
			}
			s, ok := sent[textKey{id, e.Author.Kind, e.ClientID}]
			switch {
			case !ok:
				c.report(MessageAsSent, id, e.Seq, "nobody sent %s %q of %s", e.Type, e.ClientID, e.Author.Kind)
			case s.Text != e.Text || s.Type != e.Type || s.Author.ID != e.Author.ID:
				c.report(MessageAsSent, id, e.Seq, "%s %q of %s %q was sent by %q as %s %q", e.Type, e.Text, e.Author.Kind, e.Author.ID, s.Author.ID, s.Type, s.Text)
			}
		}
	}
}

func fromPerson(e conversation.Event) bool {
	spoken := e.Type == conversation.EventMessage || e.Type == conversation.EventNote
	return spoken && (e.Author.Kind == conversation.AuthorCustomer || e.Author.Kind == conversation.AuthorAgent)
}

// answers checks what the AI says. Several messages that a customer writes before the AI answers are answered together,
// by the answer to the last of them.
func (c *checker) answers(h *history) {
	var answered int64
	for _, e := range h.events {
		if e.Author.Kind != conversation.AuthorAI || e.AnswerTo == 0 {
			continue
		}
		question, ok := h.bySeq[e.AnswerTo]
		switch {
		case e.AnswerTo <= answered:
			c.report(AnsweredOnce, h.id, e.Seq, "answers event %d again, after one to event %d", e.AnswerTo, answered)
		case !ok || question.Author.Kind != conversation.AuthorCustomer || e.AnswerTo >= e.Seq || question.Epoch != e.Epoch:
			c.report(AnsweredOnce, h.id, e.Seq, "answers event %d, which is no customer's message of epoch %d before it", e.AnswerTo, e.Epoch)
		}
		answered = max(answered, e.AnswerTo)
	}
	if len(h.events) == 0 {
		return
	}
	last := h.events[len(h.events)-1].Epoch
	for _, e := range h.events {
		// Where the AI lost the conversation, it was handed off: the rules about owners and handoffs see to that.
		owed := e.Author.Kind == conversation.AuthorCustomer && e.Epoch == last && h.owner(e).Kind == conversation.OwnerAI
		if owed && e.Seq > answered {
			c.report(AnsweredOrHandedOff, h.id, e.Seq, "is still owed an answer")
		}
	}
}
