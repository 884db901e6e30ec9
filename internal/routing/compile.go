package routing

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Compile turns a snapshot into its Table, with every default filled in, and says what is wrong with each object. The
// result does not depend on the order of the snapshot's lists, and shares nothing with it.
//
// The Table is nil only where the Copilot itself is not Accepted; a runtime then keeps the one it has. Any other
// mistake costs as little as it can: a value counts as left out, or an agent, target, route, pool or channel is left
// out. A policy that does not exist yet counts as an empty one, so that customers who need a human wait in the queue.
func Compile(s Snapshot) (*Table, []Problem) {
	copilot, problems := compileCopilot(s.Copilot)
	r := &report{object: Object{"Copilot", s.Copilot.Name}, list: problems}
	t := &Table{FormatVersion: FormatVersion, Copilot: copilot}
	if s.HostHolder != "" {
		r.taken("spec.exposure.host", Host(s.Copilot), s.Copilot.Namespace, s.HostHolder)
	}
	r.resolve(copilotSecrets(s.Copilot), s.Secrets)
	r.resolveKnowledge(s.Copilot.Spec.Knowledge, s.ConfigMaps)
	r.resolvePod(&s.Copilot.Spec, s.ConfigMaps)

	channels, others := compileChannels(s)
	t.Channels = channels
	policy, pools, more := compileHandoff(s, r)
	t.Policy, t.Pools = policy, pools
	others = append(others, more...)

	r.size(t)
	if !r.accepted() {
		t = nil
	}
	return t, sortProblems(append(r.list, others...))
}

// compileChannels compiles the Copilot's Channels, sorted by name. Claims that several of them make are settled here
// too, for a snapshot of manifests has no cluster to ask.
func compileChannels(s Snapshot) ([]Channel, []Problem) {
	mine := slices.SortedFunc(slices.Values(s.Channels), func(a, b *v1alpha1.Channel) int { return cmp.Compare(a.Name, b.Name) })
	mine = slices.DeleteFunc(mine, func(ch *v1alpha1.Channel) bool { return ch.Spec.CopilotRef.Name != s.Copilot.Name })
	taken := map[string]string{}
	for late, holder := range Taken(mine) {
		taken[late.Name] = holder.String()
	}
	var out []Channel
	var problems []Problem
	for _, ch := range mine {
		c, more := compileChannel(ch, s.Copilot, s.Secrets, cmp.Or(s.Taken[ch.Name], taken[ch.Name]))
		if c != nil {
			out = append(out, *c)
		}
		problems = append(problems, more...)
	}
	return out, problems
}

// compileHandoff compiles the policy and its pools. What is the Copilot's own mistake goes to r.
func compileHandoff(s Snapshot, r *report) (*Policy, []Pool, []Problem) {
	ref := s.Copilot.Spec.PolicyRef
	if ref == nil {
		return nil, nil, nil
	}
	if s.Policy == nil {
		r.notFound("spec.policyRef.name", "there is no HandoffPolicy %q in this namespace; create it or correct the name. Until then customers who need a human wait in the queue", ref.Name)
		return emptyPolicy(ref.Name), nil, nil
	}
	exists := map[string]bool{}
	var pools []Pool
	var problems []Problem
	for _, name := range poolNames(s.Policy) {
		source := s.Pools[name]
		if source == nil {
			continue
		}
		exists[name] = true
		p, more := compilePool(source)
		problems = append(problems, more...)
		pools = append(pools, *p)
	}
	problems = append(problems, mergePeople(pools, s.Pools)...)
	policy, more := compilePolicy(s.Policy, exists)
	problems = append(append(problems, more...), checkHelpdesks(s.Copilot, s.Policy)...)
	dropTargets(policy.Routes, pools)
	if len(s.Policy.Spec.Routes) == 0 {
		policy.Routes = firstHelpdesk(s, r)
	}
	return policy, pools, problems
}

// firstHelpdesk is where a policy without routes sends everything.
func firstHelpdesk(s Snapshot, r *report) []Route {
	if len(s.Copilot.Spec.Helpdesks) == 0 {
		r.add(v1alpha1.ConditionAccepted, v1alpha1.ReasonNobodyToHandOffTo, "spec.policyRef.name", fmt.Sprintf(
			"nobody to hand off to: HandoffPolicy %s has no routes and this Copilot no helpdesks; add a route to a pool there", s.Policy.Name))
		return nil
	}
	first := string(s.Copilot.Spec.Helpdesks[0].Name)
	return []Route{{Name: first, Targets: []Target{{Helpdesk: first}}}}
}

// size refuses a table that would not fit into an object of the cluster.
func (r *report) size(t *Table) {
	n := len(t.json())
	if n <= MaxBytes {
		return
	}
	advice := "shorten spec.instructions"
	if len(t.Pools) > 0 {
		largest := slices.MaxFunc(t.Pools, func(a, b Pool) int { return cmp.Compare(len(a.Agents), len(b.Agents)) })
		advice = fmt.Sprintf("use fewer or smaller pools; AgentPool %s is the largest, with %d agents", largest.Name, len(largest.Agents))
	}
	r.invalid("spec", "the routing table takes %d bytes and may take %d: %s", n, MaxBytes, advice)
}

var (
	kindOrder      = []string{"Copilot", "Channel", "HandoffPolicy", "AgentPool"}
	conditionOrder = []string{v1alpha1.ConditionAccepted, v1alpha1.ConditionResolvedRefs, v1alpha1.ConditionServed}
)

// sortProblems orders by kind, name and condition, and leaves those of one condition in the order of the fields.
func sortProblems(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(slices.Index(kindOrder, a.Object.Kind), slices.Index(kindOrder, b.Object.Kind)),
			cmp.Compare(a.Object.Name, b.Object.Name),
			cmp.Compare(slices.Index(conditionOrder, a.Condition), slices.Index(conditionOrder, b.Condition)),
		)
	})
	return list
}
