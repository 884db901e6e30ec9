// Package argocd runs the health scripts of config/argocd on the statuses that the operator writes.
package argocd

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

var now = metav1.NewTime(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))

// health runs the script of a kind on an object, as Argo CD does: the object is the global obj, the script returns a
// table.
func health(t *testing.T, kind string, o any) (is, message string) {
	t.Helper()
	raw, err := os.ReadFile("../../config/argocd/argocd-cm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cm corev1.ConfigMap
	if err := yaml.UnmarshalStrict(raw, &cm); err != nil {
		t.Fatal(err)
	}
	script := cm.Data["resource.customizations.health."+v1alpha1.GroupVersion.Group+"_"+kind]
	if script == "" {
		t.Fatalf("there is no script for %s", kind)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	l := lua.NewState()
	defer l.Close()
	l.SetGlobal("obj", value(l, fields))
	if err := l.DoString(script); err != nil {
		t.Fatal(err)
	}
	table, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		t.Fatalf("the script returned %v", l.Get(-1))
	}
	return table.RawGetString("status").String(), table.RawGetString("message").String()
}

// value turns what JSON decodes to into what a script sees.
func value(l *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case map[string]any:
		t := l.NewTable()
		for k, item := range v {
			t.RawSetString(k, value(l, item))
		}
		return t
	case []any:
		t := l.NewTable()
		for _, item := range v {
			t.Append(value(l, item))
		}
		return t
	case string:
		return lua.LString(v)
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	}
	return lua.LNil
}

func table() *routing.Table {
	return &routing.Table{Copilot: routing.Copilot{Name: "c"}, Channels: []routing.Channel{{Name: "web"}}}
}

func problem(kind, condition, reason string) routing.Problem {
	return routing.Problem{Object: routing.Object{Kind: kind, Name: "c"}, Condition: condition, Reason: reason, Field: "spec.f", Message: "mend it"}
}

func TestHealthOfCopilotAndChannel(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change     func(*status.CopilotObservation)
		want, says string
		channel    string
	}{
		"serves": {func(*status.CopilotObservation) {}, "Healthy", "Customers are served.", "Healthy"},
		"a reference": {func(o *status.CopilotObservation) {
			o.Problems = []routing.Problem{problem("Copilot", "ResolvedRefs", "NotFound")}
		}, "Healthy", "mend it", "Healthy"},
		"no pod yet":    {func(o *status.CopilotObservation) { o.Acks, o.Available, o.RolledOut = nil, 0, false }, "Progressing", "", "Progressing"},
		"being updated": {func(o *status.CopilotObservation) { o.RolledOut = false }, "Progressing", "rolled out", "Healthy"},
		"a pod fails": {func(o *status.CopilotObservation) {
			o.Acks, o.Available, o.RolledOut, o.Troubles = nil, 0, false, []string{"no image"}
		}, "Degraded", "no image", "Degraded"},
		"a child fails": {func(o *status.CopilotObservation) { o.ApplyError = errors.New("exceeded quota") }, "Progressing", "exceeded quota", "Healthy"},
		"a mistake": {func(o *status.CopilotObservation) {
			o.Table, o.Problems = nil, []routing.Problem{problem("Copilot", "Accepted", "Invalid")}
		}, "Degraded", "mend it", "Progressing"},
		"a refused table": {func(o *status.CopilotObservation) { o.Acks[0].Refused, o.Acks[0].Revision = o.Acks[0].Revision, "old" }, "Degraded", "refused", "Degraded"},
		"scaled to zero":  {func(o *status.CopilotObservation) { o.Desired, o.Available, o.Pods = 0, 0, nil }, "Suspended", "0 replicas", "Progressing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := status.CopilotObservation{
				Table: table(), Pods: []string{"p"}, Acks: []v1alpha1.ReplicaStatus{{Name: "p", Revision: routing.Revision(table())}},
				Desired: 1, Available: 1, RolledOut: true, Reachable: true,
			}
			tc.change(&o)
			c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "c", Generation: 2}}
			c.Status = status.Copilot(c, o, now)
			if is, says := health(t, "Copilot", c); is != tc.want || !strings.Contains(says, tc.says) {
				t.Errorf("the Copilot is %s: %s", is, says)
			}
			ch := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "web", Generation: 1}, Spec: v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypeWeb}}
			ch.Spec.CopilotRef.Name = "c"
			of := status.ChannelObservation{Copilot: c, Table: o.Table}
			if of.Table != nil {
				of.Revision = routing.Revision(of.Table)
			}
			ch.Status = status.Channel(ch, of, now)
			if is, says := health(t, "Channel", ch); is != tc.channel {
				t.Errorf("its Channel is %s: %s", is, says)
			}
			c.Generation++
			if is, _ := health(t, "Copilot", c); is != "Progressing" {
				t.Errorf("a spec that nobody looked at is %s", is)
			}
		})
	}
}

func TestHealthOfPolicyAndPool(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		o    status.UseObservation
		want string
	}{
		"in use": {status.UseObservation{Copilots: []string{"c"}}, "Healthy"},
		"unused": {status.UseObservation{}, "Healthy"},
		"a mistake": {status.UseObservation{Problems: []routing.Problem{
			problem("HandoffPolicy", "Accepted", "Invalid"), problem("AgentPool", "Accepted", "Invalid")}}, "Degraded"},
		"something is missing": {status.UseObservation{Problems: []routing.Problem{
			problem("HandoffPolicy", "ResolvedRefs", "NotFound"), problem("AgentPool", "ResolvedRefs", "NotFound")}}, "Progressing"},
	} {
		policy := &v1alpha1.HandoffPolicy{ObjectMeta: metav1.ObjectMeta{Name: "c", Generation: 1}}
		policy.Status = status.HandoffPolicy(policy, tc.o, now)
		if is, says := health(t, "HandoffPolicy", policy); is != tc.want {
			t.Errorf("%s: the policy is %s: %s", name, is, says)
		}
		pool := &v1alpha1.AgentPool{ObjectMeta: metav1.ObjectMeta{Name: "c", Generation: 1}}
		pool.Status = status.AgentPool(pool, tc.o, now)
		if is, says := health(t, "AgentPool", pool); is != tc.want {
			t.Errorf("%s: the pool is %s: %s", name, is, says)
		}
	}
	if is, _ := health(t, "AgentPool", &v1alpha1.AgentPool{}); is != "Progressing" {
		t.Errorf("without any status: %s", is)
	}
}

func TestHealthOfRoutingTable(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		replicas []v1alpha1.ReplicaStatus
		want     string
	}{
		"nobody":       {nil, "Progressing"},
		"one of two":   {[]v1alpha1.ReplicaStatus{{Name: "a", Revision: "r"}, {Name: "b", Revision: "old"}}, "Progressing"},
		"both":         {[]v1alpha1.ReplicaStatus{{Name: "a", Revision: "r"}, {Name: "b", Revision: "r"}}, "Healthy"},
		"refused":      {[]v1alpha1.ReplicaStatus{{Name: "a", Revision: "old", Refused: "r", Message: "too new"}}, "Degraded"},
		"refused once": {[]v1alpha1.ReplicaStatus{{Name: "a", Revision: "r", Refused: "older"}}, "Healthy"},
	} {
		rt := &v1alpha1.RoutingTable{Spec: v1alpha1.RoutingTableSpec{Revision: "r"}, Status: v1alpha1.RoutingTableStatus{Replicas: tc.replicas}}
		if is, says := health(t, "RoutingTable", rt); is != tc.want {
			t.Errorf("%s: %s: %s", name, is, says)
		}
	}
}
