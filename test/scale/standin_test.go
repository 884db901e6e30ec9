package scale_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/opencopilot/handoff-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

// runtimeImage is the image of the runtimes. Nothing pulls it.
const runtimeImage = "registry.example/handoff-runtime:scale"

// standIn stands in for what the API server alone does not have: the Deployment controller and the kubelet, which make
// the pod of a Deployment and say that it is available, and the runtime, which acknowledges its table. Nothing of the
// data plane runs. Some namespaces have the runtime's own table source instead (package table), with the rights of its
// ServiceAccount; it watches, decodes, checks, saves and acknowledges as in a pod.
type standIn struct {
	b      *testing.B
	config *rest.Config
	client client.Client
	queue  workqueue.TypedInterface[string]
	real   map[string]bool
	// acknowledged is told of every RoutingTable whose pod serves its revision.
	acknowledged func(*v1alpha1.RoutingTable)

	mu   sync.Mutex
	pods map[string]*pod
}

// pod is what is known of the one pod of a namespace.
type pod struct {
	deployment *appsv1.Deployment
	table      *v1alpha1.RoutingTable
	// real says that a real table source has put its first table to use.
	real bool

	// These belong to the worker that has the namespace.
	created   bool
	acked     string
	available bool
}

// startStandIn runs until the benchmark ends. The namespaces of real have the runtime's own table source.
func startStandIn(b *testing.B, c *cluster, informers cache.Cache, real map[string]bool) *standIn {
	b.Helper()
	s := &standIn{
		b: b, config: c.config(standInAgent), client: c.client(b, standInAgent), real: real,
		queue: workqueue.NewTyped[string](), pods: map[string]*pod{},
		acknowledged: func(*v1alpha1.RoutingTable) {},
	}
	follow(b, informers, &appsv1.Deployment{}, func(o client.Object) { s.see(o) })
	follow(b, informers, &v1alpha1.RoutingTable{}, func(o client.Object) { s.see(o) })
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(s.work)
	}
	b.Cleanup(func() {
		s.queue.ShutDown()
		workers.Wait()
	})
	return s
}

// newInformers caches objects for the stand-in and for those who measure, until the benchmark ends.
func newInformers(b *testing.B, c *cluster) cache.Cache {
	b.Helper()
	scheme, err := controller.Scheme()
	must(b, err)
	informers, err := cache.New(c.config("watcher"), cache.Options{Scheme: scheme})
	must(b, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- informers.Start(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Errorf("informers: %v", err)
		}
	})
	return informers
}

// follow tells see of every object of a kind and of every change, and returns when it was told of all.
func follow(b *testing.B, informers cache.Cache, kind client.Object, see func(client.Object)) {
	b.Helper()
	informer, err := informers.GetInformer(context.Background(), kind)
	must(b, err)
	handler, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { see(o.(client.Object)) },
		UpdateFunc: func(_, o any) { see(o.(client.Object)) },
	})
	must(b, err)
	if !toolscache.WaitForCacheSync(b.Context().Done(), handler.HasSynced) {
		b.Fatalf("the informer of %T did not fill", kind)
	}
}

func (s *standIn) see(o client.Object) {
	s.mu.Lock()
	p := s.pods[o.GetNamespace()]
	if p == nil {
		p = &pod{}
		s.pods[o.GetNamespace()] = p
	}
	switch o := o.(type) {
	case *appsv1.Deployment:
		p.deployment = o
	case *v1alpha1.RoutingTable:
		p.table = o
		if r := o.Status.Replicas; len(r) > 0 && r[0].Revision == o.Spec.Revision {
			defer s.acknowledged(o)
		}
	}
	s.mu.Unlock()
	s.queue.Add(o.GetNamespace())
}

func (s *standIn) work() {
	for {
		namespace, down := s.queue.Get()
		if down {
			return
		}
		if err := s.step(context.Background(), namespace); err != nil {
			s.b.Errorf("stand-in: %v", err)
		}
		s.queue.Done(namespace)
	}
}

// step does what the namespace's pod needs next. The queue lets one worker at a time have a namespace.
func (s *standIn) step(ctx context.Context, namespace string) error {
	s.mu.Lock()
	p := s.pods[namespace]
	d, t, real := p.deployment, p.table, p.real
	s.mu.Unlock()
	if d == nil || t == nil {
		return nil
	}
	if !p.created {
		if err := s.create(ctx, d); err != nil {
			return err
		}
		p.created = true
		if s.real[namespace] {
			return s.run(d, t)
		}
	}
	if s.real[namespace] && !real {
		return nil
	}
	if !real && p.acked != t.Spec.Revision {
		if err := s.acknowledge(ctx, d, t); err != nil {
			return err
		}
		p.acked = t.Spec.Revision
	}
	if !p.available {
		p.available = true
		return s.available(ctx, d)
	}
	return nil
}

func podName(d *appsv1.Deployment) string { return d.Name + "-0" }

func (s *standIn) create(ctx context.Context, d *appsv1.Deployment) error {
	p := &corev1.Pod{ObjectMeta: *d.Spec.Template.ObjectMeta.DeepCopy(), Spec: *d.Spec.Template.Spec.DeepCopy()}
	p.Name, p.Namespace = podName(d), d.Namespace
	if err := s.client.Create(ctx, p); err != nil {
		return fmt.Errorf("make the pod of %s: %w", d.Namespace, err)
	}
	return nil
}

func (s *standIn) available(ctx context.Context, d *appsv1.Deployment) error {
	next := d.DeepCopy()
	next.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1, AvailableReplicas: 1,
	}
	if err := s.client.Status().Patch(ctx, next, client.MergeFrom(d)); err != nil {
		return fmt.Errorf("say that the pod of %s is available: %w", d.Namespace, err)
	}
	return nil
}

func (s *standIn) acknowledge(ctx context.Context, d *appsv1.Deployment, t *v1alpha1.RoutingTable) error {
	entry := ac.ReplicaStatus().WithName(podName(d)).WithRevision(t.Spec.Revision)
	intent := ac.RoutingTable(t.Name, t.Namespace).WithStatus(ac.RoutingTableStatus().WithReplicas(entry))
	err := s.client.Status().Apply(ctx, intent, client.FieldOwner(podName(d)), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("acknowledge the table of %s: %w", t.Namespace, err)
	}
	return nil
}

// run starts the runtime's own table source for the pod, with the rights of its ServiceAccount.
func (s *standIn) run(d *appsv1.Deployment, t *v1alpha1.RoutingTable) error {
	config := rest.CopyConfig(s.config)
	config.Impersonate.UserName = "system:serviceaccount:" + d.Namespace + ":" + d.Spec.Template.Spec.ServiceAccountName
	source, err := table.NewCluster(table.ClusterOptions{
		Config: config, Namespace: t.Namespace, Name: t.Name, Pod: podName(d), RunDir: s.b.TempDir(),
		Log: slog.New(slog.DiscardHandler), Metrics: table.NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = source.Run(ctx, func(context.Context, table.Inputs) error {
			s.mu.Lock()
			s.pods[d.Namespace].real = true
			s.mu.Unlock()
			s.queue.Add(d.Namespace)
			return nil
		})
	}()
	s.b.Cleanup(func() {
		cancel()
		<-ended
	})
	return nil
}
