package metrics

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// scrape bounds a look into the informers' cache, which answers from memory once it is filled.
const scrape = 5 * time.Second

// The labels do not begin with namespace and name: Prometheus would take those for the operator's own.
var ready = prometheus.NewDesc("handoff_operator_ready",
	"1 for each object that is Ready, 0 for one that is not, with the reason.",
	[]string{"kind", "object_namespace", "object_name", "reason"}, nil)

// readiness collects the Ready condition of all objects when it is asked.
type readiness struct{ client.Reader }

// Describe sends the one metric.
func (readiness) Describe(out chan<- *prometheus.Desc) { out <- ready }

// Collect sends one value for each object.
func (r readiness) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrape)
	defer cancel()
	var copilots v1alpha1.CopilotList
	var channels v1alpha1.ChannelList
	var policies v1alpha1.HandoffPolicyList
	var pools v1alpha1.AgentPoolList
	for _, list := range []client.ObjectList{&copilots, &channels, &policies, &pools} {
		// Nothing here changes what it reads.
		if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			out <- prometheus.NewInvalidMetric(ready, fmt.Errorf("list %T: %w", list, err))
		}
	}
	for i := range copilots.Items {
		out <- value("Copilot", &copilots.Items[i], copilots.Items[i].Status.Conditions)
	}
	for i := range channels.Items {
		out <- value("Channel", &channels.Items[i], channels.Items[i].Status.Conditions)
	}
	for i := range policies.Items {
		out <- value("HandoffPolicy", &policies.Items[i], policies.Items[i].Status.Conditions)
	}
	for i := range pools.Items {
		out <- value("AgentPool", &pools.Items[i], pools.Items[i].Status.Conditions)
	}
}

func value(kind string, o client.Object, conditions []metav1.Condition) prometheus.Metric {
	is, reason := 0.0, v1alpha1.ReasonPending
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady); c != nil {
		reason = c.Reason
		if c.Status == metav1.ConditionTrue {
			is = 1
		}
	}
	return prometheus.MustNewConstMetric(ready, prometheus.GaugeValue, is, kind, o.GetNamespace(), o.GetName(), reason)
}
