package assign

import (
	"container/heap"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Match returns up to most offers that could be made now, the conversation with the foremost place first. What it returns
// is off the board and takes the agents' room; the caller says with Put and SetAgent what has become of it.
func (b *Board) Match(now time.Time, most int) []Proposal { return b.match(now, most, nil) }

// MatchTo is Match for a conversation on the board and those whose place is before its own.
func (b *Board) MatchTo(id string, now time.Time, most int) []Proposal {
	return b.match(now, most, b.waiting[id])
}

// match ends behind a place, or nowhere for nil.
func (b *Board) match(now time.Time, most int, last *place) (made []Proposal) {
	b.Tick(now)
	heads := make(heads, 0, len(b.ready))
	for q := range b.ready {
		if q.Len() > 0 {
			heads = append(heads, q)
		}
	}
	heap.Init(&heads)
	clear(b.ready)
	for len(heads) > 0 && len(made) < most {
		q := heads[0]
		p := q.places[0]
		if last != nil && p.compare(last) > 0 {
			break
		}
		s, ring := b.pick(p, q.rings)
		if s == nil {
			heap.Pop(&heads) // who is asked last may be asked anyway, so nobody can take the others either
			continue
		}
		b.Remove(p.ID)
		b.move(s.agent, func(a *agent) {
			a.Load.Units += s.candidate.Cost
			a.Load.AssignedAt = now
		})
		c := s.candidate
		c.Ring = slices.Index(p.class.all, ring)
		made = append(made, Proposal{p.Waiting, c})
		if q.Len() == 0 {
			heap.Pop(&heads)
		} else {
			heap.Fix(&heads, 0)
		}
	}
	for _, q := range heads {
		b.mark(q)
	}
	return made
}

// heads is a heap of queues by the place of their first.
type heads []*queue

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return h[i].places[0].compare(h[j].places[0]) < 0 }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for package heap.
func (h *heads) Push(x any) { *h = append(*h, x.(*queue)) }

// Pop is for package heap.
func (h *heads) Pop() any {
	last := len(*h) - 1
	q := (*h)[last]
	*h = (*h)[:last]
	return q
}

// pick returns who comes first for a conversation, and the ring through which: of those who did not let an offer of its
// handoff pass, and else of all, the agent this customer had last; then the earlier ring; then as the ring is ordered.
// It returns nil if nobody can take it.
func (b *Board) pick(p *place, rings []*ring) (*seat, *ring) {
	fresh := func(s *seat) bool { return !slices.Contains(p.Passed, s.agent.Email) }
	anybody := func(*seat) bool { return true }
	for _, may := range []func(*seat) bool{fresh, anybody} {
		if s, r := b.sticky(p, rings); s != nil && may(s) {
			return s, r
		}
		for i, r := range rings {
			if s := b.first(r, func(s *seat) bool { return may(s) && !listed(rings[:i], s.agent.Email) }); s != nil {
				return s, r
			}
		}
	}
	return nil, nil
}

// first returns the first of a ring's order that may be asked. Who is found to be gone leaves the order.
func (b *Board) first(r *ring, may func(*seat) bool) *seat {
	for i := 0; i < len(r.free); {
		s := r.free[i]
		if !b.now.Before(s.agent.Until) {
			b.move(s.agent, func(*agent) {})
			continue
		}
		if may(s) {
			return s
		}
		i++
	}
	return nil
}

// sticky returns the seat of the agent this customer had last, if they can take this one and it is not too long ago.
func (b *Board) sticky(p *place, rings []*ring) (*seat, *ring) {
	if p.LastAgent == "" {
		return nil, nil
	}
	for _, r := range rings {
		s := r.roster[p.LastAgent]
		if s == nil {
			continue
		}
		if s.free && b.now.Before(s.agent.Until) && Sticks(s.candidate, p.LastAgent, p.LastAgentAt, b.now) {
			return s, r
		}
		return nil, nil // a person counts in their first ring
	}
	return nil, nil
}

// Sticks says whether a candidate comes first because they are the agent the customer had last, until a time at which
// the pool's stickiness has not run out.
func Sticks(c routing.Candidate, lastAgent string, lastAgentAt, now time.Time) bool {
	return c.Stickiness > 0 && c.Email == lastAgent && now.Sub(lastAgentAt) <= c.Stickiness
}

// listed says whether somebody is in one of the rings. A person counts in their first ring alone.
func listed(rings []*ring, email string) bool {
	return slices.ContainsFunc(rings, func(r *ring) bool { return r.roster[email] != nil })
}
