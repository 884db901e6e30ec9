package controller_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
)

// counting counts snapshots: each reads its Copilot's policy once.
type counting struct {
	client.Client
	snapshots atomic.Int32
}

// Get counts policies and passes on.
func (c *counting) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if _, ok := o.(*v1alpha1.HandoffPolicy); ok {
		c.snapshots.Add(1)
	}
	return c.Client.Get(ctx, key, o, opts...)
}

// TestSnapshotsDoNotGrowWithUsers: 50 Channels of a Copilot are judged with one snapshot, and a pool that 20 Copilots use
// through one policy with one.
func TestSnapshotsDoNotGrowWithUsers(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	b := tenant(w)
	for i := range 50 {
		w.ExpectCreated(&v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("web-%d", i)}, Spec: v1alpha1.ChannelSpec{
			CopilotRef: v1alpha1.LocalRef{Name: "bikes"}, Type: v1alpha1.ChannelTypeWeb,
		}})
	}
	for i := range 20 {
		w.ExpectCreated(&v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("shop-%d", i)}, Spec: v1alpha1.CopilotSpec{
			PolicyRef: &v1alpha1.LocalRef{Name: "bikes"},
		}})
	}
	op := w.Idle()
	reconcilers(w, op) // fills the caches
	counted := &counting{Client: op.Manager.GetClient()}
	all := controller.New(counted, op.Manager.GetAPIReader(), op.Manager.GetEventRecorder("test"), controltest.Options())

	if _, err := all.Channel.Reconcile(w.Context(), index.Request(w.Namespace, "bikes")); err != nil {
		t.Fatal(err)
	}
	if n := counted.snapshots.Swap(0); n != 1 {
		t.Errorf("50 Channels took %d snapshots of their Copilot", n)
	}
	last := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "web-49"}}
	w.ExpectAccepted(last)

	w.Get(b.pool)
	if _, err := all.AgentPool.Reconcile(w.Context(), b.pool); err != nil {
		t.Fatal(err)
	}
	if n := counted.snapshots.Load(); n != 1 {
		t.Errorf("a pool of 21 Copilots with one policy took %d snapshots", n)
	}
	if n := len(b.pool.Status.Copilots); n != 21 {
		t.Errorf("%d Copilots use the pool", n)
	}
}
