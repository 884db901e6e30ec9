package assign

import (
	"cmp"
	"slices"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// ringKey is what decides who is in a ring, and what a conversation costs them.
type ringKey struct {
	pool, agent         string
	minLevel            int
	issueType, language string
	channelType         v1alpha1.ChannelType
}

// ring is the agents of one target of a route who may take a kind of conversation.
type ring struct {
	ringKey
	target routing.Target
	facts  routing.Facts
	// roster has who is on shift and able, by address.
	roster map[string]*seat
	// free are those of them who are there and have room, the best first. A pool has 200 agents at most: moving some
	// pointers is quicker than keeping a tree.
	free    []*seat
	classes map[*class]struct{}
}

// seat is an agent in a ring.
type seat struct {
	ring      *ring
	agent     *agent
	candidate routing.Candidate
	// free says that the seat was in the ring's order after the last change of its agent.
	free bool
}

// ringOf returns the ring of a target for facts, which is made for the first class that needs it.
func (b *Board) ringOf(target routing.Target, f routing.Facts) *ring {
	key := ringKey{target.Pool, target.Agent, target.MinLevel, f.IssueType, f.Language, f.ChannelType}
	if key.issueType == "" {
		key.minLevel = 0
	}
	if r := b.rings[key]; r != nil {
		return r
	}
	r := &ring{ringKey: key, target: target, facts: f, classes: map[*class]struct{}{}}
	b.rings[key] = r
	if _, watched := b.edges[target.Pool]; !watched {
		b.watch(target.Pool)
	}
	b.fill(r)
	return r
}

// fill reads who is in a ring now.
func (b *Board) fill(r *ring) {
	for _, s := range r.roster {
		delete(s.agent.seats, r)
	}
	candidates := b.table.Ring(0, r.target, r.facts, b.now)
	r.roster, r.free = make(map[string]*seat, len(candidates)), nil
	for _, c := range candidates {
		s := &seat{ring: r, agent: b.agent(c.Email), candidate: c}
		r.roster[c.Email], s.agent.seats[r] = s, s
		b.sit(s)
	}
}

// compare orders the seats of a ring: the better level for the type of issue, then as the pool's strategy says, then by
// address so that nothing is left to chance.
func (s *seat) compare(o *seat) int {
	if c := cmp.Compare(o.candidate.Level, s.candidate.Level); c != 0 {
		return c
	}
	a, b := s.agent.Load, o.agent.Load
	if s.candidate.Strategy == v1alpha1.StrategyRoundRobin {
		return cmp.Or(a.AssignedAt.Compare(b.AssignedAt), cmp.Compare(s.agent.Email, o.agent.Email))
	}
	return cmp.Or(cmp.Compare(a.Units*o.candidate.Capacity, b.Units*s.candidate.Capacity),
		a.IdleSince.Compare(b.IdleSince), cmp.Compare(s.agent.Email, o.agent.Email))
}

// join puts a seat into the order of the ring.
func (r *ring) join(s *seat) {
	i, _ := slices.BinarySearchFunc(r.free, s, (*seat).compare)
	r.free = slices.Insert(r.free, i, s)
}

// leave takes a seat out of the order, before anything changes by which it is ordered.
func (r *ring) leave(s *seat) {
	if !s.free {
		return
	}
	if i, ok := slices.BinarySearchFunc(r.free, s, (*seat).compare); ok {
		r.free = slices.Delete(r.free, i, i+1)
	}
}
