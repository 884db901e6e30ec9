package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

const (
	// heartbeat keeps proxies from closing a silent stream; most close after 30 to 60 s.
	heartbeat = 15 * time.Second
	// writeTimeout cuts a client that does not read.
	writeTimeout = 20 * time.Second
)

// event is a log entry as the customer gets it. A handoff carries the payload for the site instead of its inside.
type event struct {
	conversation.Event
	Handoff *struct{}       `json:"handoff,omitempty"`
	Payload *decide.Payload `json:"payload,omitempty"`
}

func eventOf(id string, e conversation.Event) event {
	out := event{Event: e}
	if h := e.Handoff; h != nil {
		p := decide.NewPayload(id,
			decide.Decision{Reason: h.Reason, IssueType: h.IssueType, Sentiment: h.Sentiment, Language: h.Language},
			decide.Summary{Customer: h.CustomerSummary})
		out.Payload = &p
	}
	return out
}

// piece is a part of an answer that is still being said: Text goes at byte Offset of the answer to message AnswerTo, and
// replaces what was there; Offset 0 begins anew. Pieces are not in the log; the message that follows is, and replaces them.
type piece struct {
	Epoch    int64  `json:"epoch"`
	AnswerTo int64  `json:"answerTo"`
	Offset   int    `json:"offset"`
	Text     string `json:"text"`
}

// start returns the sequence number that a stream goes on from: that of a browser which reconnects, or after.
func start(r *http.Request, after int64) (int64, error) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		return after, nil
	}
	n, err := strconv.ParseInt(last, 10, 64)
	if err != nil || n < 0 {
		return 0, &tenant.Invalid{Field: "Last-Event-ID", Message: fmt.Sprintf("%q is not a sequence number; send the id of the last event", last)}
	}
	return n, nil
}

// stream sends events as Server-Sent Events from a sequence number on. The id of an event is its sequence number, so a
// browser that reconnects goes on where it was (Last-Event-ID). Events named "piece" have no id.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, v visit, after int64) error {
	c := v.conv
	s := &sender{h: h, w: w, rc: http.NewResponseController(w), id: c.ID, access: v.access, after: after, answered: c.Answered,
		waits: c.Owner.Kind == conversation.OwnerQueue}
	f := h.tenant.Follow(c.ID)
	defer f.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	// The server's read timeout is for requests; it would end a stream that reads nothing more.
	if err := s.rc.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("lifting the read timeout of a stream: %w", err)
	}
	w.WriteHeader(http.StatusOK)

	beat := h.clock.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		// An error ends the stream; the client comes back and goes on from its last event.
		if err := s.send(r); err != nil {
			s.apologize(err)
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-h.end:
			return nil
		case <-f.C:
		case <-beat.C():
			if err := s.write(": still here\n\n"); err != nil {
				return nil
			}
			if err := s.sendPlace(r); err != nil {
				return nil
			}
		}
	}
}

// apologize tells a customer that the database is away.
func (s *sender) apologize(err error) {
	if !errors.Is(err, store.ErrUnavailable) {
		return
	}
	_, problem := httpjson.Describe(err)
	if err := s.emit("unavailable", "", problem); err == nil {
		_ = s.flush() // the stream ends
	}
}

// sender is the state of one stream.
type sender struct {
	h      *handler
	w      http.ResponseWriter
	rc     *http.ResponseController
	id     string
	access tenant.Access
	after  int64
	// answered is the newest message whose answer is in the log: pieces of it come too late.
	answered int64
	// attempt and offset say what was sent of the answer in progress.
	attempt int64
	offset  int
	// waits says that the conversation is in the queue, place what was sent last of where it stands there.
	waits bool
	place place
}

// send sends all that is new: log entries first, then what the AI is saying.
func (s *sender) send(r *http.Request) error {
	for more := true; more; {
		var events []conversation.Event
		var err error
		if events, s.after, more, err = s.h.tenant.Events(r.Context(), s.id, s.after, pageSize); err != nil {
			return err
		}
		for _, e := range events {
			s.answered = max(s.answered, e.AnswerTo)
			if e.Owner != nil {
				s.waits = e.Owner.Kind == conversation.OwnerQueue
			}
			shown, ok := s.access.Shows(e)
			if !ok {
				continue
			}
			if err := s.emit(string(e.Type), strconv.FormatInt(e.Seq, 10), eventOf(s.id, shown)); err != nil {
				return err
			}
		}
	}
	return s.sendPiece(r)
}

func (s *sender) sendPiece(r *http.Request) error {
	p, ok, err := s.h.tenant.Partial(r.Context(), s.id)
	if err != nil {
		return err
	}
	// An answer that the log has, and one to a message that was not sent yet (a wake-up is on its way), are not for now.
	if !ok || p.AnswerTo <= s.answered || p.AnswerTo > s.after {
		return s.flush()
	}
	if p.Attempt != s.attempt {
		s.attempt, s.offset = p.Attempt, 0
	}
	if len(p.Text) > s.offset {
		from := s.offset
		s.offset = len(p.Text)
		if err := s.emit("piece", "", piece{Epoch: p.Epoch, AnswerTo: p.AnswerTo, Offset: from, Text: p.Text[from:]}); err != nil {
			return err
		}
	}
	return s.flush()
}

// sendPlace sends where the customer stands in the queue as an event named "queue" without an id, if that has changed
// since it was sent last. It is looked up with the heartbeat: nobody reads it faster.
func (s *sender) sendPlace(r *http.Request) error {
	if !s.waits {
		return nil
	}
	p, err := s.h.place(r, s.id)
	if err != nil || p == nil || *p == s.place {
		return err
	}
	s.place = *p
	return s.emit("queue", "", p)
}

func (s *sender) emit(name, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding a %s event: %w", name, err)
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	return s.write(id + "event: " + name + "\ndata: " + string(data) + "\n\n")
}

func (s *sender) write(text string) error {
	if err := s.rc.SetWriteDeadline(time.Now().Add(s.h.writeTimeout)); err != nil {
		return err
	}
	_, err := s.w.Write([]byte(text))
	return err
}

func (s *sender) flush() error { return s.rc.Flush() }
