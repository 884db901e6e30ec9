package metrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	status := func(is metav1.ConditionStatus, reason string) v1alpha1.CommonStatus {
		return v1alpha1.CommonStatus{Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: is, Reason: reason}}}
	}
	name := func(n string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "shop", Name: n} }
	c := objects{
		&v1alpha1.Copilot{ObjectMeta: name("serves"), Status: v1alpha1.CopilotStatus{CommonStatus: status(metav1.ConditionTrue, "Ready")}},
		&v1alpha1.Copilot{ObjectMeta: name("new")},
		&v1alpha1.Channel{ObjectMeta: name("web"), Status: v1alpha1.ChannelStatus{CommonStatus: status(metav1.ConditionFalse, "Taken")}},
		&v1alpha1.HandoffPolicy{ObjectMeta: name("usual"), Status: v1alpha1.HandoffPolicyStatus{CommonStatus: status(metav1.ConditionUnknown, "Pending")}},
		&v1alpha1.AgentPool{ObjectMeta: name("desk"), Status: v1alpha1.AgentPoolStatus{CommonStatus: status(metav1.ConditionTrue, "Unused")}},
	}
	want := []string{
		"kind=AgentPool object_name=desk object_namespace=shop reason=Unused 1",
		"kind=Channel object_name=web object_namespace=shop reason=Taken 0",
		"kind=Copilot object_name=new object_namespace=shop reason=Pending 0",
		"kind=Copilot object_name=serves object_namespace=shop reason=Ready 1",
		"kind=HandoffPolicy object_name=usual object_namespace=shop reason=Pending 0",
	}
	if diff := cmp.Diff(want, gather(t, readiness{c})); diff != "" {
		t.Errorf("-want +have:\n%s", diff)
	}
}

// gather returns what a collector has: labels and value, or sum and count of a histogram.
func gather(t *testing.T, c prometheus.Collector) (lines []string) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			line := ""
			for _, l := range m.GetLabel() {
				line += l.GetName() + "=" + l.GetValue() + " "
			}
			if h := m.GetHistogram(); h != nil {
				line += fmt.Sprintf("sum %v count %d", h.GetSampleSum(), h.GetSampleCount())
			} else {
				line += fmt.Sprint(m.GetGauge().GetValue())
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// objects stand for the informers' cache.
type objects []client.Object

// Get is not used.
func (objects) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("not used")
}

// List fills the list with the objects of its kind.
func (o objects) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	for _, object := range o {
		switch l := list.(type) {
		case *v1alpha1.CopilotList:
			l.Items = add(l.Items, object)
		case *v1alpha1.ChannelList:
			l.Items = add(l.Items, object)
		case *v1alpha1.HandoffPolicyList:
			l.Items = add(l.Items, object)
		case *v1alpha1.AgentPoolList:
			l.Items = add(l.Items, object)
		case *appsv1.DeploymentList:
			l.Items = add(l.Items, object)
		}
	}
	return nil
}

// add appends the object if it is a T.
func add[T any](items []T, object client.Object) []T {
	if o, ok := object.(any).(*T); ok {
		items = append(items, *o)
	}
	return items
}

// table is a RoutingTable whose replicas acknowledged the revisions.
func table(revision string, acknowledged ...string) *v1alpha1.RoutingTable {
	t := &v1alpha1.RoutingTable{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "bikes-handoff"}}
	t.Spec.Revision = revision
	for _, r := range acknowledged {
		t.Status.Replicas = append(t.Status.Replicas, v1alpha1.ReplicaStatus{Revision: r})
	}
	return t
}

func TestAcknowledgements(t *testing.T) {
	t.Parallel()
	gone := func(a *acknowledgements) { a.remove(toolscache.DeletedFinalStateUnknown{Obj: table("2", "1")}) }
	for name, c := range map[string]struct {
		// seen are the states of a table, a second apart; nil stands for its deletion.
		seen []*v1alpha1.RoutingTable
		want string
	}{
		"acknowledged": {
			[]*v1alpha1.RoutingTable{table("1", "1"), table("2", "1"), table("2", "2")},
			"sum 1 count 1"},
		"by every replica": {
			[]*v1alpha1.RoutingTable{table("1", "1", "1"), table("2", "1", "1"), table("2", "2", "1"), table("2", "2", "2")},
			"sum 2 count 1"},
		"from the oldest that waits": {
			[]*v1alpha1.RoutingTable{table("1", "1"), table("2", "1"), table("3", "1"), table("3", "2"), table("3", "3")},
			"sum 3 count 1"},
		"not the start of a pod": {
			[]*v1alpha1.RoutingTable{table("1"), table("2"), table("2", "2")}, "sum 0 count 0"},
		"not a pod that ended meanwhile": {
			[]*v1alpha1.RoutingTable{table("1", "1"), table("2", "1"), table("2"), table("2", "2")}, "sum 0 count 0"},
		"not a table that went": {
			[]*v1alpha1.RoutingTable{table("1", "1"), table("2", "1"), nil, table("2", "1"), table("2", "2")}, "sum 0 count 0"},
		"not twice": {
			[]*v1alpha1.RoutingTable{table("1", "1"), table("2", "1"), table("2", "2"), table("2", "2")}, "sum 1 count 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var now time.Time
			a := newAcknowledgements(func() time.Time { return now })
			before := c.seen[0]
			for _, next := range c.seen[1:] {
				now = now.Add(time.Second)
				if next == nil {
					gone(a)
					continue
				}
				a.update(before, next)
				before = next
			}
			if have := gather(t, a.seconds); !slices.Equal(have, []string{c.want}) {
				t.Errorf("want %s, have %s", c.want, have)
			}
		})
	}
}
