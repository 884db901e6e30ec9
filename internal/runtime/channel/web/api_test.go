package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// problem is the body of an error.
type problem struct {
	Error struct{ Code, Message, Field string }
}

// Every malformed request is a 4xx that names the field, and changes nothing.
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	id, token := s.OpenConversation()
	open, messages, events := "/v1/conversations", "/v1/conversations/"+id+"/messages", "/v1/conversations/"+id+"/events"
	long := strings.Repeat("x", tenant.MaxText+1)
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		field                    string
	}{
		{"no body", "POST", open, "", 400, "body"},
		{"not JSON", "POST", open, "token=web", 400, "body"},
		{"cut JSON", "POST", open, `{"token":"` + Token, 400, "body"},
		{"array", "POST", open, `[]`, 400, "body"},
		{"string", "POST", open, `"x"`, 400, "body"},
		{"two objects", "POST", open, `{"token":"` + Token + `"} {}`, 400, "body"},
		{"null", "POST", open, `null`, 400, "token"},
		{"invalid UTF-8", "POST", open, "{\"token\":\"\xff\"}", 400, "body"},
		{"unknown field", "POST", open, `{"token":"` + Token + `","tocken":1}`, 400, "tocken"},
		{"unknown inner field", "POST", open, `{"token":"` + Token + `","customer":{"mail":"x"}}`, 400, "mail"},
		{"wrong type", "POST", open, `{"token":7}`, 400, "token"},
		{"wrong inner type", "POST", open, `{"token":"x","customer":{"name":[]}}`, 400, "customer.name"},
		{"wrong struct", "POST", open, `{"token":"x","customer":"Cleo"}`, 400, "customer"},
		{"no token", "POST", open, `{}`, 400, "token"},
		{"unknown token", "POST", open, `{"token":"nobody's"}`, 400, "token"},
		{"language", "POST", open, `{"token":"` + Token + `","language":"klingon!"}`, 400, "language"},
		{"long name", "POST", open, `{"token":"` + Token + `","customer":{"name":"` + long + `"}}`, 400, "customer"},
		{"no id", "POST", messages, `{"text":"hello"}`, 400, "id"},
		{"long id", "POST", messages, `{"id":"` + long[:tenant.MaxClientID+1] + `","text":"hello"}`, 400, "id"},
		{"no text", "POST", messages, `{"id":"1"}`, 400, "text"},
		{"long text", "POST", messages, `{"id":"1","text":"` + long + `"}`, 400, "text"},
		{"huge body", "POST", messages, `{"id":"1","text":"` + strings.Repeat(long, 20) + `"}`, 413, "body"},
		{"deep JSON", "POST", messages, strings.Repeat("[", 60_000), 400, "body"},
		{"after: word", "GET", events + "?after=last", "", 400, "after"},
		{"after: negative", "GET", events + "?after=-1", "", 400, "after"},
		{"after: beyond int64", "GET", events + "?after=99999999999999999999", "", 400, "after"},
		{"after: beyond the log", "GET", events + "?after=99", "", 400, "after"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, header, body := s.do(t, tc.method, tc.path, token, tc.body)
			var p problem
			if err := json.Unmarshal([]byte(body), &p); err != nil || header.Get("Content-Type") != "application/json" {
				t.Fatalf("%d %s: %v", status, body, err)
			}
			if status != tc.status || p.Error.Field != tc.field || !strings.Contains(p.Error.Message, tc.field) {
				t.Errorf("%d %s", status, body)
			}
			if strings.Contains(body, "Go ") || len(body) > 1000 {
				t.Errorf("not for people: %s", body)
			}
		})
	}
	for _, header := range []string{"x", "-1", "99"} {
		status, _, body := s.do(t, "GET", events, token, "", "Accept", "text/event-stream", "Last-Event-ID", header)
		if status != http.StatusBadRequest {
			t.Errorf("Last-Event-ID %s: %d %s", header, status, body)
		}
	}
	if n := len(s.Events(id)); n != 1 {
		t.Errorf("the conversation has %d events", n)
	}
}

// A message at the limits is taken whole.
func TestLimitsAreInclusive(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	id, token := s.OpenConversation()
	text := strings.Repeat("\x01", tenant.MaxText) // six bytes each in JSON
	body, err := json.Marshal(map[string]string{"id": strings.Repeat("i", tenant.MaxClientID), "text": text})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := s.do(t, "POST", "/v1/conversations/"+id+"/messages", token, string(body)); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, answer)
	}
	if got := s.Events(id)[1].Text; got != text {
		t.Errorf("%d bytes were kept of %d", len(got), len(text))
	}
}

// Only its own token opens a conversation, and the answer does not tell whether there is one.
func TestConversationsOpenWithTheirTokenOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	id, token := s.OpenConversation()
	_, other := s.OpenConversation()
	code, _, err := s.NewCode(t.Context(), Email("a0"))
	if err != nil {
		t.Fatal(err)
	}
	agents, _, err := s.Redeem(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	for _, ep := range []struct{ method, path, body string }{
		{"GET", "", ""},
		{"POST", "/messages", `{"id":"1","text":"hello"}`},
		{"GET", "/events", ""},
	} {
		for name, tc := range map[string]struct {
			id, token string
			ok        bool
		}{
			"its own":              {id, token, true},
			"none":                 {id, "", false},
			"another's":            {id, other, false},
			"a part of its own":    {id, token[:len(token)-1], false},
			"an agent's":           {id, agents, false},
			"of no conversation":   {"NOTHERE", token, false},
			"the channel's":        {id, Token, false},
			"its own, with spaces": {id, token + "  x", false},
		} {
			for _, accept := range []string{"application/json", "text/event-stream"} {
				if tc.ok && accept == "text/event-stream" {
					continue // the stream would not end
				}
				status, _, body := s.do(t, ep.method, "/v1/conversations/"+tc.id+ep.path, tc.token, ep.body, "Accept", accept)
				if tc.ok != (status < 300) || !tc.ok && (status != http.StatusForbidden || strings.Contains(body, "not_found")) {
					t.Errorf("%s %s with the token %s: %d %s", ep.method, ep.path, name, status, body)
				}
			}
		}
	}
}

// A browser may use the Channels that name its page, and no others; it can read why not.
func TestOrigins(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	id, token := s.OpenConversation()
	for _, tc := range []struct {
		name, origin  string
		readable, use bool
	}{
		{"none", "", false, true},
		{"the Channel's", Origin, true, true},
		{"another Channel's", OtherOrigin, true, false},
		{"nobody's", "https://evil.example", false, false},
		{"longer", Origin + ".evil.example", false, false},
		{"null", "null", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, ep := range []struct {
				method, path, token, body string
				ok                        int
			}{
				{"POST", "/v1/conversations", "", `{"token":"` + Token + `"}`, 201},
				{"GET", "/v1/conversations/" + id, token, "", 200},
				{"POST", "/v1/conversations/" + id + "/messages", token, `{"id":"o","text":"hello"}`, 202},
				{"GET", "/v1/conversations/" + id + "/events", token, "", 200},
			} {
				want := http.StatusForbidden
				if tc.use {
					want = ep.ok
				}
				var header []string
				if tc.origin != "" {
					header = []string{"Origin", tc.origin}
				}
				status, got, body := s.do(t, ep.method, ep.path, ep.token, ep.body, header...)
				if status != want || (got.Get("Access-Control-Allow-Origin") == tc.origin && tc.origin != "") != tc.readable || got.Get("Vary") != "Origin" {
					t.Errorf("%s %s: %d %v %s", ep.method, ep.path, status, got, body)
				}
				status, got, _ = s.do(t, "OPTIONS", ep.path, "", "", append(header, "Access-Control-Request-Method", ep.method)...)
				allowed := status == http.StatusNoContent && got.Get("Access-Control-Allow-Origin") == tc.origin &&
					strings.Contains(got.Get("Access-Control-Allow-Headers"), "Authorization")
				if allowed != tc.readable {
					t.Errorf("preflight of %s: %d %v", ep.path, status, got)
				}
			}
		})
	}
}

// What agents write to each other, what the human is told, and agents' addresses never reach a customer.
func TestNothingInternalReachesTheCustomer(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	id, token := s.OpenConversation()
	st := s.follow(t, id, token, "")
	a0, a1 := s.AgentNamed("a0"), s.AgentNamed("a1")
	s.SetState("a0", store.Online)
	s.Send(id, "1", "My card 4111 1111 1111 1111 was charged, this is outrageous, I am furious!!! "+Human)
	s.AwaitType(id, conversation.EventOffered, 1)
	if _, err := s.Note(t.Context(), id, a1, "n", "secret note"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), id, a0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reply(t.Context(), id, a0, "r", "Hello from a human"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resolve(t.Context(), id, a0, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeOver(t.Context(), id, a1); err != nil {
		t.Fatal(err)
	}
	log := s.Events(id)
	var seen bytes.Buffer
	handoffs := 0
	for _, f := range st.untilSeq(log[len(log)-1].Seq) {
		seen.WriteString(f.Data)
		if f.Name == "handoff" {
			handoffs++
			checkPayload(t, f.Data, id)
		}
	}
	for _, path := range []string{"", "/events"} {
		_, _, body := s.do(t, "GET", "/v1/conversations/"+id+path, token, "")
		seen.WriteString(body)
	}
	_, _, body := s.do(t, "POST", "/v1/conversations/"+id+"/messages", token, `{"id":"2","text":"thanks"}`)
	seen.WriteString(body)
	internal := []string{"secret note", "evidence", "confidence", "passed", "@agents.example"}
	for _, e := range log {
		if e.Handoff != nil {
			internal = append(internal, strings.Split(e.Handoff.Summary, "\n")[0], strings.Split(e.Handoff.Summary, "\n")[1])
		}
	}
	for _, text := range internal {
		if strings.Contains(seen.String(), text) {
			t.Errorf("the customer can read %q", text)
		}
	}
	if !strings.Contains(seen.String(), "Hello from a human") || handoffs != 2 {
		t.Errorf("%d handoffs in %s", handoffs, seen.String())
	}
}

func checkPayload(t *testing.T, data, id string) {
	t.Helper()
	var e struct {
		Handoff any            `json:"handoff"`
		Payload map[string]any `json:"payload"`
	}
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for k := range e.Payload {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	if got := fmt.Sprint(keys); got != "[conversationId issueType language reason sentiment summary summery]" || e.Handoff != nil {
		t.Errorf("payload has %s in %s", got, data)
	}
	if e.Payload["conversationId"] != id || e.Payload["summary"] == "" || e.Payload["summary"] != e.Payload["summery"] {
		t.Errorf("payload is %v", e.Payload)
	}
}

// Before the first table every request is told to come back.
func TestBeforeTheFirstTable(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{NoTable: true})
	for _, ep := range [][2]string{{"POST", "/v1/conversations"}, {"GET", "/v1/conversations/x"}, {"OPTIONS", "/v1/conversations"}} {
		status, header, body := s.do(t, ep[0], ep[1], "", `{"token":"x"}`)
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("%v: %d %v %s", ep, status, header, body)
		}
	}
}
