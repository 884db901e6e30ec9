package assign

import "slices"

// Ahead counts those on the board who come before a conversation and wait for one of the pools that it waits for, or are
// of its class. The conversation need not be on the board.
func (b *Board) Ahead(w Waiting) (n int) {
	p := &place{Waiting: w}
	mine := b.classOf(w)
	for _, c := range b.classes {
		if c != mine && !c.meets(mine) {
			continue
		}
		for i := range c.queues {
			n += c.queues[i].before(p, 0)
		}
	}
	return n
}

// meets says whether two classes wait for the same pool.
func (c *class) meets(other *class) bool {
	return slices.ContainsFunc(c.all, func(r *ring) bool {
		return slices.ContainsFunc(other.all, func(o *ring) bool { return o.pool == r.pool })
	})
}

// before counts who comes before a place from an index of the heap on. Who stands below one who does not, does not either.
func (q *queue) before(p *place, i int) int {
	if i >= len(q.places) || q.places[i].compare(p) >= 0 {
		return 0
	}
	return 1 + q.before(p, 2*i+1) + q.before(p, 2*i+2)
}
