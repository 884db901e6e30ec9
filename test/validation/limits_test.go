package validation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// many is n items made by one.
func many(n int, one func(i int) any) list {
	out := make(list, n)
	for i := range out {
		out[i] = one(i)
	}
	return out
}

// long is a name of n characters that ends with the number.
func long(n, i int) string {
	end := fmt.Sprintf("-%d", i)
	return strings.Repeat("n", n-len(end)) + end
}

// largestPool has 200 agents with the longest addresses, 24 windows and 50 skills each.
func largestPool() fields {
	days := list{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	clock := func(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }
	window := func(i int) any { return fields{"days": days, "from": clock(50 * i), "to": clock(50*i + 30)} }
	return fields{
		"timeZone": "America/Argentina/ComodRivadavia",
		"hours":    many(28, window),
		"closures": many(100, func(i int) any { return fields{"date": fmt.Sprintf("%d-02-28", 2026+i)} }),
		"agents": many(200, func(i int) any {
			return fields{
				"name": fmt.Sprintf("agent-%d", i), "email": long(239, i) + "@SHOP.example", "phone": fmt.Sprintf("+4930901%07d", i),
				"languages": many(20, func(j int) any { return "en-" + strings.Repeat(string(rune('A'+j)), 8) }),
				"hours":     many(24, window),
				"skills":    many(50, func(j int) any { return fields{"issueType": fmt.Sprintf("issue-%d", j), "level": 1 + j%5} }),
			}
		}),
	}
}

// largestPolicy has 50 types of issue, 50 routes that name all of them, with 10 targets each, 50 topics and rules and
// 200 messages.
func largestPolicy() fields {
	issue := func(i int) any { return long(63, i) }
	keywords := many(100, func(i int) any { return long(16, i) })
	topic := func(i int) any { return fields{"name": long(63, i), "keywords": keywords} }
	rule := func(i int) any { return fields{"name": long(63, i), "expression": "turns > 3"} }
	return fields{
		"triggers":   fields{"forbiddenTopics": many(50, topic), "rules": many(50, rule)},
		"issueTypes": many(50, topic),
		"routes": many(50, func(i int) any {
			match := fields{
				"issueTypes": many(50, issue), "channels": many(50, func(j int) any { return long(63, j) }),
				"languages": many(50, func(j int) any { return fmt.Sprintf("en-%08d", j) }),
			}
			target := func(j int) any {
				return fields{"type": "Pool", "pool": fields{"name": long(253, (i+j)%50)}, "for": "60s"}
			}
			return fields{"name": long(63, i), "match": match, "targets": many(10, target)}
		}),
		"messages": many(200, func(int) any {
			return fields{"event": "Queued", "text": strings.Repeat("You are number {position}. ", 70)}
		}),
	}
}

// largestCopilot has as many helpdesks, webhooks, roles, sources and additions to its pod as a Copilot may have.
func largestCopilot() fields {
	key := fields{"name": long(253, 0), "key": "key"}
	volume := func(i int) any { return fields{"name": long(63, i), "secret": fields{"secretName": "ca"}} }
	mount := func(i int) any { return fields{"name": long(63, i), "mountPath": fmt.Sprintf("/etc/%d", i)} }
	env := func(i int) any { return fields{"name": fmt.Sprintf("ENV_%d", i), "value": "on"} }
	return fields{
		"instructions": strings.Repeat("Be brief. ", 1600),
		"knowledge":    many(50, func(i int) any { return fields{"name": long(63, i), "configMapRef": fields{"name": long(253, i)}} }),
		"helpdesks": many(10, func(i int) any {
			return fields{"name": long(63, i), "type": "Zendesk", "zendesk": fields{"subdomain": "shop", "email": "bot@shop.example", "apiTokenSecretRef": key}}
		}),
		"webhooks": many(20, func(i int) any {
			return fields{"name": long(63, i), "url": "https://hooks.shop.example/" + strings.Repeat("x", 2000), "signingSecretRef": key}
		}),
		"inbox": fields{"roles": many(20, func(i int) any {
			return fields{"role": "Supervisor", "emails": many(200, func(j int) any { return long(63, 200*i+j) + "@shop.example" })}
		})},
		"exposure": fields{"trustedProxies": many(50, func(i int) any { return fmt.Sprintf("10.%d.0.0/16", i) })},
		"runtime": fields{"podTemplate": fields{"spec": fields{
			"volumes":    many(20, volume),
			"containers": list{fields{"name": "runtime", "volumeMounts": many(20, mount), "env": many(100, env)}},
		}}},
	}
}

// TestLargestObjects: objects at the stated limits cost less than the API server allows, and one item more is too many.
func TestLargestObjects(t *testing.T) {
	t.Parallel()
	ns := namespace(t)
	for kind, spec := range map[string]fields{"AgentPool": largestPool(), "HandoffPolicy": largestPolicy(), "Copilot": largestCopilot()} {
		o := fields{"apiVersion": "handoff.opencopilot.so/v1alpha1", "kind": kind, "metadata": fields{"name": "it"}, "spec": spec}
		must(t.Context(), t, http.MethodPost, path(kind, ns)+"?dryRun=All&fieldValidation=Strict", o)
		for field, value := range spec {
			items, ok := value.(list)
			if !ok {
				continue
			}
			o["spec"] = fields{field: append(items, items[0])}
			a := ask(t.Context(), t, http.MethodPost, path(kind, ns)+"?dryRun=All", o)
			if a.code != http.StatusUnprocessableEntity || !strings.Contains(a.message(), "spec."+field) || !strings.Contains(a.message(), fmt.Sprint(len(items))) {
				t.Errorf("%s: one more of %s: %d %.300s", kind, field, a.code, a.message())
			}
		}
	}
	// Nor does it cost too much to say what is wrong.
	spec := largestPool()
	agents := spec["agents"].(list)
	last := agents[len(agents)-1].(fields)
	last["email"] = strings.ToLower(agents[0].(fields)["email"].(string))
	o := fields{"apiVersion": "handoff.opencopilot.so/v1alpha1", "kind": "AgentPool", "metadata": fields{"name": "it"}, "spec": spec}
	a := ask(t.Context(), t, http.MethodPost, path("AgentPool", ns)+"?dryRun=All", o)
	if want := last["email"].(string) + `" is the address of two agents`; a.code != http.StatusUnprocessableEntity || !strings.Contains(a.message(), want) {
		t.Errorf("%d %s\nlacks %q", a.code, a.message(), want)
	}
}

// BenchmarkLargestPool sends a pool at every limit; the floor sends it to the same CRD without its CEL rules.
func BenchmarkLargestPool(b *testing.B) {
	ns := namespace(b)
	spec, err := json.Marshal(largestPool())
	if err != nil {
		b.Fatal(err)
	}
	o := string(object("AgentPool", string(spec)))
	b.Run("cel", func(b *testing.B) {
		for b.Loop() {
			must(b.Context(), b, http.MethodPost, path("AgentPool", ns)+"?dryRun=All", json.RawMessage(o))
		}
	})
	withoutRules(b)
	o = strings.ReplaceAll(o, "handoff.opencopilot.so/", "floor.opencopilot.so/")
	floor := strings.ReplaceAll(path("AgentPool", ns), "handoff.opencopilot.so/", "floor.opencopilot.so/")
	b.Run("floor-without-rules", func(b *testing.B) {
		for b.Loop() {
			must(b.Context(), b, http.MethodPost, floor+"?dryRun=All", json.RawMessage(o))
		}
	})
}

// withoutRules serves the AgentPool a second time, in the group floor.opencopilot.so and without its rules.
func withoutRules(b *testing.B) {
	b.Helper()
	raw, err := os.ReadFile(root + "/config/crd/bases/handoff.opencopilot.so_agentpools.yaml")
	if err != nil {
		b.Fatal(err)
	}
	var crd fields
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(raw), "handoff.opencopilot.so", "floor.opencopilot.so")), &crd); err != nil {
		b.Fatal(err)
	}
	drop(crd, "x-kubernetes-validations")
	at := "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	must(b.Context(), b, http.MethodPost, at, crd)
	watch := at + "/agentpools.floor.opencopilot.so"
	b.Cleanup(func() { ask(context.Background(), b, http.MethodDelete, watch, nil) })
	for { // The API server answers each request when it has looked; nothing else tells when a CRD is served.
		var got struct {
			Status struct {
				Conditions []struct{ Type, Status string }
			}
		}
		if err := json.Unmarshal(must(b.Context(), b, http.MethodGet, watch, nil).body, &got); err != nil {
			b.Fatal(err)
		}
		for _, c := range got.Status.Conditions {
			if c.Type == "Established" && c.Status == "True" && ask(b.Context(), b, http.MethodGet, "/apis/floor.opencopilot.so/v1alpha1/agentpools", nil).code == http.StatusOK {
				return
			}
		}
	}
}

// drop removes a key wherever it is.
func drop(v any, key string) {
	switch v := v.(type) {
	case fields:
		delete(v, key)
		for _, below := range v {
			drop(below, key)
		}
	case list:
		for _, below := range v {
			drop(below, key)
		}
	}
}
