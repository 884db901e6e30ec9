package inbox_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// A supervisor sees who is there with what, and sets an agent away, whose offer keeps its place in the queue.
func TestSupervisorSetsAnAgentAway(t *testing.T) {
	t.Parallel()
	table := Table(1, 2)
	table.Copilot.Supervisors = []string{Email("a0")}
	d := newDesk(t, Options{Table: table})
	lead := d.login(t, "a0")
	d.SetState("a0", store.Online)
	id, _ := d.OpenConversation()
	d.Send(id, "1", Human)
	offered := d.AwaitType(id, conversation.EventOffered, 1)
	path := "/v1/supervisor/agents"
	for _, step := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", path, "", 200, `"pools":["team"],"presence":{"email":"a0@agents.example","state":"online"`},
		{"GET", path, "", 200, `"units":1,"capacity":2`},
		{"PUT", path + "/a9@agents.example/presence", `{"state":"away"}`, 400, `"field":"email"`},
		{"PUT", path + "/a0@agents.example/presence", `{"state":"online"}`, 400, `"field":"state"`},
		{"PUT", path + "/a0@agents.example/presence", `{"state":"away"}`, 200, `"state":"away","reason":"Supervisor"`},
		{"GET", path, "", 200, `"units":0,"capacity":2`},
	} {
		status, _, body := d.do(t, step.method, step.path, lead, step.body, nil)
		if status != step.status || !strings.Contains(body, step.says) {
			t.Errorf("%s %s %s: %d %s; want %d and %s", step.method, step.path, step.body, status, body, step.status, step.says)
		}
	}
	c, err := d.Conversation(t.Context(), id)
	if err != nil || c.Offer != nil || len(c.Passed) != 0 || c.Handoff.At.After(offered.At) {
		t.Errorf("it is offered %+v, passed by %v, waits since %s, %v", c.Offer, c.Passed, c.Handoff.At, err)
	}
	trail, err := d.AuditTrail(t.Context(), store.AuditFilter{Actor: Email("a0")}, 0, 100)
	var got []string
	for _, e := range trail {
		got = append(got, strings.Join([]string{e.Action, e.Subject, e.Detail}, " "))
	}
	want := []string{"staff_listed  1 agents", "staff_listed  1 agents", "agent_presence_set " + Email("a0") + " away", "staff_listed  1 agents"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the audit trail has %q, %v", got, err)
	}
}
