package validation

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

const bare = `{"apiVersion":"handoff.opencopilot.so/v1alpha1","kind":"KIND","metadata":{"name":"it"},"spec":SPEC}`

// object is one of a kind, from the JSON of its spec.
func object(kind, spec string) json.RawMessage {
	return json.RawMessage(strings.NewReplacer("KIND", kind, "SPEC", spec).Replace(bare))
}

// row is what kubectl get shows of one object: the columns by name, without those of -o wide.
func row(t *testing.T, namespace, kind string) map[string]string {
	t.Helper()
	a := must(t.Context(), t, http.MethodGet, path(kind, namespace, "it"), nil, "Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
	var table metav1.Table
	if err := json.Unmarshal(a.body, &table); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for i, c := range table.ColumnDefinitions {
		if text, ok := table.Rows[0].Cells[i].(string); ok && c.Priority == 0 {
			out[c.Name] = text
		}
	}
	return out
}

// TestColumns: kubectl get says of every kind whether it works and, if not, why.
func TestColumns(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	for kind, spec := range map[string]string{
		"Copilot": `{}`, "Channel": `{"copilotRef":{"name":"shop"},"type":"Web"}`, "HandoffPolicy": `{}`, "AgentPool": `{}`,
	} {
		must(t.Context(), t, http.MethodPost, path(kind, ns), object(kind, spec))
		new := row(t, ns, kind)
		if new["Ready"] != "Unknown" || new["Reason"] != v1alpha1.ReasonPending || !strings.Contains(new["Status"], "has not looked") {
			t.Errorf("%s: a new one shows as %v", kind, new)
		}
		must(t.Context(), t, http.MethodPatch, path(kind, ns, "it", "status"), map[string]any{"status": map[string]any{"conditions": []metav1.Condition{{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNotAccepted, Message: "spec.x: wrong", LastTransitionTime: metav1.Now(),
		}}}}, "Content-Type", "application/merge-patch+json")
		bad := row(t, ns, kind)
		if bad["Ready"] != "False" || bad["Reason"] != v1alpha1.ReasonNotAccepted || bad["Status"] != "spec.x: wrong" {
			t.Errorf("%s: one that is not Ready shows as %v", kind, bad)
		}
	}
}

// TestColumnsOfRoutingTable: a replica that refused the table shows, with its reason, also behind one that took it.
func TestColumnsOfRoutingTable(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	must(t.Context(), t, http.MethodPost, path("RoutingTable", ns), object("RoutingTable", `{"formatVersion":1,"revision":"r2","table":{}}`))
	must(t.Context(), t, http.MethodPatch, path("RoutingTable", ns, "it", "status"), map[string]any{"status": v1alpha1.RoutingTableStatus{
		Replicas: []v1alpha1.ReplicaStatus{{Name: "a", Revision: "r2"}, {Name: "b", Revision: "r1", Refused: "r2", Message: "too new"}},
	}}, "Content-Type", "application/merge-patch+json")
	got := row(t, ns, "RoutingTable")
	if got["Revision"] != "r2" || got["Acknowledged"] != "r2" || got["Refused"] != "r2" || got["Status"] != "too new" {
		t.Errorf("shown as %v", got)
	}
}

// TestNames: what discovery says kubectl may call the kinds.
func TestNames(t *testing.T) {
	t.Parallel()
	need(t)
	var list metav1.APIResourceList
	if err := json.Unmarshal(must(t.Context(), t, http.MethodGet, "/apis/"+v1alpha1.GroupVersion.String(), nil).body, &list); err != nil {
		t.Fatal(err)
	}
	short := map[string]string{"copilots": "cop", "channels": "chan", "handoffpolicies": "hp", "agentpools": "ap", "routingtables": "rt"}
	scale := false
	for _, r := range list.APIResources {
		scale = scale || r.Name == "copilots/scale"
		if strings.Contains(r.Name, "/") {
			continue
		}
		if !slices.Contains(r.ShortNames, short[r.Name]) || !slices.Contains(r.Categories, "handoff") {
			t.Errorf("%s: short names %v, categories %v", r.Name, r.ShortNames, r.Categories)
		}
		delete(short, r.Name)
	}
	if len(short) > 0 || !scale {
		t.Errorf("missing: %v; scale of copilots: %v", short, scale)
	}
}

// TestSelectableFields: objects are found by what they name.
func TestSelectableFields(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	must(t.Context(), t, http.MethodPost, path("Copilot", ns), object("Copilot", `{"policyRef":{"name":"p"},"storage":{"type":"Embedded"},"exposure":{"type":"Ingress","host":"a.example"}}`))
	must(t.Context(), t, http.MethodPost, path("Channel", ns), object("Channel",
		`{"copilotRef":{"name":"shop"},"type":"Phone","phone":{"number":"+14155550100","provider":"Twilio","twilio":{"accountSIDSecretRef":{"name":"t","key":"s"},"authTokenSecretRef":{"name":"t","key":"t"}}}}`))
	for _, c := range []struct {
		kind, selector string
		want           int
	}{
		{"Copilot", "spec.policyRef.name%3Dp", 1},
		{"Copilot", "spec.policyRef.name%3Dother", 0},
		{"Copilot", "spec.storage.type%3DEmbedded,spec.exposure.host%3Da.example", 1},
		{"Channel", "spec.copilotRef.name%3Dshop,spec.type%3DPhone", 1},
		{"Channel", "spec.type%3DWeb", 0},
		{"Channel", "spec.phone.number%3D%2B14155550100", 1},
		{"Channel", "spec.email.address%3Da@b.example", 0},
		{"Channel", "status.token%3Dsome-token", 0},
	} {
		var list metav1.PartialObjectMetadataList
		if err := json.Unmarshal(must(t.Context(), t, http.MethodGet, path(c.kind, ns)+"?fieldSelector="+c.selector, nil).body, &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) != c.want {
			t.Errorf("%s with %s: %d, want %d", c.kind, c.selector, len(list.Items), c.want)
		}
	}
}

// TestScale: kubectl scale and autoscalers set spec.runtime.replicas, within the rules of the API.
func TestScale(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	at := path("Copilot", ns, "it", "scale")
	to := func(n int) answer {
		return ask(t.Context(), t, http.MethodPatch, at, map[string]any{"spec": map[string]any{"replicas": n}}, "Content-Type", "application/merge-patch+json")
	}
	must(t.Context(), t, http.MethodPost, path("Copilot", ns), object("Copilot", `{"storage":{"type":"Postgres","postgres":{"dsnSecretRef":{"name":"db","key":"uri"}}}}`))
	if a := to(3); a.code != http.StatusOK {
		t.Fatalf("scale to 3: %d %s", a.code, a.message())
	}
	must(t.Context(), t, http.MethodPatch, path("Copilot", ns, "it", "status"),
		map[string]any{"status": map[string]any{"replicas": 2, "selector": "a=b"}}, "Content-Type", "application/merge-patch+json")
	var got struct {
		Spec   struct{ Replicas int }
		Status struct {
			Replicas int
			Selector string
		}
	}
	if err := json.Unmarshal(must(t.Context(), t, http.MethodGet, at, nil).body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Spec.Replicas != 3 || got.Status.Replicas != 2 || got.Status.Selector != "a=b" {
		t.Errorf("the scale is %+v", got)
	}
	if a := to(101); a.code != http.StatusUnprocessableEntity || !strings.Contains(a.message(), "spec.runtime.replicas") {
		t.Errorf("scale to 101: %d %s", a.code, a.message())
	}
}
