// Package metrics tells Prometheus how the objects are, how an upgrade goes, and how long the runtimes take to follow an edit.
package metrics

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Add has mgr, whose cache package index has indexed, serve the metrics from registry while it leads: a standby has none,
// so that nothing counts twice.
func Add(mgr manager.Manager, registry prometheus.Registerer) error {
	return mgr.Add(&recorder{cache: mgr.GetCache(), registry: registry})
}

// recorder runs only where its manager leads, as whatever is added to a manager does unless it says otherwise.
type recorder struct {
	cache    cache.Cache
	registry prometheus.Registerer
}

// Start records until ctx ends.
func (r *recorder) Start(ctx context.Context) error {
	acks := newAcknowledgements(time.Now)
	for _, c := range []prometheus.Collector{readiness{r.cache}, upgrades{r.cache}, acks.seconds} {
		if err := r.registry.Register(c); err != nil {
			return fmt.Errorf("register the operator's metrics: %w", err)
		}
		defer r.registry.Unregister(c)
	}
	informer, err := r.cache.GetInformer(ctx, &v1alpha1.RoutingTable{})
	if err != nil {
		return fmt.Errorf("watch RoutingTables for the metrics: %w", err)
	}
	handler, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{UpdateFunc: acks.update, DeleteFunc: acks.remove})
	if err != nil {
		return fmt.Errorf("watch RoutingTables for the metrics: %w", err)
	}
	<-ctx.Done()
	return informer.RemoveEventHandler(handler)
}
