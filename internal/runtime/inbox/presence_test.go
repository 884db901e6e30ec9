package inbox_test

import (
	"net/http"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// presenceAt asks an endpoint that tells an agent their presence.
func (d *desk) presenceAt(t *testing.T, method, path, token, body string) (p store.Presence) {
	t.Helper()
	var got struct{ Presence store.Presence }
	if status, _, body := d.do(t, method, path, token, body, &got); status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, status, body)
	}
	return got.Presence
}

// Any request of an agent is as good as a heartbeat; silence is not.
func TestAnyRequestIsAHeartbeat(t *testing.T) {
	t.Parallel()
	const lease = tenant.DefaultPresenceLease
	d := newDesk(t, Options{PresenceLease: lease})
	token := d.login(t, "a0")
	d.presenceAt(t, "PUT", "/v1/agent/presence", token, `{"state":"online"}`)
	for _, request := range []struct{ method, path string }{
		{"GET", "/v1/agent/mine"}, {"GET", "/v1/agent/me"}, {"GET", "/v1/agent/queue"}, {"POST", "/v1/agent/heartbeat"}, {"GET", "/v1/agent/mine"},
	} {
		d.Clock.Step(lease - time.Second)
		d.do(t, request.method, request.path, token, "", nil)
		if p := d.presenceAt(t, "GET", "/v1/agent/me", token, ""); p.State != store.Online || !p.Until.Equal(d.Clock.Now().Add(lease)) {
			t.Fatalf("after %s %s: %+v", request.method, request.path, p)
		}
	}
	// Within a third of the lease the next request is not written down again.
	until := d.Clock.Now().Add(lease)
	d.Clock.Step(lease/3 - 1)
	if p := d.presenceAt(t, "GET", "/v1/agent/mine", token, ""); !p.Until.Equal(until) {
		t.Errorf("until %s, want %s", p.Until, until)
	}
	lost := until.Add(tenant.PresenceGrace)
	d.Clock.SetTime(lost)
	d.AwaitPresence("a0", store.Offline)
	for _, path := range []string{"/v1/agent/mine", "/v1/agent/me"} {
		if p := d.presenceAt(t, "GET", path, token, ""); p.State != store.Offline || p.Reason != store.ReasonConnectionLost || !p.Since.Equal(until) {
			t.Errorf("%s: %+v", path, p)
		}
	}
	if p := d.presenceAt(t, "POST", "/v1/agent/heartbeat", token, ""); p.State != store.Offline {
		t.Errorf("the heartbeat says %+v", p)
	}
}

// The reason of an absence is for colleagues, and ends with it.
func TestPresenceHasAReason(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Options{})
	token := d.login(t, "a0")
	for _, tc := range []struct{ body, state, reason string }{
		{`{"state":"away","reason":"lunch"}`, "away", "lunch"}, {`{"state":"busy","reason":"a meeting"}`, "busy", "a meeting"}, {`{"state":"online"}`, "online", ""},
	} {
		d.presenceAt(t, "PUT", "/v1/agent/presence", token, tc.body)
		if p := d.presenceAt(t, "GET", "/v1/agent/me", token, ""); string(p.State) != tc.state || p.Reason != tc.reason {
			t.Errorf("%s: %+v", tc.body, p)
		}
	}
	if status, _, body := d.do(t, "PUT", "/v1/agent/presence", token, `{"state":"online","reason":"x"}`, nil); status != http.StatusBadRequest {
		t.Errorf("a reason for being online: %d %s", status, body)
	}
}

// An agent finds what they are wrapping up in their list, and ends it.
func TestWrapUpInTheInbox(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	table.Pools[0].WrapUp = metav1.Duration{Duration: time.Minute}
	d := newDesk(t, Options{Table: table})
	token := d.login(t, "a0")
	d.presenceAt(t, "PUT", "/v1/agent/presence", token, `{"state":"online"}`)
	id, _ := d.OpenConversation()
	d.Send(id, "1", Human)
	d.AwaitType(id, conversation.EventOffered, 1)
	var mine struct {
		Conversations []conversation.Conversation
		WrapUps       []store.WrapUp
	}
	for _, step := range []struct {
		move           string
		owned, wrapUps int
	}{{"accept", 1, 0}, {"resolve", 0, 1}, {"endwrapup", 0, 0}, {"endwrapup", 0, 0}} {
		if status, _, body := d.do(t, "POST", "/v1/agent/conversations/"+id+"/"+step.move, token, "", nil); status != http.StatusOK {
			t.Fatalf("%s: %d %s", step.move, status, body)
		}
		d.do(t, "GET", "/v1/agent/mine", token, "", &mine)
		if len(mine.Conversations) != step.owned || len(mine.WrapUps) != step.wrapUps {
			t.Errorf("after %s mine is %+v", step.move, mine)
		}
		if step.wrapUps > 0 && mine.WrapUps[0].Conversation != id {
			t.Errorf("the wrap-up is %+v", mine.WrapUps[0])
		}
	}
}
