package controller_test

import (
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

func TestMain(m *testing.M) { os.Exit(controltest.Run(m)) }

// bikes are the objects of config/samples/minimal.yaml.
type bikes struct {
	copilot *v1alpha1.Copilot
	channel *v1alpha1.Channel
	policy  *v1alpha1.HandoffPolicy
	pool    *v1alpha1.AgentPool
}

// tenant applies config/samples/minimal.yaml.
func tenant(w *controltest.World) bikes {
	w.Helper()
	w.ExpectApplied(w.Manifests(controltest.Root("config/samples/minimal.yaml"))...)
	return bikes{
		copilot: &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "bikes"}},
		channel: &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "bikes-web"}},
		policy:  &v1alpha1.HandoffPolicy{ObjectMeta: metav1.ObjectMeta{Name: "bikes"}},
		pool:    &v1alpha1.AgentPool{ObjectMeta: metav1.ObjectMeta{Name: "workshop"}},
	}
}

// ready applies the tenant and has it served.
func ready(w *controltest.World) bikes {
	w.Helper()
	b := tenant(w)
	w.Run("bikes")
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot, b.channel, b.policy, b.pool)
	return b
}
