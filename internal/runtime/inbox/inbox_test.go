package inbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/inbox"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a World with the agents' API in front of it.
type desk struct {
	*World
	handler http.Handler
}

func newDesk(t *testing.T, o Options) *desk {
	t.Helper()
	d := &desk{World: New(t, o)}
	mux := http.NewServeMux()
	inbox.Register(mux, d.Tenant)
	d.handler = mux
	return d
}

// do sends a request and decodes the answer into out, if there is one to decode into.
func (d *desk) do(t *testing.T, method, path, token, body string, out any) (int, http.Header, string) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	d.handler.ServeHTTP(rec, req)
	data, err := io.ReadAll(rec.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
	}
	return rec.Code, rec.Header(), string(data)
}

// login signs an agent in.
func (d *desk) login(t *testing.T, agent string) string {
	t.Helper()
	code, _, err := d.NewCode(t.Context(), Email(agent))
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := d.Redeem(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// forge signs claims with a key of the store, which only the runtime has.
func (d *desk) forge(t *testing.T, key string, c jwt.RegisteredClaims) string {
	t.Helper()
	secret, err := d.Record.Key(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(secret)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Every endpoint lets in who has a token of their own, and nobody else.
func TestEveryEndpointWantsAnAgentsToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Options{Table: Table(3, 1)})
	right, removed := d.login(t, "a0"), d.login(t, "a2")
	id, customers := d.OpenConversation()
	d.UseTable(Table(2, 1)) // without a2
	now := d.Clock.Now()
	claims := func(change func(*jwt.RegisteredClaims)) jwt.RegisteredClaims {
		c := jwt.RegisteredClaims{Subject: Email("a0"), Audience: jwt.ClaimStrings{"shop/hello"},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour))}
		change(&c)
		return c
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims(func(*jwt.RegisteredClaims) {})).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{
		"none": "", "a customer's": customers, "garbage": "garbage", "three parts": "a.b.c", "unsigned": none,
		"removed from the pool": removed, "changed": right[:len(right)-2] + "xx",
		"expired":          d.forge(t, "agent-tokens", claims(func(c *jwt.RegisteredClaims) { c.ExpiresAt = jwt.NewNumericDate(now) })),
		"without an end":   d.forge(t, "agent-tokens", claims(func(c *jwt.RegisteredClaims) { c.ExpiresAt = nil })),
		"another's":        d.forge(t, "agent-tokens", claims(func(c *jwt.RegisteredClaims) { c.Audience = jwt.ClaimStrings{"shop/other"} })),
		"for nobody":       d.forge(t, "agent-tokens", claims(func(c *jwt.RegisteredClaims) { c.Audience = nil })),
		"of a stranger":    d.forge(t, "agent-tokens", claims(func(c *jwt.RegisteredClaims) { c.Subject = "eve@agents.example" })),
		"with another key": d.forge(t, "other-key", claims(func(*jwt.RegisteredClaims) {})),
	}
	control := d.forge(t, "agent-tokens", claims(func(*jwt.RegisteredClaims) {}))
	path := "/v1/agent/conversations/" + id
	for _, ep := range []struct {
		method, path, body string
		ok                 int
	}{
		{"GET", "/v1/agent/me", "", 200},
		{"PUT", "/v1/agent/presence", `{"state":"online"}`, 200},
		{"POST", "/v1/agent/heartbeat", "", 200},
		{"GET", "/v1/agent/queue", "", 200},
		{"GET", "/v1/agent/mine", "", 200},
		{"GET", path, "", 200},
		{"GET", path + "/events", "", 200},
		{"POST", path + "/accept", "", 409},
		{"POST", path + "/endwrapup", "", 200},
		{"POST", path + "/takeover", "", 200},
		{"POST", path + "/replies", `{"id":"1","text":"hello"}`, 200},
		{"POST", path + "/notes", `{"id":"2","text":"hello"}`, 200},
		{"POST", path + "/decline", "", 409},
		{"POST", path + "/snooze", `{"until":"2030-01-01T00:00:00Z"}`, 400},
		{"POST", path + "/wake", "", 409},
		{"POST", path + "/transfer", `{"to":{}}`, 400},
		{"POST", path + "/merge", `{"into":"x"}`, 404},
		{"POST", "/v1/supervisor/conversations/x/reassign", `{"to":"AI"}`, 403},
		{"GET", "/v1/supervisor/agents", "", 403},
		{"PUT", "/v1/supervisor/agents/a1@agents.example/presence", `{"state":"away"}`, 403},
		{"POST", path + "/return", "", 200},
		{"POST", path + "/resolve", "", 409},
	} {
		for name, token := range tokens {
			status, header, body := d.do(t, ep.method, ep.path, token, ep.body, nil)
			if status != http.StatusUnauthorized || header.Get("WWW-Authenticate") == "" || strings.Contains(body, id) {
				t.Errorf("%s %s with the token %q: %d %s", ep.method, ep.path, name, status, body)
			}
		}
		if status, _, body := d.do(t, ep.method, ep.path, right, ep.body, nil); status != ep.ok {
			t.Errorf("%s %s with a right token: %d %s", ep.method, ep.path, status, body)
		}
		// The forged tokens fail for their claims and not for their form.
		if status, _, body := d.do(t, ep.method, ep.path, control, ep.body, nil); status == http.StatusUnauthorized || status >= 500 {
			t.Errorf("%s %s with a token like the forged ones: %d %s", ep.method, ep.path, status, body)
		}
	}
}

// A token ends at its time.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Options{})
	token := d.login(t, "a0")
	d.Clock.Step(tenant.SessionLifetime - time.Second)
	if status, _, body := d.do(t, "GET", "/v1/agent/me", token, "", nil); status != http.StatusOK {
		t.Errorf("before its end: %d %s", status, body)
	}
	d.Clock.Step(time.Second)
	if status, _, body := d.do(t, "GET", "/v1/agent/me", token, "", nil); status != http.StatusUnauthorized {
		t.Errorf("after its end: %d %s", status, body)
	}
}

// A code works once, by either way of using it, until its time; looking at its link does not use it up.
func TestLoginCodes(t *testing.T) {
	t.Parallel()
	for name, redeem := range map[string]func(d *desk, code string) (int, http.Header, string){
		"link": func(d *desk, code string) (int, http.Header, string) {
			return d.do(t, "GET", "/agent/login?code="+code, "", "", nil)
		},
		"session": func(d *desk, code string) (int, http.Header, string) {
			return d.do(t, "POST", "/v1/agent/session", "", `{"code":"`+code+`"}`, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, Options{Table: Table(3, 1)})
			code := func(agent string) string {
				code, expires, err := d.NewCode(t.Context(), strings.ToUpper(Email(agent)))
				if err != nil || !expires.After(d.Clock.Now()) {
					t.Fatal(expires, err)
				}
				return code
			}
			first, second, third := code("a0"), code("a1"), code("a2")
			if status, _, body := d.do(t, "HEAD", "/agent/login?code="+first, "", "", nil); status >= 300 || body != "" {
				t.Errorf("preview: %d %s", status, body)
			}
			var got struct {
				Token string
				Agent struct{ Email string }
			}
			status, header, body := redeem(d, first)
			if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK || got.Agent.Email != Email("a0") {
				t.Fatalf("%d %s %v", status, body, err)
			}
			if header.Get("Cache-Control") != "no-store" || header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("a token may be kept: %v", header)
			}
			if status, _, body := d.do(t, "GET", "/v1/agent/me", got.Token, "", nil); status != http.StatusOK {
				t.Errorf("the token: %d %s", status, body)
			}
			d.UseTable(Table(2, 1)) // without a2
			for what, c := range map[string]string{"again": first, "garbage": "garbage", "empty": "", "removed": third} {
				if status, _, body := redeem(d, c); status != http.StatusUnauthorized {
					t.Errorf("%s: %d %s", what, status, body)
				}
			}
			d.Clock.Step(5 * time.Minute)
			if status, _, body := redeem(d, second); status != http.StatusUnauthorized {
				t.Errorf("expired: %d %s", status, body)
			}
		})
	}
	d := newDesk(t, Options{})
	if _, _, err := d.NewCode(t.Context(), "eve@agents.example"); err == nil || !strings.Contains(err.Error(), Email("a1")) {
		t.Errorf("a stranger's code: %v", err)
	}
}

// The agents' whole path, as an inbox takes it.
func TestAgentsPath(t *testing.T) {
	t.Parallel()
	d := newDesk(t, Options{Table: Table(1, 1)})
	token := d.login(t, "a0")
	id, _ := d.OpenConversation()
	d.Send(id, "1", Human)
	d.AwaitType(id, conversation.EventHandoff, 1)

	var queue struct {
		Waiting       int
		Conversations []struct {
			ID      string
			Handoff struct{ Summary, Sentiment string }
		}
	}
	d.do(t, "GET", "/v1/agent/queue", token, "", &queue)
	if queue.Waiting != 1 || len(queue.Conversations) != 1 || queue.Conversations[0].ID != id || queue.Conversations[0].Handoff.Summary == "" {
		t.Errorf("the queue is %+v", queue)
	}
	d.do(t, "PUT", "/v1/agent/presence", token, `{"state":"online"}`, nil)
	d.AwaitType(id, conversation.EventOffered, 1)
	var mine struct {
		Conversations []struct {
			Offer map[string]any
		}
	}
	d.do(t, "GET", "/v1/agent/mine", token, "", &mine)
	if len(mine.Conversations) != 1 || fmt.Sprint(mine.Conversations[0].Offer["agent"]) != "map[email:"+Email("a0")+" name:Agent a0]" {
		t.Errorf("mine is %+v", mine)
	}
	path := "/v1/agent/conversations/" + id
	for _, step := range []struct{ path, body string }{
		{"/accept", ""}, {"/replies", `{"id":"r","text":"Hello"}`}, {"/replies", `{"id":"r","text":"Hello"}`},
		{"/notes", `{"id":"n","text":"easy one"}`}, {"/resolve", ""},
	} {
		if status, _, body := d.do(t, "POST", path+step.path, token, step.body, nil); status != http.StatusOK {
			t.Errorf("%s: %d %s", step.path, status, body)
		}
	}
	var log struct {
		Events []conversation.Event
		Next   int64
		More   bool
	}
	d.do(t, "GET", path+"/events?after=2", token, "", &log)
	texts := ""
	for _, e := range log.Events {
		texts += string(e.Type) + " "
	}
	if texts != "handoff message message offered assigned message message note resolved message " || log.More || log.Next != log.Events[len(log.Events)-1].Seq {
		t.Errorf("the log is %s, next %d, more %v", texts, log.Next, log.More)
	}
	for _, tc := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", path + "/replies", `{"id":"r2","text":"Late"}`, 409, ""},
		{"POST", "/v1/agent/conversations/NOTHERE/takeover", "", 404, ""},
		{"GET", "/v1/agent/conversations/NOTHERE/events", "", 404, ""},
		{"PUT", "/v1/agent/presence", `{"state":"asleep"}`, 400, "state"},
		{"PUT", "/v1/agent/presence", `{"status":"online"}`, 400, "status"},
		{"GET", "/v1/agent/queue?skip=x", "", 400, "skip"},
		{"GET", "/v1/agent/queue?skip=-1", "", 400, "skip"},
		{"POST", path + "/notes", `{"id":"n","text":"another"}`, 400, "id"},
		{"POST", path + "/notes", `{"id":"n2","text":""}`, 400, "text"},
		{"POST", path + "/notes", "{\"id\":\"n2\",\"text\":\"\xc3\"}", 400, "body"},
		{"POST", "/v1/agent/session", `{"kode":"x"}`, 400, "kode"},
	} {
		var p struct {
			Error struct{ Code, Message, Field string }
		}
		status, _, body := d.do(t, tc.method, tc.path, token, tc.body, &p)
		if status != tc.status || p.Error.Field != tc.field || p.Error.Message == "" {
			t.Errorf("%s %s: %d %s", tc.method, tc.path, status, body)
		}
	}
}

// A token is good for the runtime that gave it, also after a restart, and for no other.
func TestTokensAreBoundToTheStore(t *testing.T) {
	t.Parallel()
	token := newDesk(t, Options{}).login(t, "a0")
	d := newDesk(t, Options{})
	if status, _, body := d.do(t, "GET", "/v1/agent/me", token, "", nil); status != http.StatusUnauthorized {
		t.Errorf("%d %s", status, body)
	}
	first := newDesk(t, Options{})
	token = first.login(t, "a0")
	first.Stop()
	restarted := newDesk(t, Options{Dir: first.Dir, Clock: first.Clock})
	if status, _, body := restarted.do(t, "GET", "/v1/agent/me", token, "", nil); status != http.StatusOK {
		t.Errorf("after a restart: %d %s", status, body)
	}
}
