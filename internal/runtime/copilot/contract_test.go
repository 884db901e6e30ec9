package copilot

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestStandInSpeaksOpenAI checks what the stand-in streams, and what we ask of it, against OpenAI's own description.
func TestStandInSpeaksOpenAI(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("SPECS_DIR")
	if dir == "" {
		t.Skip("SPECS_DIR is not set: the stand-in is not checked against OpenAI's description (openai.yaml)")
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "openai.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(schema, data string) error {
		var value any
		if err := json.Unmarshal([]byte(data), &value); err != nil {
			return err
		}
		return doc.Components.Schemas[schema].Value.VisitJSON(value)
	}
	if check("CreateChatCompletionStreamResponse", `{"id":"1","choices":[]}`) == nil {
		t.Fatal("a chunk without its required fields passes: the check cannot fail")
	}

	recorder := httptest.NewRecorder()
	says("Three ", "days.")(recorder, nil)
	stream, _ := io.ReadAll(recorder.Body)
	events := strings.Split(strings.TrimSpace(string(stream)), "\n\n")
	if len(events) != 4 || events[3] != "data: [DONE]" {
		t.Fatalf("the stand-in sent %q", events)
	}
	for _, event := range events[:3] {
		if err := check("CreateChatCompletionStreamResponse", strings.TrimPrefix(event, "data: ")); err != nil {
			t.Errorf("the stand-in sent %s: %v", event, err)
		}
	}

	for _, name := range []string{"small", "gpt-5-mini", "o3"} {
		server := newStandIn(t, says("Yes."))
		table := newTable(server.URL+"/v1", long)
		table.Copilot.Model.Name = name
		bot := newTestCopilot(t, Config{Table: table, HTTPClient: server.Client()})
		if _, err := bot.Answer(t.Context(), conversation(), func(string) error { return nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := check("CreateChatCompletionRequest", string(server.requests[0])); err != nil {
			t.Errorf("we asked %s: %v", server.requests[0], err)
		}
	}
}
