package tenant_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// hook is a webhook's receiver, which keeps what it got.
type hook struct {
	server *httptest.Server
	mu     sync.Mutex
	got    []post
	answer func(n int, r *http.Request) int
	more   chan struct{}
}

// post is one request that arrived.
type post struct {
	Key       string
	Event     string
	Sequence  int64
	Data      []map[string]any
	Signature string
}

// newHook runs a receiver that answers the nth request, from 1, with a status.
func newHook(t *testing.T, answer func(n int, r *http.Request) int) *hook {
	h := &hook{answer: answer, more: make(chan struct{}, 1000)}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := post{Key: r.Header.Get("webhook-id"), Signature: r.Header.Get("webhook-signature")}
		raw, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(raw, &p) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.mu.Lock()
		h.got = append(h.got, p)
		n := len(h.got)
		h.mu.Unlock()
		h.more <- struct{}{}
		w.WriteHeader(h.answer(n, r))
	}))
	t.Cleanup(h.server.Close)
	t.Cleanup(h.server.CloseClientConnections)
	return h
}

// await waits for n requests and returns them.
func (h *hook) await(t *testing.T, n int) []post {
	t.Helper()
	for timeout := time.After(Patience); ; {
		h.mu.Lock()
		got := append([]post{}, h.got...)
		h.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-h.more:
		case <-timeout:
			t.Fatalf("%d requests arrived, want %d: %+v", len(got), n, got)
		}
	}
}

func received(int, *http.Request) int { return http.StatusNoContent }

// hooked is a Table with webhooks by name.
func hooked(hooks map[string]*hook, events ...string) *routing.Table {
	table := Table(1, 1)
	for name, h := range hooks {
		table.Copilot.Webhooks = append(table.Copilot.Webhooks, routing.Webhook{Name: name, URL: h.server.URL, Events: events,
			SigningSecret: routing.SecretKey{Name: "hooks", Key: "key"}})
	}
	return table
}

// boss is a supervisor's session.
var boss = tenant.Session{Agent: routing.Agent{Email: "boss@agents.example"}, Supervisor: true}

// What happens in a conversation is told in order, each event once where the receiver takes it, and numbered.
func TestWebhooksTellInOrder(t *testing.T) {
	t.Parallel()
	h := newHook(t, received)
	w := New(t, Options{Table: hooked(map[string]*hook{"crm": h})})
	id, _ := w.OpenConversation()
	w.AwaitAnswer(id, w.Send(id, "1", Question).Seq)
	w.Send(id, "2", Human)
	w.AwaitType(id, conversation.EventHandoff, 1)
	if _, err := w.TakeOver(t.Context(), id, w.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Reply(t.Context(), id, w.AgentNamed("a0"), "r1", "Hello"); err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, p := range h.await(t, 6) {
		names = append(names, p.Event)
		if p.Sequence != int64(i)+1 || p.Signature == "" || p.Data[0]["conversation_id"] != id {
			t.Errorf("event %d: %+v", i, p)
		}
	}
	want := []string{"conversation.started", "conversation.contact_response", "conversation.ai_response", "conversation.contact_response",
		"conversation.handoff_to_human", "conversation.agent_response"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A webhook gets the events that it asks for. One whose Secret is missing gets them when it is there.
func TestWebhooksOfAMissingSecretWait(t *testing.T) {
	t.Parallel()
	h := newHook(t, received)
	table := hooked(map[string]*hook{"crm": h}, "conversation.handoff_to_human")
	table.Copilot.Webhooks[0].SigningSecret.Key = "later"
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	w.Send(id, "1", Human)
	w.AwaitType(id, conversation.EventHandoff, 1)
	w.AwaitDelivery(id, func(d store.Delivery) bool { return d.Error != "" })
	table = hooked(map[string]*hook{"crm": h}, "conversation.handoff_to_human")
	w.UseTable(table)
	w.Clock.Step(time.Minute)
	if got := h.await(t, 1); got[0].Event != "conversation.handoff_to_human" || got[0].Sequence != 1 {
		t.Errorf("%+v", got)
	}
}

// A dead letter is seen by supervisors and replayed; who did so is in the audit trail.
func TestDeadLettersAreReplayed(t *testing.T) {
	t.Parallel()
	h := newHook(t, func(n int, _ *http.Request) int {
		if n == 1 {
			return http.StatusGone
		}
		return http.StatusOK
	})
	w := New(t, Options{Table: hooked(map[string]*hook{"crm": h}, "conversation.started")})
	id, _ := w.OpenConversation()
	w.AwaitDelivery(id, func(d store.Delivery) bool { return d.State == store.DeliveryDead })
	_, dead, err := w.Outbox(t.Context(), 0, 10)
	if err != nil || len(dead) != 1 {
		t.Fatal(dead, err)
	}
	if n, err := w.Replay(t.Context(), boss, 0, "webhook/crm"); n != 1 || err != nil {
		t.Error(n, err)
	}
	got := h.await(t, 2)
	if got[0].Key != got[1].Key || got[1].Sequence != 1 {
		t.Errorf("%+v", got)
	}
	trail, err := w.AuditTrail(t.Context(), store.AuditFilter{Actor: boss.Agent.Email}, 0, 10)
	if err != nil || len(trail) != 1 || trail[0].Action != "dead_letter_replayed" || trail[0].Subject != got[0].Key {
		t.Errorf("%+v, %v", trail, err)
	}
	if _, err := w.Replay(t.Context(), boss, dead[0].ID, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("replayed again: %v", err)
	}
}

// A receiver that did its work and then answers late, or with an error, is asked again under the same id, by which it
// knows that it has done it; other conversations and other webhooks do not wait. Nothing is lost.
func TestPain09WebhooksLostOrSlowAcknowledgementTakenForAFailure(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	done := map[string]int{} // the receiver's own work, by our id
	var mu sync.Mutex
	failing := newHook(t, func(n int, r *http.Request) int {
		mu.Lock()
		defer mu.Unlock()
		done[r.Header.Get("webhook-id")]++
		if n == 1 {
			return http.StatusInternalServerError // after having done it
		}
		return http.StatusOK
	})
	slow := newHook(t, func(_ int, r *http.Request) int {
		select { // an acknowledgement that does not come
		case <-release:
		case <-r.Context().Done():
		}
		return http.StatusOK
	})
	w := New(t, Options{Table: hooked(map[string]*hook{"failing": failing, "slow": slow}, "conversation.started", "conversation.contact_response")})
	id, _ := w.OpenConversation()
	slow.await(t, 1)
	failing.await(t, 1)
	w.AwaitDelivery(id, func(d store.Delivery) bool { return d.Destination == "webhook/failing" && d.Error != "" })
	w.Send(id, "1", Question)
	other, _ := w.OpenConversation()
	w.AwaitDelivery(other, func(d store.Delivery) bool {
		return d.Destination == "webhook/failing" && d.State == store.DeliveryDone
	})
	w.Clock.Step(2 * time.Second)
	failing.await(t, 4)
	w.AwaitDelivery(id, func(d store.Delivery) bool {
		return d.Destination == "webhook/failing" && d.Seq == 2 && d.State == store.DeliveryDone
	})
	mu.Lock()
	defer mu.Unlock()
	first := id + "/webhook/failing/1"
	if len(done) != 3 || done[first] != 2 {
		t.Errorf("the receiver was asked %v; want three ids, and %s twice", done, first)
	}
}

// What a helpdesk tells us of that we wrote there ourselves is recognised by its id there; what a human wrote there is not.
func TestPain14TheHelpdeskEchoesOurOwnNotesBack(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	id, _ := w.OpenConversation()
	err := w.Record.Store.Update(t.Context(), func(tx store.Tx) error {
		m := store.Message{Conversation: id, Destination: tenant.ToHelpdesk + "zendesk", Kind: "note", Payload: json.RawMessage(`[]`), At: w.Clock.Now()}
		if err := tx.Enqueue(m); err != nil {
			return err
		}
		claimed, err := tx.ClaimOutbox(m.Destination, 1, time.Minute)
		if err != nil {
			return err
		}
		return tx.Delivered(claimed[0], "comment-17")
	})
	if err != nil {
		t.Fatal(err)
	}
	for remote, want := range map[string]bool{"comment-17": true, "comment-18": false} {
		if ours, err := w.Echo(t.Context(), tenant.ToHelpdesk+"zendesk", remote); ours != want || err != nil {
			t.Errorf("%s is ours: %v, %v", remote, ours, err)
		}
	}
	if ours, err := w.Echo(t.Context(), tenant.ToHelpdesk+"other", "comment-17"); ours || err != nil {
		t.Errorf("an id of another helpdesk is ours: %v, %v", ours, err)
	}
}

// A table without a webhook that still has messages lets them become dead letters.
func TestAWebhookThatIsGoneLeavesDeadLetters(t *testing.T) {
	t.Parallel()
	h := newHook(t, func(int, *http.Request) int { return http.StatusInternalServerError })
	w := New(t, Options{Table: hooked(map[string]*hook{"crm": h}, "conversation.started")})
	id, _ := w.OpenConversation()
	w.AwaitDelivery(id, func(d store.Delivery) bool { return d.Error != "" })
	w.UseTable(Table(1, 1))
	w.Clock.Step(time.Minute)
	d := w.AwaitDelivery(id, func(d store.Delivery) bool { return d.State == store.DeliveryDead })
	if !strings.Contains(d.Error, "nothing is sent to webhook/crm") {
		t.Errorf("%+v", d)
	}
}
