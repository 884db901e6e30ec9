// Command runtime serves one Copilot: it talks to its customers and hands conversations to its agents.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones of pools, in an image without files

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // roots for model servers, in an image without files
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/opencopilot/handoff-operator/internal/runtime/server"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

// version is set at link time.
var version = "dev"

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// flags are the runtime's own.
type flags struct {
	namespace, routingTable, tableFile string
	dataDir, runDir, addr, adminAddr   string
}

func command() *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "runtime",
		Short: "Serve one Copilot, with its routing table from the cluster or from a file",
		Args:  cobra.NoArgs, SilenceUsage: true, SilenceErrors: true, Version: version,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c.Context(), f) },
	}
	c.Flags().StringVar(&f.namespace, "namespace", "", "namespace of the RoutingTable")
	c.Flags().StringVar(&f.routingTable, "routing-table", "", "name of the RoutingTable to serve")
	c.Flags().StringVar(&f.tableFile, "table", "", "file with the inputs to serve, instead of a RoutingTable")
	c.PersistentFlags().StringVar(&f.dataDir, "data-dir", "/var/lib/handoff", "directory of the conversations' store; empty for PostgreSQL, as the routing table names it")
	c.Flags().StringVar(&f.addr, "addr", ":8080", "address for customers and agents")
	c.Flags().StringVar(&f.adminAddr, "admin-addr", ":8081", "address for metrics and health")
	c.PersistentFlags().StringVar(&f.runDir, "run-dir", "/run/handoff", "directory of the last good inputs and the login socket; it outlives the process")
	c.AddCommand(login(&f), backup(&f), restore(&f))
	return c
}

// login is what `kubectl handoff login` runs inside the pod.
func login(f *flags) *cobra.Command {
	var agent string
	c := &cobra.Command{
		Use: "login", Short: "Print a one-time login code for an agent of the runtime in this pod",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			code, err := server.RequestLogin(c.Context(), f.runDir, agent)
			if err != nil {
				return err
			}
			return json.NewEncoder(c.OutOrStdout()).Encode(code)
		},
	}
	c.Flags().StringVar(&agent, "agent", "", "e-mail address of the agent")
	_ = c.MarkFlagRequired("agent")
	return c
}

func serve(ctx context.Context, f flags) error {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil)).With("version", version)
	if f.routingTable != "" {
		log = log.With("copilot", f.namespace+"/"+f.routingTable)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	source, err := source(f, log, reg)
	if err != nil {
		return err
	}
	o := server.Options{
		DataDir: f.dataDir, RunDir: f.runDir, Addr: f.addr, AdminAddr: f.adminAddr,
		Source: source, Logger: log, Registry: reg,
	}
	if cluster, ok := source.(*table.Cluster); ok {
		o.StorageChanged = cluster.StorageChanged
	}
	return server.Run(ctx, o)
}

// source returns where the inputs come from.
func source(f flags, log *slog.Logger, reg *prometheus.Registry) (server.Source, error) {
	metrics := table.NewMetrics(reg)
	switch {
	case f.tableFile != "" && f.routingTable != "":
		return nil, errors.New("--table and --routing-table are both set; give one of them")
	case f.tableFile != "":
		return &table.File{Path: f.tableFile, Log: log, Metrics: metrics}, nil
	case f.routingTable == "":
		return nil, errors.New("neither --table nor --routing-table is set; give one of them")
	}
	config, err := kubernetes()
	if err != nil {
		return nil, fmt.Errorf("reaching the API server: %w", err)
	}
	return table.NewCluster(table.ClusterOptions{
		Config: config, Namespace: f.namespace, Name: f.routingTable, Pod: os.Getenv("POD_NAME"),
		RunDir: f.runDir, Log: log, Metrics: metrics,
	})
}

// kubernetes is how the API server is reached: as the pod's ServiceAccount, or outside of a pod as $KUBECONFIG says.
func kubernetes() (*rest.Config, error) {
	if path := os.Getenv(clientcmd.RecommendedConfigPathEnvVar); path != "" {
		return clientcmd.BuildConfigFromFlags("", path)
	}
	return rest.InClusterConfig()
}
