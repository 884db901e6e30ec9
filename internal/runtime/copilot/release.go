package copilot

import "strings"

// quotes are what models put before noAnswer, and maxQuotes how many of them are waited through.
const (
	quotes    = " \t\r\n\"'`*"
	maxQuotes = 16
)

// release passes a model's pieces on to the customer, and holds back what may be the beginning of noAnswer until it is
// known. A noAnswer after other text is dropped.
type release struct {
	emit     func(string) error
	emitErr  error           // of emit; nothing is emitted after it
	text     strings.Builder // emitted so far
	held     string
	noAnswer bool // the answer is noAnswer; nothing was emitted
}

// write takes the next piece.
func (r *release) write(piece string) error {
	r.held += piece
	if r.text.Len() == 0 {
		start := strings.TrimLeft(r.held, quotes)
		r.noAnswer = strings.HasPrefix(start, noAnswer)
		if r.noAnswer || strings.HasPrefix(noAnswer, start) && len(r.held)-len(start) <= maxQuotes {
			return nil
		}
		r.held = strings.TrimLeft(r.held, " \t\r\n")
	}
	r.held = strings.ReplaceAll(r.held, noAnswer, "")
	keep := overlap(r.held, noAnswer)
	piece, r.held = r.held[:len(r.held)-keep], r.held[len(r.held)-keep:]
	return r.pass(piece)
}

// close passes on what was held back when the answer is complete.
func (r *release) close() error {
	if r.text.Len() == 0 {
		r.held = strings.TrimSpace(r.held)
	}
	piece := r.held
	r.held = ""
	return r.pass(piece)
}

func (r *release) pass(piece string) error {
	if piece == "" {
		return nil
	}
	if r.emitErr = r.emit(piece); r.emitErr == nil {
		r.text.WriteString(piece)
	}
	return r.emitErr
}

// overlap is the length of the longest end of s that is a beginning of marker.
func overlap(s, marker string) int {
	for n := min(len(s), len(marker)); n > 0; n-- {
		if strings.HasSuffix(s, marker[:n]) {
			return n
		}
	}
	return 0
}
