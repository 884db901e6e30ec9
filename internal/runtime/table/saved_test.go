package table

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

func sample(t *testing.T) (Inputs, json.RawMessage) {
	t.Helper()
	table := &routing.Table{FormatVersion: 1, Copilot: routing.Copilot{Namespace: "ns", Name: "hello", DisplayName: "<Ä>", Language: "en"}}
	raw, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	return Inputs{
		Revision: routing.Revision(table), Table: table,
		ConfigMaps: map[string]map[string]string{"faq": {"faq.md": "a < b"}},
		Secrets:    map[string]map[string][]byte{"key": {"k": {0, 255}}},
	}, raw
}

func TestSavedInputsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, _, err := loadSaved(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("nothing saved: %v", err)
	}
	in, raw := sample(t)
	doc, err := encode(in, raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := save(dir, doc); err != nil {
		t.Fatal(err)
	}
	got, gotRaw, err := loadSaved(dir)
	if err != nil || !reflect.DeepEqual(got, in) {
		t.Fatalf("got %+v, %v; want %+v", got, err, in)
	}
	again, err := encode(got, gotRaw)
	if err != nil || string(again) != string(doc) {
		t.Errorf("the loaded inputs encode to\n%s, %v\nnot to\n%s", again, err, doc)
	}
}

func TestSavedInputsWithAnyByteChangedOrCutAreNotUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, raw := sample(t)
	doc, err := encode(in, raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := save(dir, doc); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, savedName)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, at int, broken []byte) {
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		// Base64 has spare bits: a few changes change nothing.
		if got, _, err := loadSaved(dir); err == nil && !reflect.DeepEqual(got, in) {
			t.Errorf("byte %d %s: loaded %+v", at, what, got)
		}
	}
	for i := range content {
		flipped := append([]byte(nil), content...)
		flipped[i] ^= 1
		try("changed", i, flipped)
		try("and the rest cut", i, content[:i])
	}
}

func TestSavingOverAnUnwritableDirectoryIsAnError(t *testing.T) {
	t.Parallel()
	if err := save(filepath.Join(t.TempDir(), "absent"), []byte(`{"table":{}}`)); err == nil {
		t.Error("no error")
	}
}
