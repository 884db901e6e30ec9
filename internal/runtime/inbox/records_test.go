package inbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// supervised is a desk with a supervisor and their token.
func supervised(t *testing.T) (*desk, string) {
	t.Helper()
	table := Table(2, 1)
	table.Copilot.Supervisors = []string{boss}
	d := newDesk(t, Options{Table: table})
	code, _, err := d.NewCode(t.Context(), boss)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := d.Redeem(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return d, token
}

// The supervisors' endpoints let supervisors in, and say what is wrong with a request.
func TestSupervisorsEndpoints(t *testing.T) {
	t.Parallel()
	d, token := supervised(t)
	agent := d.login(t, "a0")
	for _, ep := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/v1/supervisor/report", "", 200, `"serviceLevel":null`},
		{"GET", "/v1/supervisor/report?from=yesterday", "", 400, `"field":"from"`},
		{"GET", "/v1/supervisor/report?from=2026-03-02T09:00:00Z&to=2026-03-02T08:00:00Z", "", 400, `"field":"to"`},
		{"GET", "/v1/supervisor/report?threshold=-1", "", 400, `"field":"threshold"`},
		{"GET", "/v1/supervisor/audit", "", 200, `"entries":[]`},
		{"GET", "/v1/supervisor/outbox", "", 200, `"deadLetters":[]`},
		{"POST", "/v1/supervisor/outbox/replay", `{}`, 400, `"field":"id"`},
		{"POST", "/v1/supervisor/outbox/replay", `{"id":1,"destination":"webhook/x"}`, 400, `"field":"id"`},
		{"POST", "/v1/supervisor/outbox/replay", `{"id":17}`, 404, `not_found`},
		{"POST", "/v1/supervisor/outbox/replay", `{"destination":"webhook/x"}`, 200, `"replayed":0`},
		{"POST", "/v1/supervisor/export", `{"customer":""}`, 400, `"field":"customer"`},
		{"POST", "/v1/supervisor/export", `{"customer":"nobody"}`, 200, ""},
		{"POST", "/v1/supervisor/erase", `{"customer":""}`, 400, `"field":"customer"`},
		{"POST", "/v1/supervisor/erase", `{"customer":"nobody"}`, 200, `"erased":0`},
	} {
		if status, _, body := d.do(t, ep.method, ep.path, token, ep.body, nil); status != ep.status || !strings.Contains(body, ep.says) {
			t.Errorf("%s %s %s: %d %s, want %d %s", ep.method, ep.path, ep.body, status, body, ep.status, ep.says)
		}
		for who, want := range map[string]int{agent: http.StatusForbidden, "": http.StatusUnauthorized} {
			if status, _, body := d.do(t, ep.method, ep.path, who, ep.body, nil); status != want {
				t.Errorf("%s %s of somebody else: %d %s", ep.method, ep.path, status, body)
			}
		}
	}
}

// A customer's data comes as lines, and goes.
func TestExportAndEraseOverHTTP(t *testing.T) {
	t.Parallel()
	d, token := supervised(t)
	for range 2 {
		if _, _, err := d.Open(t.Context(), tenant.NewConversation{ChannelToken: Token, Customer: conversation.Customer{ID: "u1", Name: "Ada"}}); err != nil {
			t.Fatal(err)
		}
	}
	status, header, body := d.do(t, "POST", "/v1/supervisor/export", token, `{"customer":"u1"}`, nil)
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if status != http.StatusOK || header.Get("Content-Type") != "application/x-ndjson" || len(lines) != 2 {
		t.Fatalf("%d %v %s", status, header, body)
	}
	for _, line := range lines {
		var l struct {
			Conversation conversation.Conversation
			Events       []conversation.Event
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Conversation.Customer.Name != "Ada" || len(l.Events) == 0 {
			t.Errorf("%s: %v", line, err)
		}
	}
	if status, _, body := d.do(t, "POST", "/v1/supervisor/erase", token, `{"customer":"u1"}`, nil); status != http.StatusOK || !strings.Contains(body, `"erased":2`) {
		t.Errorf("%d %s", status, body)
	}
	var trail struct {
		Entries []struct{ Actor, Action string }
		Next    int64
	}
	if status, _, body := d.do(t, "GET", "/v1/supervisor/audit?actor="+boss, token, "", &trail); status != http.StatusOK || len(trail.Entries) != 4 || trail.Next == 0 {
		t.Errorf("%d %s", status, body)
	}
}
