package table_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

// inputsFile returns a YAML document of a plain table.
func inputsFile(t *testing.T, displayName string) string {
	t.Helper()
	content, err := yaml.Marshal(map[string]any{
		"table":      plain(displayName),
		"configMaps": map[string]any{"faq": map[string]string{"faq.md": "text"}},
		"secrets":    map[string]any{"key": map[string]string{"k": base64.StdEncoding.EncodeToString([]byte("secret"))}},
	})
	must(t, err)
	return string(content)
}

// records is a log whose records can be awaited.
type records chan string

func (r records) Write(p []byte) (int, error) {
	r <- string(p)
	return len(p), nil
}

// await returns the next record with the words.
func (r records) await(t *testing.T, words string) string {
	t.Helper()
	for {
		select {
		case record := <-r:
			if strings.Contains(record, words) {
				return record
			}
		case <-time.After(patience):
			t.Fatalf("nothing was logged with %q", words)
		}
	}
}

func startFile(t *testing.T, path string) (*source, records) {
	t.Helper()
	registry, log := prometheus.NewRegistry(), make(records, 100)
	file := &table.File{Path: path, Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: table.NewMetrics(registry)}
	return startSource(context.Background(), t, registry, file.Run), log
}

// replace writes a file as editors do: beside it, then renamed over it.
func replace(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.WriteFile(path+"~", []byte(content), 0o600))
	must(t, os.Rename(path+"~", path))
}

func TestAFileIsUsedAndItsEditsToo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inputs.yaml")
	replace(t, path, inputsFile(t, "one"))
	s, _ := startFile(t, path)
	in := s.next()
	if in.Table.Copilot.DisplayName != "one" || in.ConfigMaps["faq"]["faq.md"] != "text" || string(in.Secrets["key"]["k"]) != "secret" || in.Revision == "" {
		t.Fatalf("inputs: %+v", in)
	}
	replace(t, path, inputsFile(t, "two"))
	if in = s.next(); in.Table.Copilot.DisplayName != "two" {
		t.Fatalf("after the edit: %+v", in)
	}
}

func TestABrokenEditIsRefusedAndTheLastGoodStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "inputs.yaml")
	replace(t, path, inputsFile(t, "one"))
	s, log := startFile(t, path)
	s.next()
	replace(t, path, "table: [")
	if record := log.await(t, "refused an edit"); !strings.Contains(record, path) {
		t.Errorf("the log does not name the file: %s", record)
	}
	if n := s.metric("handoff_table_refused_total"); n != 1 {
		t.Errorf("handoff_table_refused_total is %v, want 1", n)
	}
	replace(t, path, inputsFile(t, "three"))
	if in := s.next(); in.Table.Copilot.DisplayName != "three" {
		t.Fatalf("after the repair: %+v", in)
	}
}

func TestAFileThatCannotBeUsedAtTheStartIsAnErrorThatSaysWhy(t *testing.T) {
	t.Parallel()
	good := inputsFile(t, "one")
	for name, c := range map[string]struct{ content, message string }{
		"not YAML":         {"table: [", "yaml"},
		"no table":         {"secrets: {}", "table: missing"},
		"unknown field":    {good + "\nconfigs: {}\n", `"configs"`},
		"foreign revision": {good + "\nrevision: abc\n", "does not belong"},
		"wrong checksum":   {good + "\nchecksum: abc\n", "remove the field"},
		"invalid table":    {strings.Replace(good, "name: hello", "name: ''", 1), "copilot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "inputs.yaml")
			replace(t, path, c.content)
			file := &table.File{Path: path, Log: slog.New(slog.DiscardHandler), Metrics: table.NewMetrics(prometheus.NewRegistry())}
			err := file.Run(t.Context(), func(context.Context, table.Inputs) error { return errors.New("was used") })
			if err == nil || !strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want one with %q and the path", err, c.message)
			}
		})
	}
}
