// Package assign chooses who gets a conversation next. It is pure; the caller reads loads and presence in the
// transaction that takes the slot, so that a choice is never beyond capacity and never an absent agent.
package assign

import (
	"cmp"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Load is the work an agent holds.
type Load struct {
	// Units of capacity taken by owned conversations and open offers.
	Units int
	// IdleSince is when the agent's work last began or ended; zero for an agent who never had any.
	IdleSince time.Time
}

// Free says whether an agent can hold one more conversation. A cost above the agent's capacity takes all of it.
func Free(c routing.Candidate, l Load) bool {
	return l.Units+min(c.Cost, c.Capacity) <= c.Capacity
}

// Choose returns the agent to offer a conversation to: present, below capacity, and the first by not having let an
// offer of this handoff pass, by ring, by level of skill, by load relative to capacity, by idle time. It returns false
// if nobody can take it now.
func Choose(candidates []routing.Candidate, loads map[string]Load, present func(email string) bool, passed []string) (routing.Candidate, bool) {
	able := slices.DeleteFunc(slices.Clone(candidates), func(c routing.Candidate) bool {
		return !present(c.Email) || !Free(c, loads[c.Email])
	})
	if len(able) == 0 {
		return routing.Candidate{}, false
	}
	return slices.MinFunc(able, func(a, b routing.Candidate) int {
		la, lb := loads[a.Email], loads[b.Email]
		return cmp.Or(
			cmp.Compare(passes(a, passed), passes(b, passed)),
			cmp.Compare(a.Ring, b.Ring),
			cmp.Compare(b.Level, a.Level),
			cmp.Compare(la.Units*b.Capacity, lb.Units*a.Capacity),
			la.IdleSince.Compare(lb.IdleSince),
			cmp.Compare(a.Email, b.Email),
		)
	}), true
}

func passes(c routing.Candidate, passed []string) int {
	if slices.Contains(passed, c.Email) {
		return 1
	}
	return 0
}
