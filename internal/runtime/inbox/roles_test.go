package inbox_test

import (
	"net/http"
	"strings"
	"testing"

	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// boss is a supervisor who is in no pool.
const boss = "boss@agents.example"

// A supervisor in no pool signs in and reads; what an agent does is refused. An agent is no supervisor.
func TestSupervisorsAndAgentsHaveTheirOwnRights(t *testing.T) {
	t.Parallel()
	table := Table(2, 1)
	table.Copilot.Supervisors = []string{Email("a1"), boss}
	d := newDesk(t, Options{Table: table})
	id, _ := d.OpenConversation()
	code, _, err := d.NewCode(t.Context(), boss)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := d.Redeem(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	var me struct{ InPool, Supervisor bool }
	for who, want := range map[string]struct{ inPool, supervisor bool }{
		token: {false, true}, d.login(t, "a0"): {true, false}, d.login(t, "a1"): {true, true},
	} {
		if status, _, body := d.do(t, "GET", "/v1/agent/me", who, "", &me); status != http.StatusOK || me.InPool != want.inPool || me.Supervisor != want.supervisor {
			t.Errorf("me: %d %s, want in a pool %v, supervisor %v", status, body, want.inPool, want.supervisor)
		}
	}
	path := "/v1/agent/conversations/" + id
	for endpoint, want := range map[string]int{"GET /v1/agent/queue": 200, "GET " + path: 200, "GET " + path + "/events": 200} {
		method, path := split(endpoint)
		if status, _, body := d.do(t, method, path, token, "", nil); status != want {
			t.Errorf("%s: %d %s", endpoint, status, body)
		}
	}
	for _, endpoint := range []string{"POST " + path + "/takeover", "POST " + path + "/notes", "PUT /v1/agent/presence"} {
		method, path := split(endpoint)
		if status, _, body := d.do(t, method, path, token, `{}`, nil); status != http.StatusForbidden {
			t.Errorf("%s of a supervisor in no pool: %d %s", endpoint, status, body)
		}
	}
	d.UseTable(Table(2, 1))
	if status, _, body := d.do(t, "GET", "/v1/agent/me", token, "", nil); status != http.StatusUnauthorized {
		t.Errorf("a former supervisor: %d %s", status, body)
	}
}

func split(endpoint string) (method, path string) {
	method, path, _ = strings.Cut(endpoint, " ")
	return method, path
}
