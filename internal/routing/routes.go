package routing

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func (r *report) routes(p *v1alpha1.HandoffPolicy, pools map[string]bool) []Route {
	if n := len(p.Spec.Routes); n > MaxRoutes {
		r.invalid("spec.routes", "%d routes are more than %d", n, MaxRoutes)
	}
	if n := len(poolNames(p)); n > MaxPools {
		r.invalid("spec.routes", "the routes name %d pools, which are more than %d", n, MaxPools)
	}
	var out []Route
	seen, catchAll := names{}, ""
	for i := range p.Spec.Routes {
		route := &p.Spec.Routes[i]
		field := fmt.Sprintf("spec.routes[%d]", i)
		if !seen.fresh(r, "spec.routes", i, route.Name) {
			continue
		}
		if catchAll != "" {
			r.invalid(field, "route %q is never reached: %q before it matches everything; move that one to the end", route.Name, catchAll)
		}
		match := route.Match
		if match == nil {
			match = &v1alpha1.RouteMatch{}
		}
		r.match(field+".match", match, p.Spec.IssueTypes)
		targets := r.targets(field+".targets", route.Targets, pools)
		if match.Expression != "" && !r.expression(field+".match.expression", match.Expression) {
			continue // without its condition it would take what was not meant for it
		}
		if matchesAll(match) && catchAll == "" {
			catchAll = string(route.Name)
		}
		out = append(out, Route{
			Name: string(route.Name), IssueTypes: strs(match.IssueTypes), ChannelTypes: slices.Clone(match.ChannelTypes),
			Channels: slices.Clone(match.Channels), Languages: strs(match.Languages), Reasons: slices.Clone(match.Reasons),
			Expression: match.Expression, Targets: targets,
		})
	}
	if len(p.Spec.Routes) > 0 && catchAll == "" {
		r.add(v1alpha1.ConditionServed, v1alpha1.ReasonNoCatchAll, "spec.routes",
			"a conversation that no route matches is offered to nobody and waits until an agent takes it over; end with a route without match")
	}
	return out
}

func matchesAll(m *v1alpha1.RouteMatch) bool {
	return len(m.IssueTypes)+len(m.ChannelTypes)+len(m.Channels)+len(m.Languages)+len(m.Reasons) == 0 && m.Expression == ""
}

func (r *report) match(field string, m *v1alpha1.RouteMatch, types []v1alpha1.IssueType) {
	for i, name := range m.IssueTypes {
		if !slices.ContainsFunc(types, func(t v1alpha1.IssueType) bool { return t.Name == name }) {
			r.invalid(fmt.Sprintf("%s.issueTypes[%d]", field, i), "%q is none of spec.issueTypes; add it there or correct the name", name)
		}
	}
	twice(r, field+".issueTypes", m.IssueTypes)
	r.channelTypes(field+".channelTypes", m.ChannelTypes)
	for i, name := range m.Channels {
		r.objectName(index(field+".channels", i), name)
	}
	twice(r, field+".channels", m.Channels)
	r.languages(field+".languages", m.Languages)
	r.reasons(field+".reasons", m.Reasons)
}

// targets reads the rings of a route. It is never nil, so that a route without targets reads as one.
func (r *report) targets(list string, targets []v1alpha1.Target, pools map[string]bool) []Target {
	if len(targets) == 0 {
		r.invalid(list, "is empty; name a pool that gets the conversations: {type: Pool, pool: {name: ...}}")
	}
	out := []Target{}
	for i := range targets {
		if t, ok := r.target(fmt.Sprintf("%s[%d]", list, i), &targets[i], pools); ok {
			out = append(out, t)
		}
	}
	return out
}

func (r *report) target(field string, t *v1alpha1.Target, pools map[string]bool) (Target, bool) {
	out := Target{For: metav1.Duration{Duration: r.within(field+".for", t.For, "100ms", "168h", 0)}}
	const other = "a target of type %s has no %s; remove it, or write a target of its own"
	kind := oneOf(r, field+".type", t.Type, "", v1alpha1.TargetTypePool, v1alpha1.TargetTypeHelpdesk)
	switch {
	case kind == v1alpha1.TargetTypePool && t.Helpdesk != nil:
		r.invalid(field+".helpdesk", other, kind, "helpdesk")
	case kind == v1alpha1.TargetTypeHelpdesk && t.Pool != nil:
		r.invalid(field+".pool", other, kind, "pool")
	}
	switch {
	case kind == v1alpha1.TargetTypePool && t.Pool != nil:
		out.Pool = t.Pool.Name
		r.objectName(field+".pool.name", out.Pool)
		out.MinLevel = r.between(field+".pool.minLevel", t.Pool.MinLevel, 1, 5, 0)
		if !pools[out.Pool] {
			r.notFound(field+".pool.name", "there is no AgentPool %q in this namespace; create it or correct the name. Until then this target is skipped", out.Pool)
			return out, false
		}
	case kind == v1alpha1.TargetTypeHelpdesk && t.Helpdesk != nil:
		out.Helpdesk, out.Group = string(t.Helpdesk.Name), t.Helpdesk.Group
		r.unserved(field+".helpdesk", "this target is skipped")
	case kind != "":
		r.invalid(field, "a target of type %s needs the field %s: {name: ...}", kind, strings.ToLower(string(kind)))
		return out, false
	default:
		if t.Type == "" {
			r.invalid(field+".type", "is missing; it is Pool or Helpdesk")
		}
		return out, false
	}
	return out, true
}

// checkHelpdesks reports the helpdesks that a policy names and its Copilot lacks.
func checkHelpdesks(c *v1alpha1.Copilot, p *v1alpha1.HandoffPolicy) []Problem {
	r := &report{object: Object{"HandoffPolicy", p.Name}}
	check := func(field string, h *v1alpha1.HelpdeskTarget) {
		if h != nil && !slices.ContainsFunc(c.Spec.Helpdesks, func(d v1alpha1.Helpdesk) bool { return d.Name == h.Name }) {
			r.notFound(field+".helpdesk.name", "Copilot %s has no helpdesk %q; add it to spec.helpdesks there or correct the name", c.Name, h.Name)
		}
	}
	for i, route := range p.Spec.Routes {
		for j, t := range route.Targets {
			check(fmt.Sprintf("spec.routes[%d].targets[%d]", i, j), t.Helpdesk)
		}
	}
	if u := p.Spec.Unavailable; u != nil {
		for i, s := range u.Closed {
			check(fmt.Sprintf("spec.unavailable.closed[%d]", i), s.Helpdesk)
		}
		if u.Busy != nil {
			for i, s := range u.Busy.Then {
				check(fmt.Sprintf("spec.unavailable.busy.then[%d]", i), s.Helpdesk)
			}
		}
	}
	return r.list
}

// dropTargets leaves out the targets whose pool could not be compiled; the pool says why.
func dropTargets(routes []Route, pools []Pool) {
	for i := range routes {
		routes[i].Targets = slices.DeleteFunc(routes[i].Targets, func(t Target) bool {
			return t.Pool != "" && !slices.ContainsFunc(pools, func(p Pool) bool { return p.Name == t.Pool })
		})
	}
}
