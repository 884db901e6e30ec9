package controller_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// A namespace is deleted while the operator runs: its objects go in an order that nobody promises. The operator neither
// fails nor complains, and holds up nothing, since no object of its own has a finalizer.
func TestNamespaceGoesWhileTheOperatorRuns(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := controltest.New(t)
			op := w.Start()
			ready(w)
			op.Rest()
			before := told(w)
			// There is no namespace controller here: what it does is done below, and the namespace stays Terminating.
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.Namespace}}
			if err := w.Client.Delete(t.Context(), ns); err != nil {
				t.Fatal(err)
			}
			objects := w.Objects()
			rand.New(rand.NewPCG(seed, 0)).Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
			for i := range objects {
				o := &objects[i]
				if o.GetKind() != "PersistentVolumeClaim" && len(o.GetFinalizers()) > 0 { // the API server protects those
					t.Errorf("%s %s has finalizers %v", o.GetKind(), o.GetName(), o.GetFinalizers())
				}
				if err := w.Client.Delete(t.Context(), o); client.IgnoreNotFound(err) != nil {
					t.Fatal(err)
				}
				if seed > 0 { // else all at once
					op.Rest()
				}
			}
			op.Rest()
			if err := op.Failed(); err != nil {
				t.Errorf("a reconcile failed: %v", err)
			}
			if after := told(w); !maps.Equal(before, after) {
				t.Errorf("Events before %v, and now %v", before, after)
			}
			for _, o := range w.Objects() {
				if o.GetKind() != "PersistentVolumeClaim" && o.GetDeletionTimestamp() == nil {
					t.Errorf("%s %s is there again", o.GetKind(), o.GetName())
				}
			}
		})
	}
}
