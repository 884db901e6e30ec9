package outbox

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// metrics of the deliveries. How full the outbox is is read from the store, which all replicas share.
type metrics struct{ deliveries *prometheus.CounterVec }

var (
	descMessages = prometheus.NewDesc("handoff_outbox_messages", "Messages in the outbox, by destination and state (pending or dead).", []string{"destination", "state"}, nil)
	descOldest   = prometheus.NewDesc("handoff_outbox_oldest_seconds", "Age of the oldest pending message, by destination.", []string{"destination"}, nil)
)

func newMetrics() *metrics {
	return &metrics{deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "handoff_outbox_attempts_total", Help: "Attempts to deliver, by destination and outcome (delivered, failed or dead)."},
		[]string{"destination", "outcome"})}
}

// Describe makes a Dispatcher a prometheus.Collector.
func (d *Dispatcher) Describe(ch chan<- *prometheus.Desc) {
	ch <- descMessages
	ch <- descOldest
}

// Collect reads how full the outbox is. It says nothing while the store does not answer.
func (d *Dispatcher) Collect(ch chan<- prometheus.Metric) {
	_ = d.Store.View(context.Background(), func(r store.Reader) error {
		levels, err := r.OutboxLevels()
		if err != nil {
			return err
		}
		now, err := r.Now()
		if err != nil {
			return err
		}
		for _, l := range levels {
			ch <- prometheus.MustNewConstMetric(descMessages, prometheus.GaugeValue, float64(l.Count), l.Destination, string(l.State))
			if l.State == store.DeliveryPending {
				ch <- prometheus.MustNewConstMetric(descOldest, prometheus.GaugeValue, now.Sub(l.Oldest).Seconds(), l.Destination)
			}
		}
		return nil
	})
}
