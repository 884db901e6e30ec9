package logcheck

import (
	"encoding/json"
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
)

// seen holds what a conversation's customer was shown against the log.
func (c *checker) seen(h *history) {
	var last int64
	for _, s := range c.journal.Seen[h.id] {
		if s.Cut || s.Event.Seq == 0 {
			continue
		}
		seq := s.Event.Seq
		if seq <= last {
			c.report(SeenWhole, h.id, seq, "shown after event %d", last)
		}
		for missed := last + 1; missed < seq; missed++ {
			if e, ok := h.bySeq[missed]; ok && visible(e) {
				c.report(SeenWhole, h.id, missed, "left out between events %d and %d", last, seq)
			}
		}
		last = max(last, seq)
		logged, ok := h.bySeq[seq]
		if !ok {
			c.report(SeenAsLogged, h.id, seq, "shown, and not in the log")
			continue
		}
		if got, want := shown(s), expected(h.id, logged); got != want {
			c.report(SeenAsLogged, h.id, seq, "shown as %s, but it is %s", got, want)
		}
	}
	c.pieces(h)
}

func visible(e conversation.Event) bool {
	_, ok := e.ForCustomer()
	return ok
}

// shown and expected are the JSON form of an event with the payload of a handoff.
func shown(s Seen) string { return encode(s.Event, s.Payload) }

func expected(id string, logged conversation.Event) string {
	e, ok := logged.ForCustomer()
	if !ok {
		return "nothing for customers"
	}
	var payload *decide.Payload
	if h := logged.Handoff; h != nil {
		p := decide.Payload{Summery: h.CustomerSummary, Summary: h.CustomerSummary, Sentiment: decide.OutgoingSentiment(h.Sentiment),
			Reason: h.Reason, IssueType: h.IssueType, Language: h.Language, ConversationID: id}
		payload = &p
	}
	e.Handoff = nil
	return encode(e, payload)
}

func encode(e conversation.Event, p *decide.Payload) string {
	e.At = e.At.UTC()
	data, err := json.Marshal(struct {
		conversation.Event
		Payload *decide.Payload `json:"payload,omitempty"`
	}{e, p})
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// pieces puts the pieces together as a browser does and holds them against the message that took their place.
func (c *checker) pieces(h *history) {
	said := map[int64]string{}
	for _, s := range c.journal.Seen[h.id] {
		switch {
		case s.Cut:
			clear(said)
		case s.Event.Seq == 0:
			c.piece(h, said, s)
		case s.Event.Author.Kind == conversation.AuthorAI && s.Event.AnswerTo != 0:
			c.replaced(h, said, s.Event)
		case s.Event.Owner != nil:
			c.abandoned(h, said, s.Event)
		}
	}
}

func (c *checker) piece(h *history, said map[int64]string, s Seen) {
	before := said[s.Event.AnswerTo]
	if s.Offset > len(before) {
		c.report(PiecesKept, h.id, s.Event.AnswerTo, "a piece goes at byte %d of %d", s.Offset, len(before))
		return
	}
	said[s.Event.AnswerTo] = before[:s.Offset] + s.Event.Text
}

// replaced checks the message that the log has instead of the pieces.
func (c *checker) replaced(h *history, said map[int64]string, e conversation.Event) {
	if pieces := said[e.AnswerTo]; !strings.HasPrefix(h.bySeq[e.Seq].Text, pieces) {
		c.report(PiecesKept, h.id, e.Seq, "the customer saw %q, and the log has %q", pieces, h.bySeq[e.Seq].Text)
	}
	delete(said, e.AnswerTo)
}

// abandoned checks that nothing was being said when the owner changed.
func (c *checker) abandoned(h *history, said map[int64]string, e conversation.Event) {
	for answerTo, pieces := range said {
		c.report(PiecesKept, h.id, e.Seq, "the customer saw %q as an answer to event %d, and the log has nothing of it", pieces, answerTo)
	}
	clear(said)
}
