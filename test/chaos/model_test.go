package chaos

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// words is what the stand-in says to every question, a word each tick.
const (
	words = "We are open from Monday to Saturday and an inspection takes about two days if you bring the bike before noon"
	tick  = 15 * time.Millisecond
)

// useSlowModel lets the table use a hand-written stand-in for an OpenAI-compatible server, which says its answer slowly
// enough for agents and kills to come in between. Package copilot shows that it speaks as OpenAI's description has it.
func useSlowModel(t *testing.T, table *routing.Table) {
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		again := time.NewTicker(tick)
		defer again.Stop()
		for _, word := range strings.SplitAfter(words, " ") {
			if _, err := io.WriteString(w, chunk(word, nil)); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-again.C:
			case <-r.Context().Done():
				return
			}
		}
		stop := "stop"
		_, _ = io.WriteString(w, chunk("", &stop)+"data: [DONE]\n\n")
	}))
	t.Cleanup(model.Close)
	table.Copilot.Model = &routing.Model{BaseURL: model.URL + "/v1", Name: "small", Timeout: metav1.Duration{Duration: startup}}
}

// chunk is one event of a stream of chat completions.
func chunk(text string, finish *string) string {
	data, err := json.Marshal(map[string]any{"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "small",
		"choices": []any{map[string]any{"index": 0, "delta": map[string]any{"content": text}, "finish_reason": finish}}})
	if err != nil {
		panic(err)
	}
	return "data: " + string(data) + "\n\n"
}
