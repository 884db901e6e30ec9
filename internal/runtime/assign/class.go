package assign

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// class is the conversations that the same agents may take.
type class struct {
	route *routing.Route
	facts routing.Facts
	// all has a ring for each target of the route. open are those with somebody in them that can open at all, and
	// opens[i] is how long after the wait began open[i] does.
	all   []*ring
	open  []*ring
	opens []time.Duration
	// queues[i] has who waits while i rings are open.
	queues []queue
}

// queue is a heap of conversations by their place.
type queue struct {
	places []*place
	// rings are open to them.
	rings []*ring
}

// place is a conversation in a queue.
type place struct {
	Waiting
	class *class
	queue *queue
	// at is the index in the queue; opens is when the next ring does, or zero.
	at    int
	opens time.Time
}

func (p *place) compare(o *place) int {
	return cmp.Or(p.Place.Compare(o.Place), strings.Compare(p.ID, o.ID))
}

func (q *queue) Len() int           { return len(q.places) }
func (q *queue) Less(i, j int) bool { return q.places[i].compare(q.places[j]) < 0 }
func (q *queue) Swap(i, j int) {
	q.places[i], q.places[j] = q.places[j], q.places[i]
	q.places[i].at, q.places[j].at = i, j
}

// Push is for package heap.
func (q *queue) Push(x any) {
	p := x.(*place)
	p.queue, p.at = q, len(q.places)
	q.places = append(q.places, p)
}

// Pop is for package heap.
func (q *queue) Pop() any {
	last := len(q.places) - 1
	p := q.places[last]
	q.places[last] = nil
	q.places = q.places[:last]
	return p
}

// opening is when a ring opens to a conversation.
type opening struct {
	at time.Time
	id string
}

// openings is a heap of them by time. It may hold some that do not count any more.
type openings []opening

func (o openings) Len() int           { return len(o) }
func (o openings) Less(i, j int) bool { return o[i].at.Before(o[j].at) }
func (o openings) Swap(i, j int)      { o[i], o[j] = o[j], o[i] }

// Push is for package heap.
func (o *openings) Push(x any) { *o = append(*o, x.(opening)) }

// Pop is for package heap.
func (o *openings) Pop() any {
	last := len(*o) - 1
	x := (*o)[last]
	*o = (*o)[:last]
	return x
}

// classOf returns the class of a conversation, which is made for the first one of it.
func (b *Board) classOf(w Waiting) *class {
	route := b.table.Follow(w.Way, w.Facts)
	key := classKey{issueType: w.Facts.IssueType, language: b.language(w.Facts.Language), channelType: w.Facts.ChannelType}
	switch {
	case w.Way.Pool != "" || w.Way.Agent != "":
		key.Way = routing.Way{Pool: w.Way.Pool, Agent: w.Way.Agent}
	case route != nil:
		key.Way = routing.Way{Route: route.Name}
	}
	if c := b.classes[key]; c != nil {
		return c
	}
	c := &class{route: route, facts: routing.Facts{IssueType: key.issueType, Language: key.language, ChannelType: key.channelType}}
	b.classes[key] = c
	if route != nil {
		for _, target := range route.Targets {
			r := b.ringOf(target, c.facts)
			r.classes[c] = struct{}{}
			c.all = append(c.all, r)
		}
	}
	b.arrange(c)
	return c
}

// arrange works out which rings of a class open when, and puts who waits into the queue where they belong now. A ring
// without anybody is skipped at once; one that is tried for ever ends the route.
func (b *Board) arrange(c *class) {
	var all []*place
	for i := range c.queues {
		all = append(all, c.queues[i].places...)
		delete(b.ready, &c.queues[i])
	}
	c.open, c.opens = nil, nil
	var opens time.Duration
	for i, r := range c.all {
		if len(r.roster) == 0 {
			continue
		}
		c.open, c.opens = append(c.open, r), append(c.opens, opens)
		target := c.route.Targets[i]
		if target.For.Duration == 0 && !target.Beside {
			break
		}
		opens += target.For.Duration
	}
	c.queues = make([]queue, len(c.open)+1)
	for i := range c.queues {
		c.queues[i].rings = c.open[:i]
	}
	for _, p := range all {
		b.enqueue(p)
	}
}

// enqueue puts a conversation into the queue of its class for as long as it has waited.
func (b *Board) enqueue(p *place) {
	c := p.class
	waited := b.now.Sub(p.At)
	n, _ := slices.BinarySearch(c.opens, waited+1) // how many have opened at or before waited
	n = max(n, min(1, len(c.opens)))               // the first is open from the beginning, whatever the clocks say
	p.opens = time.Time{}
	if n < len(c.opens) {
		p.opens = p.At.Add(c.opens[n])
		heap.Push(&b.openings, opening{p.opens, p.ID})
	}
	heap.Push(&c.queues[n], p)
	b.mark(&c.queues[n])
}
