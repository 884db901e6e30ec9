package table

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics of a source. Make them with NewMetrics.
type Metrics struct {
	revision   *prometheus.GaugeVec
	refused    prometheus.Counter
	reconnects prometheus.Counter
	unsaved    prometheus.Counter
	contact    atomic.Int64
}

// NewMetrics registers the metrics of one source with reg.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		revision: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "handoff_table_revision_info",
			Help: "1 for the revision of the routing table that is in use.",
		}, []string{"revision"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "handoff_table_refused_total",
			Help: "Inputs that could not be used; the ones before stayed in use.",
		}),
		reconnects: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "handoff_table_reconnects_total",
			Help: "Requests to read or watch an input that failed and are tried again.",
		}),
		unsaved: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "handoff_table_save_failures_total",
			Help: "Inputs in use that could not be kept for a restart without the API server.",
		}),
	}
	m.touch()
	reg.MustRegister(m.revision, m.refused, m.reconnects, m.unsaved, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "handoff_table_last_contact_seconds",
		Help: "Seconds since the source of inputs last answered, or since the start if it never did.",
	}, func() float64 { return time.Since(time.Unix(0, m.contact.Load())).Seconds() }))
	return m
}

// touch notes that the source answered.
func (m *Metrics) touch() { m.contact.Store(time.Now().UnixNano()) }

func (m *Metrics) use(revision string) {
	m.revision.Reset()
	m.revision.WithLabelValues(revision).Set(1)
}
