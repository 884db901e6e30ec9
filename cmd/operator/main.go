// Command operator watches Copilots, Channels, HandoffPolicies and AgentPools, and runs a handoff runtime per Copilot.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/discovery"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
	registry "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/opencopilot/handoff-operator/internal/controller"
	"github.com/opencopilot/handoff-operator/internal/controller/metrics"
	"github.com/opencopilot/handoff-operator/internal/controller/platform"
)

// version is set by the linker.
var version = "dev"

// shutdown is how long running reconciles may take to end. A reconcile is a few requests.
const shutdown = 10 * time.Second

// lease names the Lease of the leader, in the operator's namespace.
const lease = "handoff-operator"

// gcPercent is how much the heap may grow between two collections, where GOGC does not say. The operator holds much and,
// at rest, makes little, so half of Go's default saves a quarter of the heap for next to no time.
const gcPercent = 50

type options struct {
	runtimeImage   string
	release        string
	upgrades       int
	leaderElect    bool
	leaseNamespace string
	metricsAddress string
	healthAddress  string
	pprofAddress   string
	namespaces     []string
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(2)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	handler := slog.NewJSONHandler(os.Stderr, nil)
	slog.SetDefault(slog.New(handler))
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	slog.Info("starting", "version", version, "release", o.release, "runtimeImage", o.runtimeImage, "namespaces", o.namespaces)
	if len(o.namespaces) > 0 {
		slog.Info("hosts and the tokens, numbers and mailboxes of Channels are compared in these namespaces only: one claimed elsewhere is not seen",
			"namespaces", o.namespaces)
	}
	if err := run(signals.SetupSignalHandler(), o); err != nil {
		slog.Error("the operator ends", "error", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("operator", flag.ContinueOnError)
	f.StringVar(&o.runtimeImage, "runtime-image", "", "image of the runtimes (required)")
	f.StringVar(&o.release, "release", version, "release of the operator; a pod that another one rendered is upgraded")
	f.IntVar(&o.upgrades, "max-concurrent-upgrades", 5, "how many Copilots move to this release at a time; 0 holds them all back")
	f.BoolVar(&o.leaderElect, "leader-elect", false, "work only while holding the Lease "+lease)
	f.StringVar(&o.leaseNamespace, "leader-election-namespace", "", "namespace of the Lease; needed where the operator does not run in a pod; default the pod's")
	f.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "address of /metrics; 0 serves none")
	f.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "address of /healthz and /readyz")
	f.StringVar(&o.pprofAddress, "pprof-bind-address", "0", "address of /debug/pprof, which shows memory's contents to whoever reaches it; 0 serves none")
	f.Func("namespace", "namespace to watch; repeated or separated by commas; default all", func(v string) error {
		for n := range strings.SplitSeq(v, ",") {
			if n = strings.TrimSpace(n); n != "" {
				o.namespaces = append(o.namespaces, n)
			}
		}
		return nil
	})
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.runtimeImage == "":
		return o, errors.New("--runtime-image is empty: name the image of the runtime that belongs to this operator")
	case o.release == "":
		return o, errors.New("--release is empty: name the release of the operator, such as v0.1.0, or leave the flag out")
	case o.upgrades < 0:
		return o, fmt.Errorf("--max-concurrent-upgrades is %d: give 0 or more", o.upgrades)
	}
	return o, nil
}

func run(ctx context.Context, o options) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find a cluster: %w", err)
	}
	cluster, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	if err := platform.Installed(cluster.ServerResourcesForGroupVersion); err != nil {
		return err
	}
	mgr, err := newManager(config, o)
	if err != nil {
		return err
	}
	if err := controller.Register(ctx, mgr, controller.Options{
		RuntimeImage: o.runtimeImage, Release: o.release, MaxConcurrentUpgrades: o.upgrades, Now: time.Now,
	}); err != nil {
		return err
	}
	if err := metrics.Add(mgr, registry.Registry); err != nil {
		return err
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return fmt.Errorf("add health checks: %w", err)
	}
	return mgr.Start(ctx)
}
