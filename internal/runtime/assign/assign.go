// Package assign chooses who gets which conversation next. It is pure: a Board holds what it is told, and the caller
// reads loads and presence again in the transaction that makes an offer, so that none is beyond capacity or to an
// absent agent.
package assign

import (
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Load is the work an agent holds.
type Load struct {
	// Units of capacity taken by owned conversations and open offers.
	Units int
	// IdleSince is when the agent's work last began or ended; zero for an agent who never had any.
	IdleSince time.Time
	// AssignedAt is when the agent was last offered or took over a conversation; zero for never.
	AssignedAt time.Time
}

// Free says whether an agent can hold one more conversation. A cost above the agent's capacity takes all of it.
func Free(c routing.Candidate, l Load) bool {
	return l.Units+min(c.Cost, c.Capacity) <= c.Capacity
}
