package routing_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/golden"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// TestFormatStaysReadable pins the JSON form of a Table: testdata/format-vN.txt has a line for each field of format
// version N, "path type". The runtime of the previous release reads what this release writes. It skips fields that it
// does not know, so a line may be added (-update) as long as a runtime that skips the field does no wrong. A line that
// goes or changes is another format: raise routing.FormatVersion one release after runtimes read both.
func TestFormatStaysReadable(t *testing.T) {
	t.Parallel()
	file := fmt.Sprintf("testdata/format-v%d.txt", routing.FormatVersion)
	have := fields(t, "", reflect.TypeFor[routing.Table]())
	raw, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a new format version needs a new file, as Compare says
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		if !slices.Contains(have, line) {
			t.Errorf("%s: no Table has %q any more, which runtimes of format version %d read", file, line, routing.FormatVersion)
		}
	}
	if t.Failed() {
		return
	}
	golden.Compare(t, file, []byte(strings.Join(have, "\n")+"\n"))
}

// fields lists the paths of the JSON form of a type with the JSON types of their values.
func fields(t *testing.T, path string, of reflect.Type) []string {
	t.Helper()
	if of == reflect.TypeFor[metav1.Duration]() {
		return []string{path + " duration"}
	}
	switch of.Kind() {
	case reflect.Pointer:
		return fields(t, path, of.Elem())
	case reflect.Slice:
		return fields(t, path+"[]", of.Elem())
	case reflect.Map:
		return fields(t, path+"{}", of.Elem())
	case reflect.Struct:
		var out []string
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if name == "" {
				t.Fatalf("%s.%s has no name in JSON", of, of.Field(i).Name)
			}
			out = append(out, fields(t, strings.TrimPrefix(path+"."+name, "."), of.Field(i).Type)...)
		}
		return out
	case reflect.String, reflect.Bool:
		return []string{path + " " + of.Kind().String()}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return []string{path + " integer"}
	}
	t.Fatalf("%s: %s is no plain value", path, of)
	return nil
}

// A table with fields of a later release of the same format version is used as far as this one knows it.
func TestUnknownFieldsAreSkipped(t *testing.T) {
	t.Parallel()
	table, _ := routing.Compile(load(t, "testdata/minimal.in.yaml"))
	raw, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(raw, &plain); err != nil {
		t.Fatal(err)
	}
	plain["later"] = map[string]any{"a": 1}
	plain["copilot"].(map[string]any)["later"] = []string{"b"}
	if raw, err = json.Marshal(plain); err != nil {
		t.Fatal(err)
	}
	var read routing.Table
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(table, &read); diff != "" {
		t.Errorf("(-want +got): %s", diff)
	}
	if err := read.Validate(); err != nil {
		t.Error(err)
	}
}
