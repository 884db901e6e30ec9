package controller_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// A Copilot's name may be longer than a label or a Service's name, hold dots and begin with a digit.
func TestCopilotsWithAwkwardNamesAreServed(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	for _, name := range []string{"24h.support.example", strings.Repeat("long-", 40) + "name", strings.Repeat("long-", 40) + "game"} {
		c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: name}}
		w.ExpectCreated(c)
		w.Run(name)
		w.Acknowledge(name)
		w.ExpectReady(c)
	}
}
