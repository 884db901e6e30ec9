package docs

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// reasons holds "Condition reason" for each kind.
type reasons map[string]map[string]bool

func (r reasons) add(kind, condition, reason string) {
	if r[kind] == nil {
		r[kind] = map[string]bool{}
	}
	r[kind][condition+" "+reason] = true
}

func (r reasons) conditions(kind string, list []metav1.Condition) {
	for _, c := range list {
		r.add(kind, c.Type, c.Reason)
	}
}

// produced is what the code says of objects: of every mistake that the compiler's golden files have, and in every
// combination of what can be observed of a Copilot.
func produced(t *testing.T) reasons {
	t.Helper()
	out := reasons{}
	for _, p := range goldenProblems(t) {
		out.add(p.Object.Kind, p.Condition, p.Reason)
	}
	host := &v1alpha1.Copilot{Spec: v1alpha1.CopilotSpec{Exposure: &v1alpha1.Exposure{Type: v1alpha1.ExposureGateway, Host: "x"}}}
	_, problems := routing.Compile(routing.Snapshot{Copilot: host, HostHolder: "a/b"})
	for _, p := range append(problems, desired.Missing(host, desired.Platform{})...) {
		out.add("Copilot", p.Condition, p.Reason)
	}
	for mask := range 1 << len(states) {
		o := serving()
		for i, change := range states {
			if mask&(1<<i) != 0 {
				change(&o)
			}
		}
		c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "c"}}
		c.Status = status.Copilot(c, o, metav1.Time{})
		out.conditions("Copilot", c.Status.Conditions)
		for _, kind := range []v1alpha1.ChannelType{v1alpha1.ChannelTypeWeb, v1alpha1.ChannelTypePhone} {
			of := status.ChannelObservation{Copilot: c, Table: o.Table, Revision: c.Status.TableRevision}
			out.conditions("Channel", status.Channel(channel(kind), of, metav1.Time{}).Conditions)
		}
	}
	for _, condition := range []string{"", v1alpha1.ConditionAccepted, v1alpha1.ConditionResolvedRefs} {
		problems := func(kind string) []routing.Problem {
			return []routing.Problem{{Object: routing.Object{Kind: kind, Name: "c"}, Condition: condition, Reason: v1alpha1.ReasonNotFound}}
		}
		out.conditions("Channel", status.Channel(channel(v1alpha1.ChannelTypeWeb), status.ChannelObservation{Problems: problems("Channel")}, metav1.Time{}).Conditions[3:])
		for _, users := range [][]string{nil, {"a"}, {"a", "b"}} {
			policy, pool := &v1alpha1.HandoffPolicy{}, &v1alpha1.AgentPool{}
			policy.Name, pool.Name = "c", "c"
			o := status.UseObservation{Copilots: users, Problems: problems("HandoffPolicy")}
			out.conditions("HandoffPolicy", withoutFaults(status.HandoffPolicy(policy, o, metav1.Time{}).Conditions))
			if condition != v1alpha1.ConditionResolvedRefs { // a pool names nothing
				o.Problems = problems("AgentPool")
				out.conditions("AgentPool", withoutFaults(status.AgentPool(pool, o, metav1.Time{}).Conditions))
			}
		}
	}
	return out
}

// withoutFaults leaves out conditions with the reason of a made-up problem: the golden files have the real ones.
func withoutFaults(list []metav1.Condition) []metav1.Condition {
	return slices.DeleteFunc(list, func(c metav1.Condition) bool {
		return c.Status == metav1.ConditionFalse && (c.Type == v1alpha1.ConditionAccepted || c.Type == v1alpha1.ConditionResolvedRefs)
	})
}

func channel(kind v1alpha1.ChannelType) *v1alpha1.Channel {
	ch := &v1alpha1.Channel{Spec: v1alpha1.ChannelSpec{Type: kind}}
	ch.Name = "c"
	return ch
}

func serving() status.CopilotObservation {
	table := &routing.Table{}
	return status.CopilotObservation{
		Table: table, Pods: []string{"p"}, Acks: []v1alpha1.ReplicaStatus{{Name: "p", Revision: routing.Revision(table)}},
		Desired: 1, Available: 1, RolledOut: true, Reachable: true, Upgrade: status.Upgrade{Known: true},
	}
}

// states are what can be amiss or under way.
var states = []func(*status.CopilotObservation){
	func(o *status.CopilotObservation) { o.Table = nil },
	func(o *status.CopilotObservation) { o.Acks = nil },
	func(o *status.CopilotObservation) {
		o.Acks = []v1alpha1.ReplicaStatus{{Name: "p", Refused: routing.Revision(&routing.Table{})}}
	},
	func(o *status.CopilotObservation) {
		for i := range o.Acks {
			o.Acks[i].StorageError = "away"
		}
	},
	func(o *status.CopilotObservation) { o.Available = 0 },
	func(o *status.CopilotObservation) { o.Desired = 0 },
	func(o *status.CopilotObservation) { o.Reachable = false },
	func(o *status.CopilotObservation) { o.RolledOut = false },
	func(o *status.CopilotObservation) { o.Troubles = []string{"no image"} },
	func(o *status.CopilotObservation) { o.ApplyError = errors.New("quota") },
	func(o *status.CopilotObservation) { o.Upgrade.Held = true },
	func(o *status.CopilotObservation) { o.Upgrade.Waiting = true },
}

func goldenProblems(t *testing.T) []routing.Problem {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "internal/routing/testdata/*.out.yaml"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden files: %v", len(files), err)
	}
	var out []routing.Problem
	for _, f := range files {
		var golden struct {
			Problems []routing.Problem `json:"problems"`
		}
		if err := yaml.Unmarshal([]byte(read(t, "internal/routing/testdata/"+filepath.Base(f))), &golden); err != nil {
			t.Fatal(err)
		}
		out = append(out, golden.Problems...)
	}
	return out
}

var (
	row  = regexp.MustCompile(`(?m)^\| ([A-Z]\w+) \| ([^|]+) \|`)
	word = regexp.MustCompile("`([A-Z]\\w+)`")
)

// TestReasonsOfEachKind: a kind's page explains every reason that each of its conditions can have, and no other. The
// abnormal-true ones are explained for all kinds on one page.
func TestReasonsOfEachKind(t *testing.T) {
	t.Parallel()
	code := produced(t)
	for kind, page := range map[string]string{"Copilot": "copilot", "Channel": "channel", "HandoffPolicy": "handoffpolicy", "AgentPool": "agentpool"} {
		explained := map[string]bool{}
		for _, m := range row.FindAllStringSubmatch(read(t, "docs/kinds/"+page+".md"), -1) {
			for _, reason := range word.FindAllStringSubmatch(m[2], -1) {
				explained[m[1]+" "+reason[1]] = true
			}
		}
		for pair := range code[kind] {
			if !explained[pair] && !shared(pair) {
				t.Errorf("docs/kinds/%s.md does not explain %s", page, pair)
			}
		}
		for pair := range explained {
			if !code[kind][pair] {
				t.Errorf("docs/kinds/%s.md explains %s, which no %s has", page, pair, kind)
			}
		}
	}
}

var abnormal = regexp.MustCompile(`^(` + v1alpha1.ConditionReconciling + `|` + v1alpha1.ConditionStalled + `) `)

// shared says whether docs/kinds/conditions.md explains it.
func shared(pair string) bool { return abnormal.MatchString(pair) }
