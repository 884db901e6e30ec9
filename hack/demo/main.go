// Command demo plays a customer's conversation, or many of them, through a Copilot that the operator runs in a cluster.
// `make demo` and `make demo-replay` bring the cluster, the operator and the images before.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"k8s.io/klog/v2"

	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/podlink"
)

// namespace that the demo uses.
const namespace = "handoff-demo"

// replayManifest is the tenant of the replay: several agents, and types of issue.
//
//go:embed replay.yaml
var replayManifest []byte

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	limit := flag.Int("limit", 0, "send this many lines at most; 0 for all")
	customers := flag.Int("customers", 200, "customers at a time")
	sample := flag.String("sample", "config/samples/minimal.yaml", "manifest of the tenant that plays")
	flag.Parse()
	klog.LogToStderr(false) // a port-forward reports every stream that a customer closes
	klog.SetOutput(io.Discard)
	var err error
	switch {
	case flag.NArg() == 0:
		err = demo(ctx, *sample)
	case flag.NArg() == 2 && flag.Arg(0) == "replay":
		err = replay(ctx, flag.Arg(1), *limit, *customers)
	default:
		err = errors.New("usage: demo [-sample FILE] | demo [-limit N] [-customers N] replay FILE.csv")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo plays one conversation with the tenant of a manifest, whose agent is Mara.
func demo(ctx context.Context, sample string) error {
	manifest, err := os.ReadFile(sample)
	if err != nil {
		return fmt.Errorf("reading the tenant's manifest: %w", err)
	}
	t, err := bring(ctx, os.Stdout, manifest)
	if err != nil {
		return err
	}
	return t.reach(ctx, func(pod *podlink.Pod, base string) error {
		agents, err := signIn(ctx, pod, base, t.agents[:1])
		if err != nil {
			return err
		}
		fmt.Println("\n▸ a customer writes to the running pod")
		if err := play(ctx, os.Stdout, base, t.channelToken, agents[0]); err != nil {
			return err
		}
		next(t)
		return nil
	})
}

// signIn signs agents in with codes made inside the pod, as `kubectl handoff login` does.
func signIn(ctx context.Context, pod *podlink.Pod, base string, emails []string) ([]*client.Agent, error) {
	var agents []*client.Agent
	for _, email := range emails {
		code, err := pod.Mint(ctx, email)
		if err != nil {
			return nil, fmt.Errorf("making a login code for %s: %w", email, err)
		}
		a, err := client.SignIn(ctx, httpClient, base, code.Code)
		if err != nil {
			return nil, fmt.Errorf("signing %s in: %w", email, err)
		}
		agents = append(agents, a)
	}
	return agents, nil
}

// next prints what to try after the demo.
func next(t *tenant) {
	fmt.Printf(`
▸ done. To go on by hand:
  kubectl get copilots,channels,handoffpolicies,agentpools,routingtables -n %[1]s
  kubectl -n %[1]s port-forward service/%[2]s-handoff 8080      customers and agents at http://127.0.0.1:8080
  curl -s http://127.0.0.1:8080/v1/conversations -d '{"token":"%[3]s"}'
  bin/kubectl-handoff login %[2]s -n %[1]s --agent %[4]s      (make build)
                                              an agent is online while heard of: POST /v1/agent/heartbeat every 20 s
  make demo-replay FILE=utterances.csv        many customers at once; the file has a column "text"
  make cluster-down                           removes all of it

  kubectl here is %[5]s with KUBECONFIG=%[6]s
`, namespace, t.copilot, t.channelToken, t.agents[0], orDefault(os.Getenv("KUBECTL"), "kubectl"), orDefault(os.Getenv("KUBECONFIG"), "your own"))
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// replay sends the texts of a CSV file, each as a customer of its own, and reports what became of them.
func replay(ctx context.Context, file string, limit, customers int) error {
	texts, err := readTexts(file, limit)
	if err != nil {
		return err
	}
	t, err := bring(ctx, os.Stdout, replayManifest)
	if err != nil {
		return err
	}
	return t.reach(ctx, func(pod *podlink.Pod, base string) error {
		agents, err := signIn(ctx, pod, base, t.agents)
		if err != nil {
			return err
		}
		p := &replayer{base: base, channelToken: t.channelToken, agents: agents, out: os.Stdout, customers: customers}
		fmt.Printf("▸ %d customers, %d at a time, %d agents\n", len(texts), customers, len(agents))
		begin := time.Now()
		outcomes, err := p.run(ctx, texts)
		if err != nil {
			return err
		}
		if failed := report(os.Stdout, outcomes, time.Since(begin)); failed > 0 {
			return fmt.Errorf("%d of %d customers failed", failed, len(texts))
		}
		return nil
	})
}
