package routing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// large is a snapshot of pools × agents: every agent has two skills, every tenth hours of their own, every pool hours
// and closures in a zone whose clocks change.
func large(pools, agents int) routing.Snapshot {
	week := []v1alpha1.WeeklyWindow{
		{Days: []v1alpha1.Weekday{"Mon", "Tue", "Wed", "Thu", "Fri"}, TimeRange: v1alpha1.TimeRange{From: "08:00", To: "12:30"}},
		{Days: []v1alpha1.Weekday{"Mon", "Tue", "Wed", "Thu", "Fri"}, TimeRange: v1alpha1.TimeRange{From: "13:00", To: "18:00"}},
	}
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "default", Name: name} }
	s := routing.Snapshot{
		Copilot: &v1alpha1.Copilot{ObjectMeta: meta("shop"), Spec: v1alpha1.CopilotSpec{PolicyRef: &v1alpha1.LocalRef{Name: "all"}}},
		Policy:  &v1alpha1.HandoffPolicy{ObjectMeta: meta("all")},
		Pools:   map[string]*v1alpha1.AgentPool{},
	}
	for i := range pools {
		pool := &v1alpha1.AgentPool{ObjectMeta: meta(fmt.Sprintf("pool-%d", i)), Spec: v1alpha1.AgentPoolSpec{
			TimeZone: "Europe/Berlin", Hours: week, Closures: []v1alpha1.Closure{{Date: "2026-12-25"}, {Date: "2027-01-01"}},
		}}
		issue := v1alpha1.Name(fmt.Sprintf("issue-%d", i))
		for j := range agents {
			a := v1alpha1.Agent{
				Name: v1alpha1.Name(fmt.Sprintf("agent-%d", j)), Email: v1alpha1.EmailAddress(fmt.Sprintf("agent-%d-%d@shop.example", i, j)),
				Skills: []v1alpha1.Skill{{IssueType: issue, Level: int32(j%5 + 1)}, {IssueType: "issue-0"}},
			}
			if i == 0 {
				a.Skills = a.Skills[:1]
			}
			if j%10 == 0 {
				a.Hours = week[1:]
			}
			pool.Spec.Agents = append(pool.Spec.Agents, a)
		}
		s.Pools[pool.Name] = pool
		s.Policy.Spec.IssueTypes = append(s.Policy.Spec.IssueTypes, v1alpha1.IssueType{Name: issue})
		s.Policy.Spec.Routes = append(s.Policy.Spec.Routes, v1alpha1.Route{
			Name: issue, Match: &v1alpha1.RouteMatch{IssueTypes: []v1alpha1.Name{issue}},
			Targets: []v1alpha1.Target{{Type: v1alpha1.TargetTypePool, Pool: &v1alpha1.PoolTarget{Name: pool.Name}}},
		})
	}
	s.Policy.Spec.Routes[pools-1].Match = nil
	return s
}

func TestTableTooLarge(t *testing.T) {
	t.Parallel()
	fits, problems := routing.Compile(large(50, 100))
	if fits == nil || len(problems) > 0 {
		t.Fatalf("50 pools of 100 agents do not fit: %v", problems)
	}
	s := large(50, 200)
	s.Pools["pool-7"].Spec.Agents = slices.Delete(s.Pools["pool-7"].Spec.Agents, 0, 1)
	s.Copilot.Spec.Instructions = strings.Repeat("Be brief. ", 1600)
	table, problems := routing.Compile(s)
	if table != nil || len(problems) != 1 {
		t.Fatalf("a table above the limit: %v, problems %v", table != nil, problems)
	}
	p := problems[0]
	if p.Object.Kind != "Copilot" || p.Condition != v1alpha1.ConditionAccepted || !strings.Contains(p.Message, "may take 1048576: use fewer or smaller pools; AgentPool pool-0 is the largest, with 200 agents") {
		t.Errorf("problem: %v", p)
	}
}

func TestRefsAndInputs(t *testing.T) {
	t.Parallel()
	s := load(t, "testdata/full.in.yaml")
	secrets, configMaps, pools := routing.Refs(s.Copilot, s.Channels, s.Policy)
	want := map[string][]string{
		"model": {"apiKey"}, "intercom": {"secret", "token"}, "zendesk": {"token"}, "hook": {"secret"}, "oidc": {"secret"}, "db": {"uri"}, "pull": nil,
		"tls": {"tls.crt", "tls.key"}, "web": {"jwt"}, "twilio": {"sid", "token"}, "mail": {"password", "username"}, "dkim": {"private.pem"},
	}
	if diff := cmp.Diff(want, secrets) + cmp.Diff([]string{"shop-faq"}, configMaps) + cmp.Diff([]string{"team"}, pools); diff != "" {
		t.Errorf("Refs (-want +got):\n%s", diff)
	}
	table, _ := routing.Compile(s)
	runtimeSecrets, runtimeConfigMaps := table.Inputs()
	if diff := cmp.Diff([]string{"db", "hook", "model", "web"}, runtimeSecrets) + cmp.Diff([]string{"shop-faq"}, runtimeConfigMaps); diff != "" {
		t.Errorf("Inputs (-want +got):\n%s", diff)
	}
	if secrets, configMaps, pools := routing.Refs(nil, nil, nil); len(secrets)+len(configMaps)+len(pools) > 0 {
		t.Errorf("nothing names %v %v %v", secrets, configMaps, pools)
	}
}

// BenchmarkCompile compiles 50 pools of 100 agents; the floor copies the same objects.
func BenchmarkCompile(b *testing.B) {
	s := large(50, 100)
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			routing.Compile(s)
		}
	})
	b.Run("floor-copy", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Policy.DeepCopy()
			for _, p := range s.Pools {
				p.DeepCopy()
			}
		}
	})
}

// BenchmarkTable asks a table of 50 pools of 100 agents.
func BenchmarkTable(b *testing.B) {
	table, _ := routing.Compile(large(50, 100))
	now := time.Date(2026, 6, 3, 12, 0, 0, 0, time.UTC)
	f := routing.Facts{IssueType: "issue-49", ChannelType: v1alpha1.ChannelTypeWeb, Language: "en"}
	r := table.Route(f)
	for name, ask := range map[string]func(){
		"candidates":     func() { table.Candidates(r, f, time.Minute, now) },
		"pool-edge":      func() { table.PoolEdge("pool-49", now) },
		"revision":       func() { routing.Revision(table) },
		"agent-by-email": func() { table.AgentByEmail("agent-49-99@shop.example") },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
		})
	}
}
