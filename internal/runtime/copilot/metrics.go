package copilot

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what is asked of the model. Make it once for a process: it is shared by one Copilot after another.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
}

// NewMetrics makes the metrics and registers them; a nil registerer registers nothing. It panics when they are
// registered already.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_model_requests_total",
			Help: "Turns given to the model, by outcome: " + outcomesHelp,
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "handoff_model_seconds",
			Help:    "Time from asking the model to the end of its answer or its failure, in seconds, retries included.",
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120},
		}),
	}
	if reg != nil {
		reg.MustRegister(m.requests, m.seconds)
	}
	return m
}

func (m *Metrics) observe(outcome string, took time.Duration) {
	m.requests.WithLabelValues(outcome).Inc()
	m.seconds.Observe(took.Seconds())
}

// The outcomes of a turn given to the model.
const (
	outcomeAnswered     = "answered"
	outcomeNoAnswer     = "no_answer"
	outcomeCanceled     = "canceled"
	outcomeTimeout      = "timeout"
	outcomeUnreachable  = "unreachable"
	outcomeUnauthorized = "unauthorized"
	outcomeRateLimited  = "rate_limited"
	outcomeServerError  = "server_error"
	outcomeRefused      = "refused"
	outcomeCut          = "cut"
	outcomeInvalid      = "invalid"

	outcomesHelp = "answered; no_answer (the model said that it cannot); canceled (the turn was cut); and failures: timeout, " +
		"unreachable, unauthorized (401, 403), rate_limited (429), server_error (5xx), refused (another status), " +
		"cut (the stream ended early), invalid (not what an OpenAI-compatible server sends)."
)
