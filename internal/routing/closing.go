package routing

import (
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// closingHorizon bounds how far NextClosing looks ahead: who waits longer is looked at again then.
const closingHorizon = 24 * time.Hour

// NextClosing is the next time after now from which on nobody of any target of the route is on shift or, where that is
// not within a day, a day later. It is false for a route that never closes and for one that is closed already.
func (t *Table) NextClosing(r *Route, now time.Time) (time.Time, bool) {
	if t.Closed(r, now) {
		return time.Time{}, false
	}
	horizon := now.Add(closingHorizon)
	for at := now; ; {
		edge, ok := t.routeEdge(r, at)
		switch {
		case !ok:
			return time.Time{}, false
		case edge.After(horizon):
			return horizon, true
		case t.Closed(r, edge):
			return edge, true
		}
		at = edge
	}
}

// routeEdge is the first of the edges of the pools of a route.
func (t *Table) routeEdge(r *Route, now time.Time) (next time.Time, ok bool) {
	for _, target := range r.Targets {
		if edge, any := t.PoolEdge(target.Pool, now); any && (!ok || edge.Before(next)) {
			next, ok = edge, true
		}
	}
	return next, ok
}

// WhenUnavailable is the first step that fits the type of channel, for when nobody is on shift or, with busy, when nobody
// took the conversation in time. Without one the conversation waits in the queue.
func (t *Table) WhenUnavailable(busy bool, ct v1alpha1.ChannelType) UnavailableStep {
	queue := UnavailableStep{Action: v1alpha1.UnavailableQueue}
	if t.Policy == nil {
		return queue
	}
	steps := t.Policy.Unavailable.Closed
	if busy {
		steps = t.Policy.Unavailable.Busy
	}
	for _, s := range steps {
		if holds(s.ChannelTypes, ct) && (s.Action != v1alpha1.UnavailableVoicemail || ct == v1alpha1.ChannelTypePhone) {
			return s
		}
	}
	return queue
}

// WrapUp is the time after a conversation that came to a person through a pool. Without a pool it is the longest of
// those that the person is in.
func (t *Table) WrapUp(pool, email string) (longest time.Duration) {
	for i := range t.Pools {
		p := &t.Pools[i]
		if p.Name == pool {
			return p.WrapUp.Duration
		}
		for j := range p.Agents {
			if p.Agents[j].Email == email {
				longest = max(longest, p.WrapUp.Duration)
			}
		}
	}
	return longest
}

// MissedOffersUntilAway is how many offers in a row somebody may let pass; zero for a pool that is gone.
func (t *Table) MissedOffersUntilAway(pool string) int {
	if p := t.pool(pool); p != nil {
		return p.MissedOffersUntilAway
	}
	return 0
}
