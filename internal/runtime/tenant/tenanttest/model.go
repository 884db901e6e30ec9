package tenanttest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Model is a hand-written stand-in for an OpenAI-compatible server, since no model runs here. It says what a test tells
// it to, when it tells it. That it speaks as OpenAI's description has it is shown in package copilot.
type Model struct {
	server *httptest.Server
	calls  chan *Call
}

// Call is a request to the Model that is being answered.
type Call struct {
	// Body of the request.
	Body []byte
	// Gone is closed when the client has given up.
	Gone  <-chan struct{}
	say   chan string
	ended chan struct{}
}

// NewModel starts a Model and lets the table use it.
func NewModel(tb testing.TB, table *routing.Table) *Model {
	m := &Model{calls: make(chan *Call, 10_000)}
	m.server = httptest.NewServer(http.HandlerFunc(m.serve))
	tb.Cleanup(m.server.Close)
	tb.Cleanup(m.server.CloseClientConnections)
	table.Copilot.Model = &routing.Model{BaseURL: m.server.URL + "/v1", Name: "small", Timeout: metav1.Duration{Duration: Patience}}
	return m
}

func (m *Model) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c := &Call{Body: body, Gone: r.Context().Done(), say: make(chan string), ended: make(chan struct{})}
	m.calls <- c
	defer close(c.ended)
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	_ = flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case piece, more := <-c.say:
			if !more {
				_, _ = io.WriteString(w, chunk("", "stop")+"data: [DONE]\n\n")
				return
			}
			if _, err := io.WriteString(w, chunk(piece, "")); err != nil {
				return
			}
			_ = flush()
		}
	}
}

func chunk(piece, finish string) string {
	choice := map[string]any{"index": 0, "delta": map[string]any{"content": piece}, "finish_reason": nil}
	if finish != "" {
		choice["finish_reason"] = finish
	}
	data, err := json.Marshal(map[string]any{"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000,
		"model": "small", "choices": []any{choice}})
	if err != nil {
		panic(err)
	}
	return "data: " + string(data) + "\n\n"
}

// Next waits for the next request.
func (m *Model) Next(tb testing.TB) *Call {
	tb.Helper()
	select {
	case c := <-m.calls:
		return c
	case <-time.After(Patience):
		tb.Fatal("the model was not asked")
		return nil
	}
}

// Cut closes every connection, in the middle of what is being said.
func (m *Model) Cut() { m.server.CloseClientConnections() }

// Calls are the requests as they come.
func (m *Model) Calls() <-chan *Call { return m.calls }

// Say sends a piece of the answer; false means that the client is gone.
func (c *Call) Say(piece string) bool {
	select {
	case c.say <- piece:
		return true
	case <-c.ended:
		return false
	}
}

// End completes the answer. It must be called once at most.
func (c *Call) End() { close(c.say) }
