// Package upgrade_test holds what an upgrade of the operator promises: it restarts no tenant by itself, a few at a time
// and never one that is held, and the previous release's runtime reads the tables of this one.
package upgrade_test

import (
	"fmt"
	"os"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

func TestMain(m *testing.M) { os.Exit(controltest.Run(m)) }

// limit is how many Copilots upgrade at a time in these tests.
const limit = 2

// release starts the operator of a release, whose runtimes have an image of their own.
func release(w *controltest.World, name string) *controltest.Operator {
	w.Helper()
	return releaseWith(w, name, image(name))
}

func releaseWith(w *controltest.World, name, runtimeImage string) *controltest.Operator {
	w.Helper()
	options := controltest.Options()
	options.Release, options.RuntimeImage, options.MaxConcurrentUpgrades = name, runtimeImage, limit
	return w.StartWith(controltest.Setup{Options: &options})
}

func image(release string) string { return "registry.example/handoff-runtime:" + release }

// served makes n Copilots by release v1, named c0 and so on, and has them served. It ends that operator.
func served(w *controltest.World, n int, edit func(*v1alpha1.Copilot)) []*v1alpha1.Copilot {
	w.Helper()
	op := release(w, "v1")
	var all []*v1alpha1.Copilot
	for i := range n {
		c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("c", i)}}
		if edit != nil {
			edit(c)
		}
		w.ExpectCreated(c)
		all = append(all, c)
	}
	for _, c := range all {
		w.Run(c.Name)
		w.Acknowledge(c.Name)
		w.ExpectReady(c)
	}
	op.Rest()
	op.Stop()
	return all
}

func deployment(w *controltest.World, copilot string) *appsv1.Deployment {
	w.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: desired.Name(copilot)}}
	w.Get(d)
	return d
}

func imageOf(d *appsv1.Deployment) string { return d.Spec.Template.Spec.Containers[0].Image }

// on names the Copilots whose Deployment has the release's image, and among them those that are not available with it.
func on(w *controltest.World, all []*v1alpha1.Copilot, release string) (moved, unavailable []string) {
	w.Helper()
	for _, c := range all {
		d := deployment(w, c.Name)
		if imageOf(d) != image(release) {
			continue
		}
		moved = append(moved, c.Name)
		if d.Status.ObservedGeneration < d.Generation {
			unavailable = append(unavailable, c.Name)
		}
	}
	return moved, unavailable
}

// expectQuiet fails if the operator wrote anything.
func expectQuiet(w *controltest.World, op *controltest.Operator) {
	w.Helper()
	op.Rest()
	if writes := op.Writes(); len(writes) > 0 {
		w.Fatalf("nothing had to be written, and the operator wrote %v", writes)
	}
}

func want[T comparable](have, wanted T) error {
	if have != wanted {
		return fmt.Errorf("want %v, have %v", wanted, have)
	}
	return nil
}
