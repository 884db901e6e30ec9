package engine

import (
	"fmt"
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Seen is what one customer's stream has shown: the log, and what the AI was saying.
type Seen struct {
	Events []conversation.Event
	// Lost counts what may have cost a replica an answer that it was giving: another one gives it from the beginning, in
	// place of what was shown. nil: nothing does.
	Lost func() int64

	lost   int64
	asked  map[int64]int64
	epoch  int64
	pieces map[int64]string
	done   map[int64]bool
}

// Show takes the next frame. An error says how it breaks the rule that nothing of the AI is shown after it lost the
// conversation, or after its answer, and that the log has all of what was shown.
func (s *Seen) Show(f Frame) error {
	if s.pieces == nil {
		s.pieces, s.done, s.asked = map[int64]string{}, map[int64]bool{}, map[int64]int64{}
	}
	switch f.Name {
	case "piece":
		p, err := f.Piece()
		if err != nil {
			return err
		}
		return s.piece(p)
	case "unavailable", "queue": // not in the log
		return nil
	}
	e, err := f.Event()
	if err != nil {
		return err
	}
	return s.event(e)
}

func (s *Seen) event(e conversation.Event) error {
	if n := len(s.Events); n > 0 && e.Seq <= s.Events[n-1].Seq {
		return fmt.Errorf("event %d is shown after event %d", e.Seq, s.Events[n-1].Seq)
	}
	s.Events = append(s.Events, e)
	s.epoch = max(s.epoch, e.Epoch)
	s.asked[e.Seq] = s.lost // as of the event before: it was written after that
	if s.Lost != nil {
		s.lost = s.Lost()
	}
	if e.AnswerTo == 0 {
		return nil
	}
	s.done[e.AnswerTo] = true
	if shown := s.pieces[e.AnswerTo]; !strings.HasPrefix(e.Text, shown) && s.asked[e.AnswerTo] == s.lost {
		return fmt.Errorf("the customer saw %q, and the log has %q", shown, e.Text)
	}
	delete(s.pieces, e.AnswerTo)
	return nil
}

func (s *Seen) piece(p Piece) error {
	before := s.pieces[p.AnswerTo]
	switch {
	case p.Epoch < s.epoch:
		return fmt.Errorf("a piece of epoch %d after an event of epoch %d", p.Epoch, s.epoch)
	case s.done[p.AnswerTo]:
		return fmt.Errorf("a piece of the answer to %d after that", p.AnswerTo)
	case p.Offset > 0 && p.Offset != len(before):
		return fmt.Errorf("a piece at %d where %d bytes were", p.Offset, len(before))
	}
	s.pieces[p.AnswerTo] = before[:p.Offset] + p.Text
	return nil
}

// Saying is what the stream has shown of the answer to a message that is not in the log yet.
func (s *Seen) Saying(answerTo int64) string { return s.pieces[answerTo] }

// Last is the number of the last event, to go on from.
func (s *Seen) Last() int64 {
	if n := len(s.Events); n > 0 {
		return s.Events[n-1].Seq
	}
	return 0
}

// Left returns what was shown and is not in the log.
func (s *Seen) Left() error {
	for to, text := range s.pieces {
		return fmt.Errorf("the customer saw %q in answer to %d, of which the log has nothing", text, to)
	}
	return nil
}
