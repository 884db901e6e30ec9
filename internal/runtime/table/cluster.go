package table

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// ClusterOptions configure a Cluster. All fields but the two periods are needed.
type ClusterOptions struct {
	// Config reaches the API server as the runtime's ServiceAccount.
	Config *rest.Config
	// Namespace and Name of the RoutingTable.
	Namespace, Name string
	// Pod is this replica's name in the RoutingTable's status, and its field manager.
	Pod string
	// RunDir keeps the last good inputs for a restart without the API server. It should be backed by memory.
	RunDir  string
	Log     *slog.Logger
	Metrics *Metrics
	// StartGrace is how long to wait for the API server at the start before serving the last good inputs; zero for 2 s.
	StartGrace time.Duration
	// ReadGrace is how long a new table waits for a Secret or ConfigMap that cannot be read, which is not the same as
	// one that does not exist, before it is used without; zero for 10 s.
	ReadGrace time.Duration
}

// Cluster brings inputs from a RoutingTable of the cluster and the Secrets and ConfigMaps that it names. Each is
// watched by name, so that a Role with resourceNames suffices:
//
//	routingtables (list, watch), routingtables/status (patch), secrets (list, watch), configmaps (list, watch)
type Cluster struct {
	opts    ClusterOptions
	clients *clients
	acks    *acker
	changed chan struct{}
}

// NewCluster returns a Cluster. Its error is one of configuration; no request is made.
func NewCluster(opts ClusterOptions) (*Cluster, error) {
	for _, need := range []struct{ name, value string }{
		{"namespace", opts.Namespace}, {"routing table", opts.Name}, {"pod name", opts.Pod}, {"run directory", opts.RunDir},
	} {
		if need.value == "" {
			return nil, errors.New("inputs from the cluster: the " + need.name + " is empty")
		}
	}
	if opts.StartGrace == 0 {
		opts.StartGrace = 2 * time.Second
	}
	if opts.ReadGrace == 0 {
		opts.ReadGrace = 10 * time.Second
	}
	clients, err := newClients(opts.Config)
	if err != nil {
		return nil, err
	}
	c := &Cluster{opts: opts, clients: clients, changed: make(chan struct{}, 1)}
	c.acks = newAcker(opts.Log, func(ctx context.Context, entry *v1alpha1.ReplicaStatus) (string, error) {
		return clients.applyReplica(ctx, opts.Namespace, opts.Name, opts.Pod, entry)
	})
	return c, nil
}

// Run calls use for the inputs and for every change of them, until ctx ends, and returns nil then. Outages of the API
// server are waited out. Use is never called concurrently.
func (c *Cluster) Run(ctx context.Context, use Use) error {
	s := &session{Cluster: c, use: use, started: time.Now(), followed: map[ref]*follower{}, retry: reconnectBackoff()}
	s.loadSaved(ctx)
	s.table = s.follow(ctx, ref{routingTables, c.opts.Name})
	var acks sync.WaitGroup
	acks.Go(func() { c.acks.run(ctx) })
	defer acks.Wait()
	defer s.stop()

	for {
		next := s.step(ctx)
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-c.changed:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// StorageChanged tells the operator why this replica cannot use its storage, or, with nil, that it can.
func (c *Cluster) StorageChanged(err error) {
	problem := ""
	if err != nil {
		problem = clip(err.Error())
	}
	c.acks.storage(problem)
}

// follow starts watching one object.
func (c *Cluster) follow(ctx context.Context, r ref) *follower {
	f := &follower{
		client: c.clients.forResource(r.resource), namespace: c.opts.Namespace, ref: r,
		metrics: c.opts.Metrics, log: c.opts.Log, changed: func() { poke(c.changed) },
	}
	f.start(ctx)
	return f
}

// loadSaved reads the last good inputs, for the case that the API server is away or has nothing usable.
func (s *session) loadSaved(ctx context.Context) {
	in, raw, err := loadSaved(s.opts.RunDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		s.opts.Log.ErrorContext(ctx, "ignoring the saved inputs, waiting for the API server", "error", err)
	default:
		s.saved = newCandidate(in, raw, s.started)
		s.last = in
	}
}
