package routing

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Limits of one policy and its pools. Above them nothing is left out, but the object is not Accepted.
const (
	MaxAgents     = 200
	MaxPools      = 50
	MaxRoutes     = 50
	MaxIssueTypes = 50
)

const (
	defaultOfferTimeout = 45 * time.Second
	defaultCapacity     = 4
	defaultMissedOffers = 3
)

// CheckPool is what Compile finds wrong with an AgentPool by itself.
func CheckPool(p *v1alpha1.AgentPool) []Problem {
	_, problems := compilePool(p)
	return problems
}

// compilePool fills in defaults. A mistake costs as little as it can: an unreadable value counts as left out, a window,
// closure or agent that makes no sense is left out, and the pool is suspended where nobody could tell when it is open:
// its agents keep what they are working on.
func compilePool(p *v1alpha1.AgentPool) (*Pool, []Problem) {
	r := &report{object: Object{"AgentPool", p.Name}}
	out := &Pool{Name: p.Name, TimeZone: p.Spec.TimeZone}
	if out.TimeZone == "" {
		out.TimeZone = "UTC"
	}
	_, err := zone(out.TimeZone)
	if err != nil {
		r.invalid("spec.timeZone", "%q is %v; use a name such as Europe/Berlin or UTC. Until then nobody of this pool is offered anything", p.Spec.TimeZone, err)
	}
	out.Hours = r.windows("spec.hours", p.Spec.Hours)
	out.Closures = r.closures(p.Spec.Closures)
	capacity := r.assignment(out, p.Spec.Assignment)
	out.Agents = r.agents(p.Spec.Agents, capacity)
	if err != nil || len(p.Spec.Hours) > 0 && out.Hours == nil {
		out.Suspended, out.TimeZone = true, "UTC"
	}
	return out, r.list
}

// assignment fills in how work is spread, and returns the capacity of agents without one of their own.
func (r *report) assignment(out *Pool, a *v1alpha1.Assignment) int {
	if a == nil {
		a = &v1alpha1.Assignment{}
	}
	out.Strategy = oneOf(r, "spec.assignment.strategy", a.Strategy, v1alpha1.StrategyBalanced, v1alpha1.StrategyBalanced, v1alpha1.StrategyRoundRobin)
	out.OfferTimeout = metav1.Duration{Duration: r.within("spec.assignment.offerTimeout", a.OfferTimeout, "1s", "1h", defaultOfferTimeout)}
	out.Stickiness = metav1.Duration{Duration: r.within("spec.assignment.stickiness", a.Stickiness, "0s", "8760h", 0)}
	out.WrapUp = metav1.Duration{Duration: r.within("spec.assignment.wrapUp", a.WrapUp, "0s", "24h", 0)}
	out.MissedOffersUntilAway = r.between("spec.assignment.missedOffersUntilAway", a.MissedOffersUntilAway, 1, 100, defaultMissedOffers)
	capacity := r.between("spec.assignment.capacity", a.Capacity, 1, 100, defaultCapacity)
	costs := a.Costs
	if costs == nil {
		costs = &v1alpha1.ChannelCosts{}
	}
	out.Costs = map[v1alpha1.ChannelType]int{
		v1alpha1.ChannelTypeWeb:   r.between("spec.assignment.costs.web", costs.Web, 1, 100, 1),
		v1alpha1.ChannelTypeEmail: r.between("spec.assignment.costs.email", costs.Email, 1, 100, 1),
		v1alpha1.ChannelTypePhone: r.between("spec.assignment.costs.phone", costs.Phone, 1, 100, capacity),
	}
	return capacity
}

func (r *report) agents(list []v1alpha1.Agent, capacity int) []Agent {
	if len(list) > MaxAgents {
		r.invalid("spec.agents", "%d agents are more than %d; split the pool and let routes name both", len(list), MaxAgents)
	}
	var out []Agent
	seen, people := names{}, map[string]int{}
	for i := range list {
		a := &list[i]
		field := fmt.Sprintf("spec.agents[%d]", i)
		if !seen.fresh(r, "spec.agents", i, a.Name) {
			continue
		}
		agent, ok := r.agent(field, a, capacity)
		if !ok {
			continue
		}
		if first, twice := people[agent.Email]; twice {
			r.invalid(field+".email", "%q is the address of %q (spec.agents[%d]) already; a person is listed once in a pool. This agent is left out", a.Email, list[first].Name, first)
			continue
		}
		people[agent.Email] = i
		out = append(out, agent)
	}
	return out
}

// agent fills in the defaults of one agent. It is false for one that cannot be used: without an address, or with
// hours of their own of which none can be read.
func (r *report) agent(field string, a *v1alpha1.Agent, capacity int) (Agent, bool) {
	out := Agent{Name: string(a.Name), DisplayName: a.DisplayName, Email: strings.ToLower(string(a.Email)), Languages: strs(a.Languages)}
	if out.DisplayName == "" {
		out.DisplayName = out.Name
	}
	ok := emailPattern.MatchString(out.Email)
	if !ok {
		r.invalid(field+".email", "%q must be "+emailHint+"; %q is left out until it is", a.Email, a.Name)
	}
	if r.matches(field+".phone", string(a.Phone), phonePattern, phoneHint) {
		out.Phone = string(a.Phone)
	}
	r.languages(field+".languages", a.Languages)
	out.Capacity = r.between(field+".capacity", a.Capacity, 1, 100, capacity)
	out.Hours = r.windows(field+".hours", a.Hours)
	for i, s := range a.Skills {
		if out.Skills == nil {
			out.Skills = map[string]int{}
		}
		at := fmt.Sprintf("%s.skills[%d]", field, i)
		r.matches(at+".issueType", string(s.IssueType), namePattern, nameHint)
		if _, twice := out.Skills[string(s.IssueType)]; twice {
			r.invalid(at+".issueType", "%q is listed twice; keep one", s.IssueType)
			continue
		}
		out.Skills[string(s.IssueType)] = r.between(at+".level", set(s.Level), 1, 5, 1)
	}
	return out, ok && (len(a.Hours) == 0 || out.Hours != nil)
}

func (r *report) languages(field string, tags []v1alpha1.LanguageTag) {
	for i, tag := range tags {
		if !languagePattern.MatchString(string(tag)) {
			r.invalid(fmt.Sprintf("%s[%d]", field, i), "%q must be "+languageHint, tag)
		}
	}
	twice(r, field, tags)
}

// mergePeople makes one person of the agents with the same address: the smallest capacity counts everywhere, and a
// phone number is theirs in every pool. Two numbers are a contradiction; the first pool's is used.
func mergePeople(pools []Pool, sources map[string]*v1alpha1.AgentPool) []Problem {
	type person struct {
		capacity    int
		phone, pool string
	}
	people := map[string]person{}
	var problems []Problem
	for _, p := range pools {
		for _, a := range p.Agents {
			who, known := people[a.Email]
			if !known || a.Capacity < who.capacity {
				who.capacity = a.Capacity
			}
			if who.phone == "" {
				who.phone, who.pool = a.Phone, p.Name
			} else if a.Phone != "" && a.Phone != who.phone {
				problems = append(problems, twoPhones(sources[p.Name], a, who.phone, who.pool))
			}
			people[a.Email] = who
		}
	}
	for i := range pools {
		for j := range pools[i].Agents {
			a := &pools[i].Agents[j]
			a.Capacity, a.Phone = people[a.Email].capacity, people[a.Email].phone
		}
	}
	return problems
}

func twoPhones(p *v1alpha1.AgentPool, a Agent, phone, pool string) Problem {
	i := slices.IndexFunc(p.Spec.Agents, func(s v1alpha1.Agent) bool { return string(s.Name) == a.Name })
	return Problem{
		Object{"AgentPool", p.Name}, v1alpha1.ConditionAccepted, v1alpha1.ReasonContradiction, fmt.Sprintf("spec.agents[%d].phone", i),
		fmt.Sprintf("%q contradicts AgentPool %s, where %s has %q, which is used; give the person one number", a.Phone, pool, a.Email, phone),
	}
}

// poolNames are the pools that a policy's routes name, sorted.
func poolNames(p *v1alpha1.HandoffPolicy) []string {
	found := map[string]bool{}
	for _, route := range p.Spec.Routes {
		for _, t := range route.Targets {
			if t.Pool != nil && t.Type == v1alpha1.TargetTypePool {
				found[t.Pool.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
