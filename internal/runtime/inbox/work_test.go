package inbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// What an agent can do with their conversation, over HTTP, and what is said about mistakes.
func TestWorkOnAConversation(t *testing.T) {
	t.Parallel()
	table := Table(2, 3)
	table.Copilot.Supervisors = []string{boss}
	d := newDesk(t, Options{Table: table})
	a0, a1 := d.login(t, "a0"), d.login(t, "a1")
	d.SetState("a1", store.Online)
	code, _, err := d.NewCode(t.Context(), boss)
	if err != nil {
		t.Fatal(err)
	}
	lead, _, err := d.Redeem(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := d.OpenFor(t, "u1")
	other, _ := d.OpenFor(t, "u1")
	path := "/v1/agent/conversations/" + id
	until := d.Clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for _, step := range []struct {
		who, path, body string
		status          int
		says            string
	}{
		{a0, path + "/takeover", "", 200, `"kind":"Agent"`},
		{a0, path + "/snooze", `{"until":"tomorrow"}`, 400, `"field":"until"`},
		{a0, path + "/snooze", `{"until":"2020-01-01T00:00:00Z"}`, 409, "is past"},
		{a1, path + "/snooze", fmt.Sprintf(`{"until":%q}`, until), 409, "belongs to agent"},
		{a0, path + "/snooze", fmt.Sprintf(`{"until":%q}`, until), 200, `"snoozedUntil"`},
		{a0, path + "/wake", "", 200, `"kind":"Agent"`},
		{a0, path + "/wake", "", 409, "not snoozed"},
		{a0, path + "/merge", fmt.Sprintf(`{"into":%q}`, id), 409, "same conversation"},
		{a0, path + "/merge", `{"into":"unknown"}`, 404, "no such conversation"},
		{a0, "/v1/agent/conversations/" + other + "/merge", fmt.Sprintf(`{"into":%q}`, id), 200, fmt.Sprintf(`"id":%q`, id)},
		{a0, path + "/transfer", `{"to":{"agent":"a1@agents.example","pool":"team"}}`, 400, `"field":"to"`},
		{a0, path + "/transfer", `{"to":{"agent":"a1@agents.example"},"note":"Needs a refund."}`, 200, `"note":"Needs a refund."`},
		{a1, path + "/decline", "", 200, `"passed":["a1@agents.example"]`},
		{a0, path + "/decline", "", 409, "not offered to"},
		{a0, "/v1/supervisor/conversations/" + id + "/reassign", `{"to":"Agent","agent":"a1@agents.example"}`, 403, "only a supervisor"},
		{lead, "/v1/supervisor/conversations/" + id + "/reassign", `{"to":"Moon"}`, 400, `"field":"to"`},
		{lead, "/v1/supervisor/conversations/" + id + "/reassign", `{"to":"Agent","agent":"a1@agents.example"}`, 200, `"id":"a1@agents.example"`},
		{a1, path + "/resolve", fmt.Sprintf(`{"disposition":%q}`, strings.Repeat("x", 65)), 400, `"field":"disposition"`},
		{a1, path + "/resolve", `{"disposition":"refunded"}`, 200, `"disposition":"refunded"`},
	} {
		if strings.HasSuffix(step.path, "/decline") && step.status == http.StatusOK {
			d.AwaitType(id, conversation.EventOffered, 1)
		}
		status, _, body := d.do(t, "POST", step.path, step.who, step.body, nil)
		if status != step.status || !strings.Contains(body, step.says) {
			t.Errorf("POST %s %s: %d %s; want %d and %s", step.path, step.body, status, body, step.status, step.says)
		}
	}
}
