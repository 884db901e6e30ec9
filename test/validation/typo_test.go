package validation

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// schema is the part of an OpenAPI schema that tells which fields there are.
type schema struct {
	Type       string            `json:"type"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Preserve   bool              `json:"x-kubernetes-preserve-unknown-fields"`
}

// schemas are those of the kinds' spec, from config/crd/bases.
func schemas(t *testing.T) map[string]schema {
	t.Helper()
	files, err := filepath.Glob(root + "/config/crd/bases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]schema{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd struct {
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Schema struct {
						OpenAPIV3Schema schema `json:"openAPIV3Schema"`
					}
				}
			}
		}
		if err := yaml.Unmarshal(raw, &crd); err != nil {
			t.Fatal(err)
		}
		out[crd.Spec.Names.Kind] = crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	}
	return out
}

// typo is one misspelt field: the spec that has it and nothing else, and its path as the API server writes it.
type typo struct {
	spec any
	at   string
}

// typos misspells every field below a schema. in puts a value of the schema into a spec.
func typos(s schema, at string, in func(any) any) []typo {
	if s.Type == "array" {
		return typos(*s.Items, at+"[0]", func(v any) any { return in([]any{v}) })
	}
	if s.Preserve {
		return nil
	}
	var out []typo
	for name, p := range s.Properties {
		out = append(out, typo{in(map[string]any{name + "x": "typo"}), at + "." + name + "x"})
		out = append(out, typos(p, at+"."+name, func(v any) any { return in(map[string]any{name: v}) })...)
	}
	return out
}

// TestTypos: every misspelt field of every kind is refused under strict validation and warned about otherwise, by name.
func TestTypos(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	for kind, s := range schemas(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			list := typos(s, "spec", func(v any) any { return v })
			if len(list) < 3 {
				t.Fatalf("only %d fields were found", len(list))
			}
			for _, typo := range list {
				raw, err := json.Marshal(typo.spec)
				if err != nil {
					t.Fatal(err)
				}
				unknown := `unknown field "` + typo.at + `"`
				o := object(kind, string(raw))
				if a := ask(t.Context(), t, http.MethodPost, path(kind, ns)+"?dryRun=All&fieldValidation=Strict", o); a.code != http.StatusBadRequest || !strings.Contains(a.message(), unknown) {
					t.Errorf("strict: %s: %d %s", typo.at, a.code, a.message())
				}
				// What is warned about may be refused as well, for what a spec with nothing but a typo lacks.
				if a := ask(t.Context(), t, http.MethodPost, path(kind, ns)+"?dryRun=All&fieldValidation=Warn", o); !strings.Contains(strings.ReplaceAll(a.warnings, `\"`, `"`), unknown) {
					t.Errorf("warn: %s: %d %q", typo.at, a.code, a.warnings)
				}
			}
			t.Logf("%d fields", len(list))
		})
	}
}
