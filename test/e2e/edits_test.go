//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

const (
	editedTenant = "../../config/samples/minimal.yaml"
	usualEdits   = 50
)

// TestEditedPool edits an AgentPool 50 times, or as often as E2E_EDITS says, one edit after the other, and waits until the
// running pod acknowledged each, without a restart. It reports the time from the write to the acknowledgement beside the
// time from the same write to its own watch event, which is the floor.
func TestEditedPool(t *testing.T) {
	edits := number(t, "E2E_EDITS", usualEdits)
	ns := namespace(t, "e2e-edit-")
	apply(t, ns, editedTenant)
	channelToken(t, ns, "bikes-web")
	podBefore := runtimePod(t, ns, "bikes")

	watcher, err := client.NewWithWatch(cluster.config, client.Options{Scheme: cluster.client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	pools := follow(t, watcher, &v1alpha1.AgentPoolList{}, ns)
	tables := follow(t, watcher, &v1alpha1.RoutingTableList{}, ns)

	var floor, acknowledged []time.Duration
	for i := range edits {
		name := fmt.Sprintf("Mara %d", i)
		begin := time.Now()
		editPool(t, ns, "workshop", name)
		seen := until(t, pools, func(o client.Object) bool {
			return o.(*v1alpha1.AgentPool).Spec.Agents[0].DisplayName == name
		})
		acked := until(t, tables, func(o client.Object) bool { return serves(o.(*v1alpha1.RoutingTable), name) })
		floor, acknowledged = append(floor, seen.Sub(begin)), append(acknowledged, acked.Sub(begin))
	}
	t.Logf("%d edits of an AgentPool\n  write → watch event   %s\n  write → acknowledged  %s", edits, quantiles(floor), quantiles(acknowledged))

	if after := runtimePod(t, ns, "bikes"); after.UID != podBefore.UID || restartsOf(after) != restartsOf(podBefore) {
		t.Errorf("the pod was restarted or replaced: %s with %d restarts, then %s with %d",
			podBefore.Name, restartsOf(podBefore), after.Name, restartsOf(after))
	}
}

// number is the value of an environment variable, or usual if it is not set.
func number(t *testing.T, variable string, usual int) int {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q; give a number of at least 1", variable, s)
	}
	return n
}

// editPool renames the pool's first agent.
func editPool(t *testing.T, ns, pool, displayName string) {
	t.Helper()
	patch := fmt.Appendf(nil, `[{"op": "add", "path": "/spec/agents/0/displayName", "value": %q}]`, displayName)
	p := &v1alpha1.AgentPool{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: pool}}
	if err := cluster.client.Patch(t.Context(), p, client.RawPatch("application/json-patch+json", patch)); err != nil {
		t.Fatal(err)
	}
}

// serves says whether every replica acknowledged a table that has the text.
func serves(rt *v1alpha1.RoutingTable, text string) bool {
	return bytes.Contains(rt.Spec.Table.Raw, []byte(`"`+text+`"`)) && len(rt.Status.Replicas) > 0 &&
		!slices.ContainsFunc(rt.Status.Replicas, func(r v1alpha1.ReplicaStatus) bool { return r.Revision != rt.Spec.Revision })
}

// moment is an object as it was seen, and when.
type moment struct {
	object client.Object
	at     time.Time
}

// follow watches the objects of a namespace and sends each as it comes.
func follow(t *testing.T, c client.WithWatch, list client.ObjectList, ns string) <-chan moment {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w, err := c.Watch(ctx, list, client.InNamespace(ns))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); w.Stop() })
	out := make(chan moment, 1024)
	go func() {
		defer close(out)
		for e := range w.ResultChan() {
			if o, ok := e.Object.(client.Object); ok && e.Type != watch.Error {
				out <- moment{o, time.Now()}
			}
		}
	}()
	return out
}

// until returns when an object was seen that is wanted.
func until(t *testing.T, seen <-chan moment, wanted func(client.Object) bool) time.Time {
	t.Helper()
	timeout := time.After(readiness)
	for {
		select {
		case m, ok := <-seen:
			if !ok {
				t.Fatal("the watch ended")
			}
			if wanted(m.object) {
				return m.at
			}
		case <-timeout:
			t.Fatalf("not seen within %s", readiness)
		}
	}
}

// runtimePod is the Copilot's only pod.
func runtimePod(t *testing.T, ns, copilot string) corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	if err := cluster.client.List(t.Context(), &pods, client.InNamespace(ns), client.MatchingLabels(desired.Selector(copilot))); err != nil {
		t.Fatal(err)
	}
	if len(pods.Items) != 1 {
		t.Fatalf("Copilot %s/%s has %d pods, not 1", ns, copilot, len(pods.Items))
	}
	return pods.Items[0]
}

func restartsOf(p corev1.Pod) int32 {
	var n int32
	for _, s := range p.Status.ContainerStatuses {
		n += s.RestartCount
	}
	return n
}

func quantiles(all []time.Duration) string {
	slices.Sort(all)
	at := func(q float64) time.Duration { return all[int(q*float64(len(all)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %s, p99 %s, worst %s", at(0.5), at(0.99), at(1))
}
