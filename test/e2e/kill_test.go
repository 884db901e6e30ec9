//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/test/chaos"
	"github.com/opencopilot/handoff-operator/test/chaos/traffic"
)

const (
	// tenantFile has the tenant that is killed, whose Copilot and AgentPool are called chaos.
	tenantFile    = "../chaos/testdata/tenant.yaml"
	chaosCopilot  = "chaos"
	usualKills    = 5
	longestMoment = time.Second
)

// TestKilledContainer kills the runtime's container in its pod with SIGKILL at random moments during conversations, 5 times
// or as often as E2E_KILLS says, and checks from the logs that no message, handoff or assignment was lost or doubled.
func TestKilledContainer(t *testing.T) {
	if os.Getenv("CLUSTER") == "current" {
		t.Skip("CLUSTER=current: the containers' processes are on another machine; this needs the local cluster (make e2e without CLUSTER)")
	}
	kills := usualKills
	if s := os.Getenv("E2E_KILLS"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil || kills < 1 {
			t.Fatalf("E2E_KILLS is %q; give a number of kills, such as 50", s)
		}
	}
	ns := namespace(t, "e2e-kill-")
	apply(t, ns, tenantFile)
	token := channelToken(t, ns, "chaos-web")
	base := serviceAddress(t, ns, chaosCopilot)
	agents, capacities := chaosAgents(t, ns, base)
	target := &pod{namespace: ns, agent: agents[0], killed: map[string]bool{}}

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	report, err := chaos.Prove(t.Context(), target, chaos.Options{
		Traffic:    traffic.Options{Base: base, ChannelToken: token, Agents: agents, Customers: 12, Conversations: 24, Takeovers: true, Seed: seed},
		Capacities: capacities, Kills: kills, Moment: longestMoment,
	})
	t.Log(report)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Violations) > 0 || report.Found < report.Planted || report.Planted == 0 {
		t.Errorf("%d violations; the checker found %d of %d planted faults", len(report.Violations), report.Found, report.Planted)
	}
	if report.Handoffs == 0 || report.Assignments == 0 || report.Repeated == 0 {
		t.Error("too little happened to prove anything")
	}
	if len(target.killed) != report.Kills {
		t.Errorf("%d kills hit %d containers, so some of them hit a container that was dead", report.Kills, len(target.killed))
	}
	// The kubelet may count two quick deaths as one, never one as two: more restarts than kills are deaths of another cause.
	if n := restarts(t, ns); n > report.Kills {
		t.Errorf("the container was restarted %d times after %d kills", n, report.Kills)
	}
}

// chaosAgents signs all agents of the tenant's RoutingTable in.
func chaosAgents(t *testing.T, ns, base string) (agents []traffic.Agent, capacities map[string]int) {
	t.Helper()
	var object v1alpha1.RoutingTable
	if err := cluster.client.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: desired.Name(chaosCopilot)}, &object); err != nil {
		t.Fatal(err)
	}
	var table routing.Table
	if err := json.Unmarshal(object.Spec.Table.Raw, &table); err != nil {
		t.Fatal(err)
	}
	capacities = map[string]int{}
	for _, a := range table.Pools[0].Agents {
		capacities[a.Email] = a.Capacity
		agents = append(agents, traffic.Agent{Agent: signIn(t, ns, chaosCopilot, base, a.Email), Email: a.Email})
	}
	return agents, capacities
}

// restarts is how often Kubernetes restarted the runtime's container.
func restarts(t *testing.T, ns string) (n int) {
	t.Helper()
	var pods corev1.PodList
	if err := cluster.client.List(t.Context(), &pods, client.InNamespace(ns), client.MatchingLabels(desired.Selector(chaosCopilot))); err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 {
		t.Fatalf("the Copilot has %d pods, not one", len(pods.Items))
	}
	for _, c := range pods.Items[0].Status.ContainerStatuses {
		n += int(c.RestartCount)
	}
	return n
}

// pod is the runtime's pod as a Target of a proof.
type pod struct {
	namespace string
	agent     traffic.Agent
	// killed are the ids of the containers that were killed.
	killed map[string]bool
}

// Kill kills the process of the pod's container; the kubelet starts another in the same pod.
func (p *pod) Kill(ctx context.Context) error {
	container, err := killProcess(ctx, p.namespace, chaosCopilot)
	p.killed[container] = true
	return err
}

// Ready waits until the runtime answers through its Service.
func (p *pod) Ready(ctx context.Context) error {
	return eventually(ctx, func(ctx context.Context) error {
		_, err := p.agent.Mine(ctx)
		return err
	})
}
