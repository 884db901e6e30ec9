//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestServedMetrics: the running operator and runtime serve the metrics that docs/operations.md tells of, and that alerts
// and dashboards rely on. Those that count what has not happened yet need not be there: the page names their labels.
func TestServedMetrics(t *testing.T) {
	ns := namespace(t, "e2e-metrics-")
	apply(t, ns, editedTenant)
	token := channelToken(t, ns, "bikes-web")
	served(t, serviceAddress(t, ns, "bikes"), token)
	works(t, ns)
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, find := range map[string]func() corev1.Pod{
		"Metrics of a runtime":    func() corev1.Pod { return runtimePod(t, ns, "bikes") },
		"Metrics of the operator": func() corev1.Pod { return operatorPod(t) },
	} {
		names := documented(t, string(page), heading)
		pod, port := find(), "8081"
		if heading == "Metrics of the operator" {
			port = "8080"
		}
		err := eventually(t.Context(), func(ctx context.Context) error {
			text, err := scrape(ctx, pod, port)
			for _, name := range names {
				if err == nil && !strings.Contains("\n"+text, "\n# TYPE "+name+" ") {
					err = fmt.Errorf("pod %s serves no %s, which docs/operations.md tells of", pod.Name, name)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if text, err := scrape(t.Context(), pod, port); err == nil && port == "8080" &&
			!strings.Contains(text, fmt.Sprintf(`handoff_operator_ready{kind="Copilot",object_name="bikes",object_namespace=%q,reason="Ready"} 1`, ns)) {
			t.Error("the operator does not tell that the tenant is Ready")
		}
	}
}

// documented are the metrics without labels, or always with all of them, of the table under a heading.
func documented(t *testing.T, page, heading string) (names []string) {
	t.Helper()
	_, section, _ := strings.Cut(page, "## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, m := range regexp.MustCompile("`([a-z_]+)(\\{[^}]*\\})?`").FindAllStringSubmatch(cells[1], -1) {
			if !seldom[m[1]] {
				names = append(names, m[1])
			}
		}
	}
	if len(names) < 5 {
		t.Fatalf("only %d metrics under %q", len(names), heading)
	}
	return names
}

// seldom are counters by label of what this test does not bring about.
var seldom = map[string]bool{
	"handoff_handoffs_total": true, "handoff_model_requests_total": true, "handoff_model_seconds": true,
	// by destination, of which this tenant has none
	"handoff_outbox_attempts_total": true, "handoff_outbox_messages": true, "handoff_outbox_oldest_seconds": true,
}

func operatorPod(t *testing.T) corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	if err := cluster.client.List(t.Context(), &pods, client.InNamespace(operatorNamespace),
		client.MatchingLabels{"app.kubernetes.io/name": operatorName}); err != nil {
		t.Fatal(err)
	}
	for _, p := range pods.Items {
		if p.DeletionTimestamp.IsZero() {
			return p
		}
	}
	t.Fatal("the operator has no pod")
	return corev1.Pod{}
}

// scrape reads a pod's metrics through the API server.
func scrape(ctx context.Context, p corev1.Pod, port string) (string, error) {
	core, err := kubernetes.NewForConfig(cluster.config)
	if err != nil {
		return "", err
	}
	text, err := core.CoreV1().Pods(p.Namespace).ProxyGet("http", p.Name, port, "/metrics", nil).DoRaw(ctx)
	return string(text), err
}
