package engine

import (
	"fmt"
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Seen is what one customer's stream has shown: the log, and what the AI was saying.
type Seen struct {
	Events []conversation.Event
	epoch  int64
	pieces map[int64]string
	done   map[int64]bool
}

// Show takes the next frame. An error says how it breaks the rule that nothing of the AI is shown after it lost the
// conversation, or after its answer, and that the log has all of what was shown.
func (s *Seen) Show(f Frame) error {
	if s.pieces == nil {
		s.pieces, s.done = map[int64]string{}, map[int64]bool{}
	}
	if f.Name == "piece" {
		p, err := f.Piece()
		if err != nil {
			return err
		}
		return s.piece(p)
	}
	e, err := f.Event()
	if err != nil {
		return err
	}
	s.Events = append(s.Events, e)
	s.epoch = max(s.epoch, e.Epoch)
	if e.AnswerTo == 0 {
		return nil
	}
	s.done[e.AnswerTo] = true
	if shown := s.pieces[e.AnswerTo]; !strings.HasPrefix(e.Text, shown) {
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

// Left returns what was shown and is not in the log.
func (s *Seen) Left() error {
	for to, text := range s.pieces {
		return fmt.Errorf("the customer saw %q in answer to %d, of which the log has nothing", text, to)
	}
	return nil
}
