package validation

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// TestUpdates: what the conversations of a Copilot are kept in stays what it was; the rest of an edit is free.
func TestUpdates(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	const (
		postgres = `{"storage":{"type":"Postgres","postgres":{"dsnSecretRef":{"name":"db","key":"uri"}}}}`
		toSQLite = "the type of storage cannot change from Postgres to Embedded; export the conversations and import them into a new Copilot"
		toServer = "the type of storage cannot change from Embedded to Postgres; export the conversations and import them into a new Copilot"
		fast     = `{"storage":{"embedded":{"storageClassName":"fast"}}}`
	)
	for name, c := range map[string]struct{ from, to, says string }{
		"unset to Postgres":    {`{}`, postgres, toServer},
		"no type to Postgres":  {`{"storage":{"embedded":{"size":"2Gi"}}}`, postgres, toServer},
		"Embedded to Postgres": {`{"storage":{"type":"Embedded"}}`, postgres, toServer},
		"Postgres to Embedded": {postgres, `{"storage":{"type":"Embedded"}}`, toSQLite},
		"Postgres to no type":  {postgres, `{"storage":{}}`, toSQLite},
		"Postgres removed":     {postgres, `{}`, toSQLite},
		"unset to Embedded":    {`{}`, `{"storage":{"type":"Embedded"}}`, ""},
		"Embedded removed":     {`{"storage":{"type":"Embedded"}}`, `{}`, ""},
		"another database":     {postgres, strings.ReplaceAll(postgres, "db", "other"), ""},

		"smaller":                  {`{"storage":{"embedded":{"size":"2Gi"}}}`, `{"storage":{"embedded":{"size":"1536Mi"}}}`, "the volume cannot shrink to 1536Mi; keep its size, or make it larger"},
		"smaller than the default": {`{}`, `{"storage":{"embedded":{"size":"512Mi"}}}`, "the volume cannot shrink to 512Mi"},
		"back to the default":      {`{"storage":{"embedded":{"size":"2Gi"}}}`, `{}`, "the volume cannot shrink to 1Gi"},
		"larger":                   {`{}`, `{"storage":{"embedded":{"size":"10Gi"}}}`, ""},
		"the default, written out": {`{}`, `{"storage":{"type":"Embedded","embedded":{"size":"1024Mi"}}}`, ""},

		"another class": {fast, strings.ReplaceAll(fast, "fast", "slow"), `the storageClassName of a volume cannot change to "slow"; keep it, or make a new Copilot`},
		"class added":   {`{}`, fast, `cannot change to "fast"`},
		"class removed": {fast, `{}`, `cannot change to ""`},
		"class kept":    {fast, strings.ReplaceAll(fast, `"fast"`, `"fast","size":"2Gi"`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := fields{"apiVersion": v1alpha1.GroupVersion.String(), "kind": "Copilot", "metadata": fields{"generateName": "it-"}, "spec": json.RawMessage(c.from)}
			var made metav1.PartialObjectMetadata
			if err := json.Unmarshal(must(t.Context(), t, http.MethodPost, path("Copilot", ns), o).body, &made); err != nil {
				t.Fatal(err)
			}
			edit := list{fields{"op": "replace", "path": "/spec", "value": json.RawMessage(c.to)}}
			a := ask(t.Context(), t, http.MethodPatch, path("Copilot", ns, made.Name), edit, "Content-Type", "application/json-patch+json")
			switch {
			case c.says == "" && a.code != http.StatusOK:
				t.Errorf("refused: %d %s", a.code, a.message())
			case c.says != "" && (a.code != http.StatusUnprocessableEntity || !strings.Contains(a.message(), "spec.storage") || !strings.Contains(a.message(), c.says)):
				t.Errorf("%d %s\nlacks %q", a.code, a.message(), c.says)
			}
		})
	}
}
