package metrics

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

var upgrading = prometheus.NewDesc("handoff_operator_upgrades",
	"Runtimes that move to the operator's release: running, stuck, waiting for their turn, or available to be taken by hand.",
	[]string{"state"}, nil)

// upgrades counts what is under way and what is due, when it is asked. Its reader is indexed by package index.
type upgrades struct{ client.Reader }

// Describe sends the one metric.
func (upgrades) Describe(out chan<- *prometheus.Desc) { out <- upgrading }

// Collect sends one value for each state, so that none of them is absent where there is nothing to count.
func (u upgrades) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrape)
	defer cancel()
	count, err := u.count(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(upgrading, err)
		return
	}
	for state, n := range count {
		out <- prometheus.MustNewConstMetric(upgrading, prometheus.GaugeValue, float64(n), state)
	}
}

func (u upgrades) count(ctx context.Context) (map[string]int, error) {
	out := map[string]int{"running": 0, "stuck": 0, "waiting": 0, "available": 0}
	var deployments appsv1.DeploymentList
	slots := client.MatchingFields{index.DeploymentUpgrading: "true"}
	if err := u.List(ctx, &deployments, slots, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the upgrades that are under way: %w", err)
	}
	for i := range deployments.Items {
		switch d := &deployments.Items[i]; {
		case !upgrade.UnderWay(d):
		case upgrade.Stuck(d):
			out["stuck"]++
		default:
			out["running"]++
		}
	}
	var copilots v1alpha1.CopilotList
	if err := u.List(ctx, &copilots, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the Copilots: %w", err)
	}
	for i := range copilots.Items {
		due := meta.FindStatusCondition(copilots.Items[i].Status.Conditions, v1alpha1.ConditionUpgradable)
		switch {
		case due == nil:
		case due.Reason == v1alpha1.ReasonUpgradeWaiting:
			out["waiting"]++
		case due.Reason == v1alpha1.ReasonUpgradeAvailable:
			out["available"]++
		}
	}
	return out, nil
}
