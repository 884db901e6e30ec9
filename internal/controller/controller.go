// Package controller puts the operator together: what it caches, and its four controllers.
package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/apply"
	"github.com/opencopilot/handoff-operator/internal/controller/agentpool"
	"github.com/opencopilot/handoff-operator/internal/controller/channel"
	"github.com/opencopilot/handoff-operator/internal/controller/copilot"
	"github.com/opencopilot/handoff-operator/internal/controller/handoffpolicy"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
	"github.com/opencopilot/handoff-operator/internal/controller/platform"
	"github.com/opencopilot/handoff-operator/internal/controller/report"
	"github.com/opencopilot/handoff-operator/internal/controller/snapshot"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// Scheme knows the kinds that the operator reads and writes.
func Scheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, gatewayv1.Install} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("build the scheme: %w", err)
		}
	}
	return s, nil
}

// Cache returns what the informers hold, of the given namespaces or, without any, of all: of built-in kinds only what
// the operator made, of pods only those that have not ended and of them what says whether they start, and of Secrets and
// ConfigMaps the metadata.
func Cache(namespaces []string) cache.Options {
	var pods cache.ByObject
	pods.Transform = copilot.TrimPod
	pods.Field = fields.AndSelectors(
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)))
	all := cache.ByObject{Label: labels.Everything(), Transform: cache.TransformStripManagedFields()}
	tables, bare := all, all
	tables.Transform, bare.Transform = trimChild, trimMetadata
	httpRoutes := all
	httpRoutes.Field = fields.OneTermEqualSelector("metadata.name", copilot.HTTPRouteCRD)
	opts := cache.Options{
		// What is not named below is a child. HTTPRoutes could not be named: their kind may not exist yet.
		DefaultLabelSelector: labels.SelectorFromSet(labels.Set{desired.LabelManagedBy: desired.ManagedBy}),
		DefaultTransform:     trimChild,
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.Copilot{}:       all,
			&v1alpha1.Channel{}:       all,
			&v1alpha1.HandoffPolicy{}: all,
			&v1alpha1.AgentPool{}:     all,
			&v1alpha1.RoutingTable{}:  tables,
			&corev1.Pod{}:             pods,
			&corev1.Secret{}:          bare,
			&corev1.ConfigMap{}:       bare,
			copilot.CRD():             httpRoutes,
		},
	}
	for _, n := range namespaces {
		if opts.DefaultNamespaces == nil {
			opts.DefaultNamespaces = map[string]cache.Config{}
		}
		opts.DefaultNamespaces[n] = cache.Config{}
	}
	return opts
}

// Client returns how the manager's client reads: after a write the next read waits for the cache to have seen it, so
// that no decision is made on what was there before. With several namespaces controller-runtime cannot do that; then a
// stale read costs an apply without effect.
func Client(namespaces []string) client.Options {
	return client.Options{Cache: &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(len(namespaces) < 2)}}
}

// workers is how many objects of a kind are reconciled at once: enough that a slow answer for one tenant holds up no
// other, few enough to be gentle with the API server.
const workers = 4

// timeout ends a reconcile that the API server does not answer. One takes some twenty requests at most.
const timeout = time.Minute

// Tuning is how the manager runs the controllers. A standby fills its caches, so that it takes over at once.
func Tuning() config.Controller {
	return config.Controller{
		MaxConcurrentReconciles: workers,
		ReconciliationTimeout:   timeout,
		EnableWarmup:            ptr.To(true),
	}
}

// Options of the controllers.
type Options struct {
	// RuntimeImage is the image of the runtimes whose Copilot names none.
	RuntimeImage string
	// Release of the operator, and how many Copilots at most move to it at a time.
	Release               string
	MaxConcurrentUpgrades int
	// Now is the clock of status transitions.
	Now func() time.Time
}

// Controllers are the operator's reconcilers.
type Controllers struct {
	Copilot       *copilot.Reconciler
	Channel       *channel.Reconciler
	HandoffPolicy *handoffpolicy.Reconciler
	AgentPool     *agentpool.Reconciler
}

// New makes the reconcilers. c reads from caches made with Cache and indexed by package index; uncached reads from the
// API server.
func New(c client.Client, uncached client.Reader, events recorder.EventRecorder, o Options) *Controllers {
	snapshots := snapshot.NewReader(c, uncached)
	reporter := report.New(c, events)
	return &Controllers{
		Copilot: &copilot.Reconciler{
			Client: c, Uncached: uncached, Snapshots: snapshots,
			Applier:      &apply.Applier{Client: c, Uncached: uncached},
			Reporter:     reporter,
			Upgrades:     copilot.NewUpgrades(c, o.Release, o.MaxConcurrentUpgrades),
			RuntimeImage: o.RuntimeImage, Now: o.Now,
		},
		Channel:       &channel.Reconciler{Client: c, Snapshots: snapshots, Reporter: reporter, Now: o.Now},
		HandoffPolicy: &handoffpolicy.Reconciler{Client: c, Snapshots: snapshots, Reporter: reporter, Now: o.Now},
		AgentPool:     &agentpool.Reconciler{Client: c, Snapshots: snapshots, Reporter: reporter, Now: o.Now},
	}
}

// Register indexes the cache of mgr, which must have been made with Cache, and adds the controllers.
func Register(ctx context.Context, mgr manager.Manager, o Options) error {
	if err := index.Register(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	all := New(mgr.GetClient(), mgr.GetAPIReader(), mgr.GetEventRecorder("handoff-operator"), o)
	openShift, err := platform.OpenShift(mgr.GetRESTMapper())
	if err != nil {
		return err
	}
	all.Copilot.OpenShift = openShift
	if err := all.Copilot.LookAround(ctx, mgr.GetLogger()); err != nil {
		return err
	}
	for _, r := range []interface{ Register(manager.Manager) error }{
		all.Copilot, all.Channel, all.HandoffPolicy, all.AgentPool,
	} {
		if err := r.Register(mgr); err != nil {
			return fmt.Errorf("register %T: %w", r, err)
		}
	}
	return nil
}
