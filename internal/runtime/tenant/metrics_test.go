package tenant_test

import (
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// The metrics say what happened, once each, also where a message was repeated.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 1)})
	id, _ := w.OpenConversation()
	w.AwaitAnswer(id, w.Send(id, "1", Question).Seq)
	w.Send(id, "1", Question)
	w.Send(id, "2", Human)
	w.AwaitType(id, conversation.EventHandoff, 1)
	if got := metrics(t, w)["handoff_queue_waiting"]; got != 1 {
		t.Errorf("%v wait", got)
	}
	w.SetState("a0", store.Online)
	w.AwaitType(id, conversation.EventOffered, 1)
	w.Clock.Step(20 * time.Second)
	if _, err := w.Accept(t.Context(), id, w.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	if got := metrics(t, w)["handoff_queue_waiting"]; got != 0 {
		t.Errorf("%v wait", got)
	}
	w.Stop() // every turn has been observed
	got := metrics(t, w)
	for name, want := range map[string]float64{
		"handoff_messages_total customer":       2,
		"handoff_messages_total ai":             1,
		"handoff_events_total offered":          1,
		"handoff_events_total assigned":         1,
		"handoff_handoffs_total HumanRequested": 1,
		"handoff_turn_seconds count":            2,
		"handoff_time_to_human_seconds count":   1,
		"handoff_time_to_human_seconds sum":     20,
		"handoff_queue_waiting":                 -1, // the store is closed
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

// metrics are the values by name and label; a histogram has a count and a sum.
func metrics(t *testing.T, w *World) map[string]float64 {
	t.Helper()
	families, err := w.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			if h := m.GetHistogram(); h != nil {
				out[name+" count"], out[name+" sum"] = float64(h.GetSampleCount()), h.GetSampleSum()
				continue
			}
			out[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return out
}
