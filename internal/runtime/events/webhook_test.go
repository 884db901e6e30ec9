package events_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/events"
	"github.com/opencopilot/handoff-operator/internal/runtime/outbox"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

var t0 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// The vector is that of Standard Webhooks' own libraries.
func TestSign(t *testing.T) {
	t.Parallel()
	got := events.Sign([]byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

// send delivers one event to a server and returns what the server got.
func send(t *testing.T, loopback bool, serve http.HandlerFunc) (got *http.Request, body []byte, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		serve(w, r)
	}))
	defer server.Close()
	client := events.NewClient(loopback)
	defer client.CloseIdleConnections()
	w := &events.Webhook{URL: server.URL + "/hook?token=s3cret", Organization: "shop/hello", Secret: []byte("key"), Client: client,
		Now: func() time.Time { return t0 }}
	_, err = w.Send(t.Context(), store.Delivery{Key: "c/webhook/crm/3", Seq: 3,
		Message: store.Message{Kind: events.Closed, Payload: json.RawMessage(`[{"conversation_id":"c"}]`)}})
	return got, body, err
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	req, body, err := send(t, true, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"event":"conversation.closed","organization_id":"shop/hello","data":[{"conversation_id":"c"}],"sequence":3}`
	if string(body) != want || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %s", req.Method, req.Header.Get("Content-Type"), body)
	}
	if id, at := req.Header.Get("webhook-id"), req.Header.Get("webhook-timestamp"); id != "c/webhook/crm/3" || at != "1772442000" {
		t.Errorf("id %s, timestamp %s", id, at)
	}
	if req.Header.Get("webhook-signature") != events.Sign([]byte("key"), "c/webhook/crm/3", t0.Unix(), body) {
		t.Error("the signature is not that of the body")
	}
}

// What the receiver answers decides whether it is tried again. Its words and its address are not repeated.
func TestWebhookFailures(t *testing.T) {
	t.Parallel()
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, "secret words")
		}
	}
	redirected := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { redirected = true }))
	defer other.Close()
	for name, c := range map[string]struct {
		serve     http.HandlerFunc
		says      string
		permanent bool
		later     time.Duration
	}{
		"server error": {serve: status(500), says: "status 500"},
		"not found":    {serve: status(404), says: "status 404"},
		"gone":         {serve: status(410), says: "status 410", permanent: true},
		"too many":     {serve: status(429, "Retry-After", "30"), says: "status 429", later: 30 * time.Second},
		"redirect":     {serve: status(302, "Location", other.URL), says: "status 302"},
		"cut off":      {serve: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, says: "EOF"},
	} {
		_, _, err := send(t, true, c.serve)
		var permanent *outbox.Permanent
		var later *outbox.Later
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
		if errors.As(err, &permanent) != c.permanent || errors.As(err, &later) != (c.later > 0) || c.later > 0 && later.After != c.later {
			t.Errorf("%s: %#v", name, err)
		}
	}
	if redirected {
		t.Error("a redirect was followed")
	}
}

// No webhook reaches this machine or its cloud, by whatever name.
func TestWebhookAddresses(t *testing.T) {
	t.Parallel()
	if _, _, err := send(t, false, func(http.ResponseWriter, *http.Request) { t.Error("it arrived") }); err == nil || !strings.Contains(err.Error(), "no webhook is sent") {
		t.Errorf("loopback: %v", err)
	}
	client := events.NewClient(true)
	for _, address := range []string{"169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "0.0.0.0", "[::ffff:169.254.169.254]", "100.100.100.200"} {
		w := &events.Webhook{URL: "http://" + address + ":1/", Secret: []byte("key"), Client: client, Now: time.Now}
		if _, err := w.Send(t.Context(), store.Delivery{}); err == nil || !strings.Contains(err.Error(), "no webhook is sent") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// The payload of a handoff has the names that receivers read, and no card number.
func TestHandoffPayload(t *testing.T) {
	t.Parallel()
	c := conversation.Start(conversation.Conversation{ID: "c", Channel: "web", ChannelType: v1alpha1.ChannelTypeWeb, Language: "en",
		Customer: conversation.Customer{ID: "u1"}}, "Hi", t0).Conversation
	said, err := c.CustomerWrites("m", "my card is 4111 1111 1111 1111", t0)
	if err != nil {
		t.Fatal(err)
	}
	c = said.Conversation
	change, err := c.HandOff(c.Epoch, c.Pending, conversation.Handoff{Reason: v1alpha1.HandoffForbiddenTopic, IssueType: "billing", Sentiment: v1alpha1.SentimentDissatisfied,
		Language: "de", Summary: "for humans", CustomerSummary: "for customers"}, nil, []string{"told"}, t0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := events.Of(change)
	if err != nil || len(got) != 1 || got[0].Name != events.Handoff {
		t.Fatal(got, err)
	}
	const want = `[{"conversation_id":"c","timestamp":"2026-03-02T09:00:00Z","customer_id":"u1","language":"de","channel":"web","event_seq":4,"message_count":2,` +
		`"reason":"ai_is_forbidden_from_handling_this_topic","handoff_reason":"ForbiddenTopic","handoff_number":1,"summary":"for customers",` +
		`"contact_reason":"billing","user_sentiment":"neutral","was_handedoff_to_third_party":false,"third_party_name":null}]`
	if diff := cmp.Diff(want, string(got[0].Data)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	spoken, err := events.Of(said)
	if err != nil || len(spoken) != 1 || spoken[0].Name != events.ContactResponse || strings.Contains(string(spoken[0].Data), "4111") {
		t.Errorf("%s: %s, %v", spoken[0].Name, spoken[0].Data, err)
	}
}
