package controller_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// untilTold waits until an Event about an object of the kind and name with the reason was seen so many times.
func untilTold(w *controltest.World, about, reason string, times int32) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	events, err := w.Client.Watch(ctx, &eventsv1.EventList{}, client.InNamespace(w.Namespace))
	if err != nil {
		w.Fatal(err)
	}
	defer events.Stop()
	for e := range events.ResultChan() {
		ev, ok := e.Object.(*eventsv1.Event)
		if ok && ev.Reason == reason && subject(ev) == about && seen(ev) == times {
			return
		}
	}
	w.Fatalf("nobody was told %s of %s", reason, about)
}

func subject(ev *eventsv1.Event) string { return ev.Regarding.Kind + " " + ev.Regarding.Name }

func seen(ev *eventsv1.Event) int32 {
	if ev.Series != nil {
		return ev.Series.Count
	}
	return 1
}

// told counts the Events of the namespace as "Type Reason Kind name xTIMES".
func told(w *controltest.World) map[string]int {
	w.Helper()
	var list eventsv1.EventList
	if err := w.Client.List(w.Context(), &list, client.InNamespace(w.Namespace)); err != nil {
		w.Fatal(err)
	}
	out := map[string]int{}
	for i := range list.Items {
		ev := &list.Items[i]
		out[fmt.Sprintf("%s %s %s x%d", ev.Type, ev.Reason, subject(ev), seen(ev))]++
	}
	return out
}

// TestEveryEventIsToldOnce: each Event there is, counted, through edits, a reference that comes and goes, and a restart.
func TestEveryEventIsToldOnce(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	b := tenant(w)
	op := w.Start()
	w.Run("bikes")
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot, b.channel, b.policy, b.pool)
	table := w.Current("bikes")
	w.Edit(b.pool, func() { b.pool.Spec.Agents[0].DisplayName = "Mara V." })
	w.After("bikes", table.Spec.Revision)
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot, b.channel)

	w.Edit(b.copilot, func() {
		b.copilot.Spec.Model = &v1alpha1.Model{Name: "m", APIKeySecretRef: &v1alpha1.SecretKeyRef{Name: "vendor", Key: "token"}}
	})
	untilTold(w, "Copilot bikes", v1alpha1.ReasonNotFound, 1)
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot, b.channel)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "vendor"}, StringData: map[string]string{"token": "x"}}
	w.ExpectCreated(secret)
	untilTold(w, "Copilot bikes", v1alpha1.ReasonResolved, 1)
	w.ExpectDeleted(secret)
	untilTold(w, "Copilot bikes", v1alpha1.ReasonNotFound, 2)
	op.Stop()

	w.Start()
	w.Edit(b.policy, func() {
		b.policy.Spec.Triggers = &v1alpha1.Triggers{Rules: []v1alpha1.Rule{{Name: "vip", Expression: "custmer.verified"}}}
	})
	untilTold(w, "HandoffPolicy bikes", v1alpha1.ReasonInvalid, 1)
	untilTold(w, "HandoffPolicy bikes", v1alpha1.ReasonNotServed, 1)
	want := map[string]int{
		"Normal Ready Copilot bikes x1":            1,
		"Normal Ready Channel bikes-web x1":        1,
		"Normal Ready HandoffPolicy bikes x1":      1,
		"Normal Ready AgentPool workshop x1":       1,
		"Warning NotFound Copilot bikes x2":        1,
		"Normal Resolved Copilot bikes x1":         1,
		"Warning NotServed HandoffPolicy bikes x1": 1,
		"Warning Invalid HandoffPolicy bikes x1":   1,
	}
	if have := told(w); !maps.Equal(have, want) {
		t.Errorf("told %v, want %v", have, want)
	}
}
