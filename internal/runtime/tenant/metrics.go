package tenant

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// metrics are the tenant's own. Labels have few values: no ids.
type metrics struct {
	messages    *prometheus.CounterVec
	transitions *prometheus.CounterVec
	handoffs    *prometheus.CounterVec
	turns       prometheus.Histogram
	accepted    prometheus.Histogram
	agentsLost  prometheus.Counter
	lost        prometheus.Counter
	resumed     prometheus.Counter
	corrections prometheus.Counter
	putOff      *prometheus.CounterVec
	handling    prometheus.Counter
	contacts    *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_messages_total", Help: "Messages committed, by author."}, []string{"author"}),
		transitions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_events_total", Help: "Events committed to conversations' logs, by type."}, []string{"type"}),
		handoffs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_handoffs_total", Help: "Handoffs to humans, by reason."}, []string{"reason"}),
		turns: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "handoff_turn_seconds", Help: "Time of the AI's turns, from reading the message to the committed outcome.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16)}),
		accepted: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "handoff_time_to_human_seconds", Help: "Time from handoff to an agent owning the conversation.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 14)}),
		agentsLost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "handoff_agents_lost_total", Help: "Agents who were set offline because nothing was heard of them."}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "handoff_replicas_lost_total", Help: "Other replicas that this one found to have ended without a word."}),
		resumed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "handoff_answers_resumed_total", Help: "Answers that were owed and that nobody was giving, found at a start, after lost wake-ups or after a lost replica."}),
		corrections: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "handoff_queue_corrections_total",
			Help: "Differences between who waits or is there and what the matching knew of it, found by its safety read: wake-ups that were lost."}),
		putOff: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_deadlines_failed_total", Help: "Deadlines that could not be met and were put off, by kind: a fault of the program."}, []string{"kind"}),
		handling: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "handoff_handling_seconds_total",
			Help: "Time for which agents had conversations or wrapped them up, without the time for which these were snoozed, when it is over."}),
		contacts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_contacts_total", Help: "Handoffs that are over, by outcome."}, []string{"outcome"}),
	}
	for _, o := range conversation.Endings {
		m.contacts.WithLabelValues(string(o)) // a quotient needs the one that has not come yet as well
	}
	r.MustRegister(m.handling, m.contacts, m.putOff, m.corrections, m.messages, m.transitions, m.handoffs, m.turns, m.accepted, m.agentsLost, m.lost, m.resumed)
	for _, kind := range store.DeadlineKinds { // there from the start, so that the first is seen as one more
		m.putOff.WithLabelValues(string(kind))
	}
	return m
}

func (m *metrics) observe(c conversation.Change) {
	if c.Handled != nil {
		m.handling.Add(max(c.Handled.Took, 0).Seconds()) // a clock may have gone back
	}
	if c.Ended != nil {
		m.contacts.WithLabelValues(string(c.Ended.Ending())).Inc()
	}
	for _, e := range c.Events {
		m.transitions.WithLabelValues(string(e.Type)).Inc()
		switch e.Type {
		case conversation.EventMessage:
			m.messages.WithLabelValues(string(e.Author.Kind)).Inc()
		case conversation.EventHandoff:
			m.handoffs.WithLabelValues(string(e.Handoff.Reason)).Inc()
		case conversation.EventAssigned, conversation.EventTakenOver:
			if h := c.Conversation.Handoff; h != nil {
				m.accepted.Observe(e.At.Sub(h.At).Seconds())
			}
		}
	}
}

func (m *metrics) turn(begin time.Time, clock clock.PassiveClock) {
	m.turns.Observe(clock.Since(begin).Seconds())
}
