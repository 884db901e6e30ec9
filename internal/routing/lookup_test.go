package routing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// monday noon, in UTC, when "days" works and "nights" does not.
var monday = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func lasting(d time.Duration) metav1.Duration { return metav1.Duration{Duration: d} }

func pool(name string, hours []Window, agents ...Agent) Pool {
	return Pool{
		Name: name, TimeZone: "UTC", Hours: hours, Strategy: v1alpha1.StrategyBalanced, OfferTimeout: lasting(45 * time.Second),
		Costs: map[v1alpha1.ChannelType]int{v1alpha1.ChannelTypeWeb: 1, v1alpha1.ChannelTypePhone: 4}, Agents: agents,
	}
}

func agent(name string, capacity int, languages string, skills map[string]int) Agent {
	return Agent{
		Name: name, DisplayName: name, Email: name + "@shop.example", Capacity: capacity,
		Languages: strings.Fields(languages), Skills: skills,
	}
}

// shop has agents by day, by night, one with hours of her own, and one who is in two pools.
func shop() *Table {
	day := []Window{{Days: weekdays, From: 8 * 60, To: 18 * 60}}
	night := []Window{{Days: weekdays, From: 0, To: 8 * 60}, {Days: weekdays, From: 18 * 60, To: dayMinutes}}
	early := agent("eve", 2, "de", map[string]int{"billing": 5})
	early.Hours = []Window{{Days: weekdays, From: 6 * 60, To: 10 * 60}}
	return &Table{
		FormatVersion: 1, Copilot: Copilot{Namespace: "default", Name: "shop", Language: "en"},
		Policy: &Policy{},
		Pools: []Pool{
			pool("days", day, agent("ann", 4, "de en-GB", map[string]int{"billing": 5, "technical": 1}), agent("bo", 2, "", map[string]int{"technical": 4}),
				agent("cy", 4, "fr", nil), early),
			pool("nights", night, agent("dan", 4, "en", nil)),
			pool("seniors", nil, agent("ann", 4, "de en-GB", map[string]int{"billing": 5}), agent("zoe", 4, "en", nil)),
		},
	}
}

func route(targets ...Target) *Route { return &Route{Name: "r", Targets: targets} }

// brief writes candidates as "ring:name/level", with "!" for one who does not speak the customer's language.
func brief(list []Candidate) string {
	var out []string
	for _, c := range list {
		s := fmt.Sprintf("%d:%s/%d", c.Ring, c.Name, c.Level)
		if !c.SpeaksLanguage {
			s += "!"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	minute := lasting(time.Minute)
	for name, c := range map[string]struct {
		route  *Route
		facts  Facts
		waited time.Duration
		now    time.Time
		want   string
	}{
		"on shift by address":                     {route: route(Target{Pool: "days"}), want: "0:ann/0 0:bo/0 0:cy/0"},
		"best level first":                        {route: route(Target{Pool: "days"}), facts: Facts{IssueType: "technical"}, want: "0:bo/4 0:ann/1 0:cy/0"},
		"a minimum level":                         {route: route(Target{Pool: "days", MinLevel: 1}), facts: Facts{IssueType: "technical"}, want: "0:bo/4 0:ann/1"},
		"no type of issue ignores the level":      {route: route(Target{Pool: "days", MinLevel: 3}), want: "0:ann/0 0:bo/0 0:cy/0"},
		"speakers, and who speaks any":            {route: route(Target{Pool: "days"}), facts: Facts{Language: "fr"}, want: "0:bo/0 0:cy/0"},
		"a region does not matter":                {route: route(Target{Pool: "days"}), facts: Facts{Language: "en-US"}, want: "0:ann/0 0:bo/0"},
		"nobody speaks it: everybody is asked":    {route: route(Target{Pool: "seniors"}), facts: Facts{Language: "fr"}, want: "0:ann/0! 0:zoe/0!"},
		"own hours replace the pool's":            {route: route(Target{Pool: "days"}), now: monday.Add(-5 * time.Hour), want: "0:eve/0"},
		"the second ring waits":                   {route: route(Target{Pool: "days", For: minute}, Target{Pool: "seniors"}), waited: 59 * time.Second, want: "0:ann/0 0:bo/0 0:cy/0"},
		"then opens beside the first":             {route: route(Target{Pool: "days", For: minute}, Target{Pool: "seniors"}), waited: time.Minute, want: "0:ann/0 0:bo/0 0:cy/0 1:zoe/0"},
		"a ring for ever opens no other":          {route: route(Target{Pool: "days"}, Target{Pool: "seniors"}), waited: time.Hour, want: "0:ann/0 0:bo/0 0:cy/0"},
		"nobody on shift is skipped at once":      {route: route(Target{Pool: "nights", For: minute}, Target{Pool: "seniors"}), want: "1:ann/0 1:zoe/0"},
		"even when it would last for ever":        {route: route(Target{Pool: "nights"}, Target{Pool: "seniors"}), want: "1:ann/0 1:zoe/0"},
		"nobody able is skipped at once":          {route: route(Target{Pool: "days", MinLevel: 5}, Target{Pool: "days"}), facts: Facts{IssueType: "technical"}, want: "1:bo/4 1:ann/1 1:cy/0"},
		"times of rings add up":                   {route: route(Target{Pool: "days", MinLevel: 5, For: minute}, Target{Pool: "days", For: minute}, Target{Pool: "seniors"}), facts: Facts{IssueType: "billing"}, waited: 119 * time.Second, want: "0:ann/5 1:bo/0 1:cy/0"},
		"and the third opens after both":          {route: route(Target{Pool: "days", MinLevel: 5, For: minute}, Target{Pool: "days", For: minute}, Target{Pool: "seniors"}), facts: Facts{IssueType: "billing"}, waited: 2 * time.Minute, want: "0:ann/5 1:bo/0 1:cy/0 2:zoe/0"},
		"a helpdesk has nobody":                   {route: route(Target{Helpdesk: "zendesk", For: minute}, Target{Pool: "seniors"}), want: "1:ann/0 1:zoe/0"},
		"no route, nobody":                        {want: ""},
		"closing time is the end of the last one": {route: route(Target{Pool: "days"}), now: monday.Add(6 * time.Hour), want: ""},
	} {
		now := c.now
		if now.IsZero() {
			now = monday
		}
		if got := brief(shop().Candidates(c.route, c.facts, c.waited, now)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestCandidateHasTheSettingsOfItsPool(t *testing.T) {
	t.Parallel()
	got := shop().Candidates(route(Target{Pool: "days"}), Facts{ChannelType: v1alpha1.ChannelTypePhone}, 0, monday)
	want := Candidate{
		Email: "bo@shop.example", Name: "bo", DisplayName: "bo", Pool: "days", Capacity: 2, Cost: 2, // 4 units, but never more than all
		Strategy: v1alpha1.StrategyBalanced, OfferTimeout: 45 * time.Second, SpeaksLanguage: true,
	}
	if diff := cmp.Diff(want, got[1]); diff != "" {
		t.Errorf("candidate (-want +got):\n%s", diff)
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	table := shop()
	table.Policy.Routes = []Route{
		{Name: "all-lists", IssueTypes: []string{"billing"}, ChannelTypes: []v1alpha1.ChannelType{"Web"}, Channels: []string{"w1", "w2"}, Languages: []string{"pt-BR", "en"}, Reasons: []v1alpha1.HandoffReason{"Rule"}},
		{Name: "portuguese", Languages: []string{"pt"}},
		{Name: "brazil", Languages: []string{"pt-BR"}},
		{Name: "rest"},
		{Name: "never"},
	}
	all := Facts{IssueType: "billing", ChannelType: "Web", Channel: "w2", Language: "en-GB", Reason: "Rule"}
	for want, facts := range map[string][]Facts{
		"all-lists":  {all},
		"portuguese": {{Language: "pt"}, {Language: "pt-BR"}, {Language: "PT-br"}},
		"rest": {
			{}, {Language: "ptx"}, with(all, func(f *Facts) { f.IssueType = "" }), with(all, func(f *Facts) { f.ChannelType = "Email" }),
			with(all, func(f *Facts) { f.Channel = "w3" }), with(all, func(f *Facts) { f.Language = "" }), with(all, func(f *Facts) { f.Reason = "TurnLimit" }),
		},
	} {
		for _, f := range facts {
			if got := table.Route(f); got == nil || got.Name != want {
				t.Errorf("Route(%+v) = %v, want %s", f, got, want)
			}
		}
	}
	table.Policy.Routes = table.Policy.Routes[:2]
	if got := table.Route(Facts{Language: "de"}); got != nil {
		t.Errorf("no route matches, but got %s", got.Name)
	}
	table.Policy = nil
	if got := table.Route(Facts{}); got != nil {
		t.Errorf("no policy, but got %s", got.Name)
	}
}

func with(f Facts, change func(*Facts)) Facts {
	change(&f)
	return f
}

func TestClosed(t *testing.T) {
	t.Parallel()
	table := shop()
	for _, c := range []struct {
		route  *Route
		closed bool
	}{
		{route(Target{Pool: "nights"}), true},
		{route(Target{Pool: "nights"}, Target{Pool: "days", MinLevel: 5}), false},
		{route(Target{Helpdesk: "zendesk"}), true},
		{route(), true},
		{nil, true},
	} {
		if got := table.Closed(c.route, monday); got != c.closed {
			t.Errorf("Closed(%+v) = %v", c.route, got)
		}
	}
}

func TestFindByEmailAndToken(t *testing.T) {
	t.Parallel()
	table := shop()
	table.Channels = []Channel{{Name: "w", Type: "Web", Web: &WebChannel{Token: "tok-12345"}}}
	if a, ok := table.AgentByEmail("ZOE@shop.example"); !ok || a.Name != "zoe" {
		t.Errorf("AgentByEmail: %v %v", a, ok)
	}
	if _, ok := table.AgentByEmail("nobody@shop.example"); ok {
		t.Error("AgentByEmail finds nobody")
	}
	if ch := table.ChannelByToken("tok-12345"); ch == nil || ch.Name != "w" {
		t.Errorf("ChannelByToken: %v", ch)
	}
	if ch := table.ChannelByToken(""); ch != nil {
		t.Errorf("no token finds %v", ch)
	}
}

// TestPoolEdgeMissesNothing: who can be offered what a pool works changes by time at the pool's edges only, at any
// minute of two days, with closed days, night shifts and agents with hours of their own.
func TestPoolEdgeMissesNothing(t *testing.T) {
	t.Parallel()
	table := shop()
	for _, pool := range []string{"days", "nights", "seniors"} {
		r := route(Target{Pool: pool})
		was, next, ok := "", time.Time{}, true
		for m := monday.Add(-24 * time.Hour); m.Before(monday.Add(24 * time.Hour)); m = m.Add(time.Minute) {
			got := brief(table.Candidates(r, Facts{}, 0, m))
			if atEdge := ok && !m.Before(next); atEdge {
				if next, ok = table.PoolEdge(pool, m); ok && !next.After(m) {
					t.Fatalf("%s: the edge after %s is %s", pool, m, next)
				}
			} else if got != was {
				t.Fatalf("%s at %s: %q became %q before the edge %s %v", pool, m, was, got, next, ok)
			}
			was = got
		}
	}
}

func TestPoolEdge(t *testing.T) {
	t.Parallel()
	table := shop()
	for _, c := range []struct {
		pool     string
		at, want time.Duration
	}{
		{"days", 0, 6 * time.Hour},               // closes at 18:00
		{"days", -3 * time.Hour, -2 * time.Hour}, // eve's end at 10:00
	} {
		if got, ok := table.PoolEdge(c.pool, monday.Add(c.at)); !ok || !got.Equal(monday.Add(c.want)) {
			t.Errorf("%s after %s: %s %v, want %s", c.pool, monday.Add(c.at), got, ok, monday.Add(c.want))
		}
	}
	for _, never := range []string{"seniors", "nobody's"} {
		if got, ok := table.PoolEdge(never, monday); ok {
			t.Errorf("%s has no edge, but got %s", never, got)
		}
	}
	table.Pools[0].Suspended = true
	if got, ok := table.PoolEdge(table.Pools[0].Name, monday); ok {
		t.Errorf("a suspended pool has the edge %s", got)
	}
}
