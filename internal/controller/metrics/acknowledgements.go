package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// acknowledgements measures the time from a new routing table to every replica's acknowledgement, where the replicas
// ran and had acknowledged the table before: the start of a pod is no part of it. Its methods are called one at a time.
type acknowledgements struct {
	seconds prometheus.Histogram
	now     func() time.Time
	// published is when the oldest table was published that is not acknowledged yet.
	published map[types.NamespacedName]time.Time
}

func newAcknowledgements(now func() time.Time) *acknowledgements {
	return &acknowledgements{
		now:       now,
		published: map[types.NamespacedName]time.Time{},
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "handoff_operator_table_acknowledged_seconds",
			Help:    "Time from a new routing table of a running runtime to every replica's acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 16)}),
	}
}

func (a *acknowledgements) update(before, after any) {
	old, table := before.(*v1alpha1.RoutingTable), after.(*v1alpha1.RoutingTable)
	key := types.NamespacedName{Namespace: table.Namespace, Name: table.Name}
	at, waiting := a.published[key]
	switch {
	case waiting && len(table.Status.Replicas) == 0: // the runtime ended meanwhile
		delete(a.published, key)
	case waiting && acknowledged(table):
		delete(a.published, key)
		a.seconds.Observe(a.now().Sub(at).Seconds())
	case !waiting && old.Spec.Revision != table.Spec.Revision && acknowledged(old):
		a.published[key] = a.now()
	}
}

func (a *acknowledgements) remove(gone any) {
	if last, ok := gone.(toolscache.DeletedFinalStateUnknown); ok {
		gone = last.Obj
	}
	if table, ok := gone.(*v1alpha1.RoutingTable); ok {
		delete(a.published, types.NamespacedName{Namespace: table.Namespace, Name: table.Name})
	}
}

// acknowledged says whether there are replicas, and all of them serve the table's revision.
func acknowledged(t *v1alpha1.RoutingTable) bool {
	return len(t.Status.Replicas) > 0 && !slices.ContainsFunc(t.Status.Replicas, func(r v1alpha1.ReplicaStatus) bool {
		return r.Revision != t.Spec.Revision
	})
}
