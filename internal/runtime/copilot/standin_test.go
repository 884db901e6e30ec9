package copilot

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// standIn is a hand-written stand-in for an OpenAI-compatible server, since no model runs here. It plays one script for
// each attempt, the last one again and again. TestStandInSpeaksOpenAI checks what it sends against OpenAI's description.
type standIn struct {
	*httptest.Server
	mu       sync.Mutex
	requests [][]byte
	headers  []http.Header
}

// script answers one request.
type script func(w http.ResponseWriter, r *http.Request)

func newStandIn(t *testing.T, scripts ...script) *standIn {
	t.Helper()
	s := &standIn{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" {
			t.Errorf("request %s %s, body %v", r.Method, r.URL, err)
		}
		s.mu.Lock()
		s.requests, s.headers = append(s.requests, body), append(s.headers, r.Header)
		play := scripts[min(len(s.requests), len(scripts))-1]
		s.mu.Unlock()
		play(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// chunk is one event of a stream with a piece of text; an empty finish is null, as while the model speaks.
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

// send writes events and flushes after each, then ends the response.
func send(events ...string) script {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range events {
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// says is a complete answer in pieces.
func says(pieces ...string) script {
	var events []string
	for _, piece := range pieces {
		events = append(events, chunk(piece, ""))
	}
	return send(append(events, chunk("", "stop"), "data: [DONE]\n\n")...)
}

// status answers with an error as OpenAI words it.
func status(code int, header ...string) script {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, `{"error":{"message":"no: sk-secret","type":"some_error","code":"some_code","param":null}}`)
	}
}

// then plays scripts one after the other in one response.
func then(scripts ...script) script {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, play := range scripts {
			play(w, r)
		}
	}
}

// silence keeps the connection open until the client has gone.
func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

const faq = "# Delivery\n## How long does delivery take?\nOrders arrive within three working days.\n# Returns\n" +
	"## How do I return an item?\nReturns are free for 30 days.\n"

// newTable is a table with one source of knowledge, and a model where baseURL is not empty.
func newTable(baseURL string, timeout time.Duration) *routing.Table {
	t := &routing.Table{Copilot: routing.Copilot{Namespace: "shop", Name: "hello", DisplayName: "Hello", Language: "en",
		Instructions: "Be kind.", Knowledge: []routing.KnowledgeSource{{Name: "faq", ConfigMap: "hello-faq"}}}}
	if baseURL != "" {
		t.Copilot.Model = &routing.Model{BaseURL: baseURL, Name: "small", Timeout: metav1.Duration{Duration: timeout}}
	}
	return t
}

func newTestCopilot(t *testing.T, c Config) *Copilot {
	t.Helper()
	c.Knowledge = map[string]map[string]string{"hello-faq": {"faq.md": faq}}
	c.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	bot, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return bot
}

// withModel is a Copilot that uses the stand-in.
func (s *standIn) withModel(t *testing.T, m *Metrics) *Copilot {
	t.Helper()
	return newTestCopilot(t, Config{Table: newTable(s.URL+"/v1/", long), APIKey: "sk-secret\n", HTTPClient: s.Client(), Metrics: m})
}

func ask(text string) Request { return Request{Messages: []Message{{Author: Customer, Text: text}}} }
