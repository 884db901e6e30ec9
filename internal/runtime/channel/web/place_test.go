package web

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// The customer sees their place when they ask, and in the stream with the heartbeat when it has changed: not in the log.
func TestPlaceInTheQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{Table: Table(1, 1)})
	s.h.clock = s.Clock
	queued := func() (id, token string) {
		id, token = s.OpenConversation()
		s.Send(id, "1", Human)
		s.AwaitType(id, conversation.EventHandoff, 1)
		s.Clock.Step(time.Second)
		return id, token
	}
	asks := func(id, token string) *place {
		t.Helper()
		var got struct {
			Conversation struct{ Queue *place }
		}
		_, _, body := s.do(t, "GET", "/v1/conversations/"+id, token, "")
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		return got.Conversation.Queue
	}
	first, firstToken := queued()
	id, token := queued()
	if p := asks(id, token); p == nil || *p != (place{Position: 2}) {
		t.Errorf("who asks is at %+v", p)
	}
	st := s.follow(t, id, token, "")
	last := s.Events(id)
	st.untilSeq(last[len(last)-1].Seq)
	s.Clock.AwaitTicker(t)
	s.Clock.Step(heartbeat)
	if frames := st.until("the place", named("queue")); frames[len(frames)-1].Data != `{"position":2}` {
		t.Errorf("the stream says %+v", frames)
	}
	s.Clock.Step(heartbeat) // nothing has changed: only the heartbeat comes
	if f, ok := st.next(); !ok || f.Comment == "" {
		t.Errorf("got %+v", f)
	}
	s.SetState("a0", store.Online) // the first is offered
	s.AwaitType(first, conversation.EventOffered, 1)
	if p := asks(first, firstToken); p != nil {
		t.Errorf("who is offered stands at %+v", p)
	}
	s.Clock.Step(heartbeat)
	if frames := st.until("the new place", named("queue")); frames[len(frames)-1].Data != `{"position":1}` || frames[len(frames)-1].ID != "" {
		t.Errorf("the stream says %+v", frames)
	}
}
