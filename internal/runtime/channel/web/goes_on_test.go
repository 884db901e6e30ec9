package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// A customer goes away and comes back, and says how they can be reached.
func TestLeaveReturnAndContact(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	id, token := s.OpenConversation()
	path := "/v1/conversations/" + id
	for _, step := range []struct {
		path, body string
		status     int
		says       string
	}{
		{"/leave", "", 200, `"owner":"AI"`},
		{"/leave", "", 200, `"owner":"AI"`},
		{"/return", "", 200, `"owner":"AI"`},
		{"/contact", `{"email":"ada"}`, 400, `"field":"email"`},
		{"/contact", `{"phone":"1"}`, 400, `"field":"phone"`},
		{"/contact", `{"email":"ada@example.org"}`, 200, `"email":"ada@example.org"`},
	} {
		if status, _, body := s.do(t, "POST", path+step.path, token, step.body); status != step.status || !strings.Contains(body, step.says) {
			t.Errorf("POST %s %s: %d %s; want %d and %s", step.path, step.body, status, body, step.status, step.says)
		}
		if status, _, body := s.do(t, "POST", path+step.path, "wrong", step.body); status != http.StatusForbidden {
			t.Errorf("POST %s with a wrong token: %d %s", step.path, status, body)
		}
	}
	var left int
	for _, e := range s.Events(id) {
		if e.Type == conversation.EventCustomerLeft {
			left++
		}
	}
	if left != 1 {
		t.Errorf("left %d times", left)
	}
}

// A merged conversation leads to the one that goes on, of which its token opens what comes after the merge.
func TestAMergedConversationGoesOnInTheOther(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	into, owners := s.OpenFor(t, "u1")
	s.Send(into, "1", "a secret of whoever this is")
	s.Do(s.TakeOver(t.Context(), into, s.AgentNamed("a0")))
	from, token := s.OpenFor(t, "u1")
	s.Do(s.GiveContact(t.Context(), into, "secret@example.org", ""))
	s.Do(s.Merge(t.Context(), from, into, s.AgentNamed("a0"), false))

	status, _, body := s.do(t, "POST", "/v1/conversations/"+from+"/messages", token, `{"id":"m","text":"Still there?"}`)
	if status != http.StatusAccepted || !strings.Contains(body, `"conversation":"`+into+`"`) {
		t.Fatalf("a message to the merged one: %d %s", status, body)
	}
	if _, _, body := s.do(t, "GET", "/v1/conversations/"+from, token, ""); !strings.Contains(body, `"goesOnIn":"`+into+`"`) {
		t.Errorf("the merged one is %s", body)
	}
	for _, path := range []string{"", "/events", "/events?after=1"} {
		status, _, body := s.do(t, "GET", "/v1/conversations/"+into+path, token, "")
		if status != http.StatusOK || strings.Contains(body, "secret") || path != "" && !strings.Contains(body, "Still there?") {
			t.Errorf("GET %s with the merged one's token: %d %s", path, status, body)
		}
	}
	if _, _, body := s.do(t, "GET", "/v1/conversations/"+into+"/events", owners, ""); !strings.Contains(body, "a secret") {
		t.Errorf("with its own token: %s", body)
	}
	last := s.Events(into)
	frames := s.follow(t, into, token, "", "Last-Event-ID", "1").untilSeq(last[len(last)-1].Seq)
	for _, f := range frames {
		if strings.Contains(f.Data, "secret") {
			t.Errorf("the stream has %+v", f)
		}
	}
}

// After a merge each token has ids of its own for messages, and does not show what the other one's customer wrote before.
func TestMergedTokensAreTwo(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	into, owners := s.OpenFor(t, "u1")
	s.Send(into, "m", "first")
	s.Do(s.TakeOver(t.Context(), into, s.AgentNamed("a0")))
	from, token := s.OpenFor(t, "u1")
	s.Do(s.TakeOver(t.Context(), from, s.AgentNamed("a0")))
	s.Send(from, "n", "an open question")
	s.Do(s.Merge(t.Context(), from, into, s.AgentNamed("a0"), false))

	post := func(id, token, body string, seq int64, says string) {
		t.Helper()
		status, _, answer := s.do(t, "POST", "/v1/conversations/"+id+"/messages", token, body)
		if status != http.StatusAccepted || !strings.Contains(answer, says) || seq > 0 && !strings.Contains(answer, fmt.Sprintf(`"seq":%d,`, seq)) {
			t.Fatalf("%s to %s: %d %s; want event %d with %s", body, id, status, answer, seq, says)
		}
	}
	const same = `{"id":"m","text":"Still there?"}`
	post(into, token, same, 0, `"clientId":"m"`)
	log := s.Events(into)
	last := log[len(log)-1].Seq
	post(into, token, same, last, `"clientId":"m"`)
	post(from, token, same, last, `"clientId":"m"`)
	post(into, token, `{"id":"n","text":"an open question"}`, 0, `"text":"an open question"`)
	if n := len(s.Events(into)); n != len(log) {
		t.Errorf("repeated messages made %d events of %d", n, len(log))
	}
	for tok, sees := range map[string]bool{token: true, owners: false} {
		_, _, body := s.do(t, "GET", "/v1/conversations/"+into+"/events", tok, "")
		if strings.Contains(body, "an open question") != sees || !strings.Contains(body, "Still there?") {
			t.Errorf("sees the copy is not %v: %s", sees, body)
		}
		for _, f := range s.follow(t, into, tok, "", "Last-Event-ID", "1").untilSeq(last) {
			if strings.Contains(f.Data, "an open question") && !sees {
				t.Errorf("the stream has %+v", f)
			}
		}
	}
}
