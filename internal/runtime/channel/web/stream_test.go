package web

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// ids are the sequence numbers of the log entries among frames.
func ids(t *testing.T, frames []frame) (out []int64) {
	t.Helper()
	for _, f := range frames {
		if f.ID != "" {
			n, err := strconv.ParseInt(f.ID, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
	}
	return out
}

// shown are the sequence numbers that a customer is to see.
func (s *site) shown(id string) (out []int64) {
	for _, e := range s.Events(id) {
		if _, ok := e.ForCustomer(); ok {
			out = append(out, e.Seq)
		}
	}
	return out
}

// A stream that goes on anywhere, by either way of saying where, neither loses nor repeats an event.
func TestStreamGoesOnAnywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	s.SetState("a0", store.Online)
	id, token := s.OpenConversation()
	s.AwaitAnswer(id, s.Send(id, "1", Question).Seq)
	s.Send(id, "2", Human)
	s.AwaitType(id, conversation.EventOffered, 1) // an event that customers do not see
	if _, err := s.Note(t.Context(), id, s.AgentNamed("a0"), "n", "a note"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), id, s.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	all := s.shown(id)
	last := s.Events(id)[len(s.Events(id))-1].Seq
	for from := range last {
		var want []int64
		for _, n := range all {
			if n > from {
				want = append(want, n)
			}
		}
		at := strconv.FormatInt(from, 10)
		for how, st := range map[string]*stream{
			"after":         s.follow(t, id, token, "?after="+at),
			"Last-Event-ID": s.follow(t, id, token, "?after=1", "Last-Event-ID", at),
		} {
			if got := ids(t, st.untilSeq(last)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s %d: got %v, want %v", how, from, got, want)
			}
			st.cancel()
		}
	}
}

// Pieces come in order while the answer is being said, to a late follower in one, and never after its message.
func TestPieces(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	s := newSite(t, Options{Table: table})
	id, token := s.OpenConversation()
	early := s.follow(t, id, token, "")
	asked := s.Send(id, "1", "Tell me")
	call := model.Next(t)
	call.Say("One ")
	first := early.until("a piece", named("piece"))
	call.Say("two ")
	second := early.until("a piece", named("piece"))
	one, two := first[len(first)-1].piece(t), second[len(second)-1].piece(t)
	if one != (piece{1, asked.Seq, 0, "One "}) || two != (piece{1, asked.Seq, 4, "two "}) {
		t.Errorf("pieces %+v, %+v", one, two)
	}
	late := s.follow(t, id, token, "")
	frames := late.until("a piece", named("piece"))
	if got := frames[len(frames)-1].piece(t); got != (piece{1, asked.Seq, 0, "One two "}) {
		t.Errorf("the late follower got %+v", got)
	}
	call.End()
	s.AwaitAnswer(id, asked.Seq)
	next := s.Send(id, "2", Human)
	for _, st := range []*stream{early, late} {
		for _, f := range st.until("the handoff", named("handoff")) {
			if f.Name == "piece" {
				t.Errorf("a piece after the question's answer was complete: %s", f.Data)
			}
		}
	}
	if next.Seq < asked.Seq {
		t.Error("order")
	}
}

// An answer is in the log while its turn has not ended yet: whoever comes now gets the message and no pieces of it.
func TestNoPiecesAfterTheirMessage(t *testing.T) {
	t.Parallel()
	late := &lateReturn{committed: make(chan struct{}), goOn: make(chan struct{})}
	table := Table(1, 1)
	model := NewModel(t, table)
	s := newSite(t, Options{Table: table, Wrap: late.wrap})
	id, token := s.OpenConversation()
	asked := s.Send(id, "1", Question)
	call := model.Next(t)
	call.Say("An answer.")
	s.AwaitPartial(id, "An answer.")
	call.End()
	<-late.committed
	if p, ok := s.Said(id); !ok || p.AnswerTo != asked.Seq {
		t.Fatalf("the turn has ended: %+v", p)
	}
	st := s.follow(t, id, token, "")
	st.untilSeq(asked.Seq + 1)
	again := s.follow(t, id, token, "?after="+strconv.FormatInt(asked.Seq+1, 10))
	if _, err := s.TakeOver(t.Context(), id, s.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	for _, st := range []*stream{st, again} {
		for _, f := range st.until("the takeover", named("taken_over")) {
			if f.Name == "piece" {
				t.Errorf("a piece of an answer that was complete: %s", f.Data)
			}
		}
	}
	close(late.goOn)
}

// lateReturn is a store whose commit of the first answer returns late.
type lateReturn struct {
	store.Store
	once            sync.Once
	committed, goOn chan struct{}
}

func (l *lateReturn) wrap(s store.Store) store.Store {
	l.Store = s
	return l
}

func (l *lateReturn) Update(ctx context.Context, fn func(store.Tx) error) error {
	answer := false
	err := l.Store.Update(ctx, func(tx store.Tx) error { return fn(spyTx{tx, &answer}) })
	if answer {
		l.once.Do(func() {
			close(l.committed)
			<-l.goOn
		})
	}
	return err
}

type spyTx struct {
	store.Tx
	answer *bool
}

func (x spyTx) Save(c conversation.Change) error {
	*x.answer = c.Events[0].AnswerTo != 0
	return x.Tx.Save(c)
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	s.h.clock = s.Clock
	id, token := s.OpenConversation()
	st := s.follow(t, id, token, "")
	st.untilSeq(1)
	for range 3 {
		s.Clock.AwaitTicker(t)
		s.Clock.Step(heartbeat)
		if f, ok := st.next(); !ok || f.Comment == "" || f.ID+f.Name+f.Data != "" {
			t.Errorf("got %+v", f)
		}
	}
}

// A client that does not read is cut, and its handler ends.
func TestSlowClientIsCut(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	s.h.writeTimeout = 10 * time.Millisecond
	ended := make(chan struct{})
	id, token := s.OpenConversation()
	if _, err := s.TakeOver(t.Context(), id, s.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		r.SetPathValue("id", id)
		s.h.authorized(s.h.events).ServeHTTP(w, r)
	})
	conn := dialWithoutReading(t, handler, "GET / HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer "+token+"\r\n\r\n")
	defer conn.Close()
	text := strings.Repeat("x", 16<<10)
	for i := range 1000 { // more than every buffer on the way holds
		select {
		case <-ended:
			return
		default:
			s.Send(id, strconv.Itoa(i), text)
		}
	}
	select {
	case <-ended:
	case <-time.After(Patience):
		t.Error("the stream goes on")
	}
}

// At the end of the process every stream ends, and requests still work.
func TestStreamsEndWithTheProcess(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	id, token := s.OpenConversation()
	streams := []*stream{s.follow(t, id, token, ""), s.follow(t, id, token, "")}
	for _, st := range streams {
		st.untilSeq(1)
	}
	close(s.end)
	for _, st := range streams {
		if f, more := st.next(); more {
			t.Errorf("got %+v", f)
		}
	}
	if status, _, body := s.do(t, "POST", "/v1/conversations/"+id+"/messages", token, `{"id":"1","text":"hello"}`); status != http.StatusAccepted {
		t.Errorf("%d %s", status, body)
	}
}
