package assign

import (
	"container/heap"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Agent is what a Board knows of one person.
type Agent struct {
	Email string
	Load  Load
	// Until is when the agent stops being there; the zero time for one who is not.
	Until time.Time
}

// Waiting is a conversation that nobody has or is offered.
type Waiting struct {
	ID string
	// At is when its wait began, by which rings open. Place is what the queue is ordered by, before the ID.
	At, Place time.Time
	Way       routing.Way
	Facts     routing.Facts
	// Passed are the agents who let an offer of this handoff pass.
	Passed []string
	// LastAgent is the agent this customer had last, until LastAgentAt.
	LastAgent   string
	LastAgentAt time.Time
}

// Proposal is an offer that could be made: a conversation and who comes first for it.
type Proposal struct {
	Waiting
	Candidate routing.Candidate
}

// Board knows who waits and who is there, and finds out who is offered what without looking at all of either. Waiting
// conversations that the same agents may take are one class, ordered by their place. An agent is in the rings they may
// take work in, ordered by the pool's strategy. What happens to one of them touches the classes and rings that it
// concerns.
//
// A Board is as good as what it was told: whoever makes an offer checks it again under locks. It is for one goroutine at
// a time.
type Board struct {
	table  *routing.Table
	now    time.Time
	agents map[string]*agent
	// there has the agents who are there, and perhaps some who were.
	there   map[*agent]bool
	waiting map[string]*place
	classes map[classKey]*class
	rings   map[ringKey]*ring
	// edges has, for each pool that a ring is of, when somebody's shift begins or ends next.
	edges    map[string]time.Time
	openings openings
	// ready are the queues that may hold somebody who can be offered something.
	ready map[*queue]struct{}
	// spoken are the primary languages that the table's agents list.
	spoken map[string]bool
}

// agent is a person and where they have a seat.
type agent struct {
	Agent
	seats map[*ring]*seat
}

// NewBoard returns an empty Board for a table.
func NewBoard(table *routing.Table, now time.Time) *Board {
	b := &Board{agents: map[string]*agent{}, there: map[*agent]bool{}, waiting: map[string]*place{}}
	b.now = now
	b.Use(table)
	return b
}

// Use makes a table the one that counts, from the time that the Board was told last. Everything that waits is looked at anew.
func (b *Board) Use(table *routing.Table) {
	b.table = table
	b.classes, b.rings, b.edges = map[classKey]*class{}, map[ringKey]*ring{}, map[string]time.Time{}
	b.ready, b.openings, b.spoken = map[*queue]struct{}{}, nil, map[string]bool{}
	for _, p := range table.Pools {
		for _, a := range p.Agents {
			for _, tag := range a.Languages {
				b.spoken[routing.PrimaryLanguage(tag)] = true
			}
		}
	}
	for _, a := range b.agents {
		a.seats = map[*ring]*seat{}
	}
	all := b.waiting
	b.waiting = make(map[string]*place, len(all))
	for _, p := range all {
		b.put(p.Waiting)
	}
}

// Put adds a conversation, or replaces what was known of it.
func (b *Board) Put(w Waiting) {
	b.Remove(w.ID)
	b.put(w)
}

func (b *Board) put(w Waiting) {
	p := &place{Waiting: w, class: b.classOf(w), at: -1}
	b.waiting[w.ID] = p
	b.enqueue(p)
}

// Remove takes a conversation off the board, if it is there.
func (b *Board) Remove(id string) {
	if p := b.waiting[id]; p != nil {
		heap.Remove(p.queue, p.at)
		delete(b.waiting, id)
	}
}

// Ready says whether Match may find something.
func (b *Board) Ready(now time.Time) bool {
	b.Tick(now)
	for q := range b.ready {
		if q.Len() > 0 {
			return true
		}
	}
	return false
}

// Waiting returns what is known of a conversation, and false if it is not on the board.
func (b *Board) Waiting(id string) (Waiting, bool) {
	p, ok := b.waiting[id]
	if !ok {
		return Waiting{}, false
	}
	return p.Waiting, true
}

// Agent returns what is known of an agent.
func (b *Board) Agent(email string) Agent {
	if a := b.agents[email]; a != nil {
		return a.Agent
	}
	return Agent{Email: email}
}

// All calls fn for every conversation and every agent on the board, in no order.
func (b *Board) All(waiting func(Waiting), agents func(Agent)) {
	for _, p := range b.waiting {
		waiting(p.Waiting)
	}
	for _, a := range b.agents {
		agents(a.Agent)
	}
}

// SetAgent says what an agent holds now, and whether they are there.
func (b *Board) SetAgent(state Agent) {
	b.move(b.agent(state.Email), func(a *agent) { a.Agent = state })
}

func (b *Board) agent(email string) *agent {
	a := b.agents[email]
	if a == nil {
		a = &agent{Agent: Agent{Email: email}, seats: map[*ring]*seat{}}
		b.agents[email] = a
	}
	return a
}

// move changes an agent: they leave the order of their rings and come back to it where they have room.
func (b *Board) move(a *agent, change func(*agent)) {
	for _, s := range a.seats {
		s.ring.leave(s)
	}
	change(a)
	if b.now.Before(a.Until) {
		b.there[a] = true
	}
	for _, s := range a.seats {
		b.sit(s)
	}
}

// sit puts a seat into the order of its ring if its agent could be offered something there now. The seat is not in it.
func (b *Board) sit(s *seat) {
	was := s.free
	s.free = b.now.Before(s.agent.Until) && Free(s.candidate, s.agent.Load)
	if !s.free {
		return
	}
	s.ring.join(s)
	if !was {
		b.wake(s.ring)
	}
}

// wake marks the queues to which a ring is open.
func (b *Board) wake(r *ring) {
	for c := range r.classes {
		for i := range c.queues {
			b.mark(&c.queues[i])
		}
	}
}

func (b *Board) mark(q *queue) {
	if q.Len() > 0 {
		b.ready[q] = struct{}{}
	}
}

// Tick lets time pass: shifts begin and end, rings open.
func (b *Board) Tick(now time.Time) {
	b.now = now
	for pool, edge := range b.edges {
		if !edge.After(now) {
			b.turn(pool)
		}
	}
	for len(b.openings) > 0 && !b.openings[0].at.After(now) {
		if o := heap.Pop(&b.openings).(opening); b.counts(o) {
			p := b.waiting[o.id]
			heap.Remove(p.queue, p.at)
			b.enqueue(p)
		}
	}
}

// counts says whether an opening is still the next one of a conversation.
func (b *Board) counts(o opening) bool {
	p := b.waiting[o.id]
	return p != nil && p.opens.Equal(o.at)
}

// turn reads the rings of a pool again, since a shift began or ended.
func (b *Board) turn(pool string) {
	b.watch(pool)
	touched := map[*class]struct{}{}
	for _, r := range b.rings {
		if r.pool == pool {
			b.fill(r)
			for c := range r.classes {
				touched[c] = struct{}{}
			}
		}
	}
	for c := range touched {
		b.arrange(c)
	}
}

// watch notes when a shift of a pool begins or ends next.
func (b *Board) watch(pool string) {
	delete(b.edges, pool)
	if edge, ok := b.table.PoolEdge(pool, b.now); ok {
		b.edges[pool] = edge
	}
}

// Next is when Tick has something to do, or the zero time if time alone changes nothing for who waits.
func (b *Board) Next() (next time.Time) {
	if len(b.waiting) == 0 || !b.anybody() {
		return next
	}
	for len(b.openings) > 0 && !b.counts(b.openings[0]) {
		heap.Pop(&b.openings)
	}
	if len(b.openings) > 0 {
		next = b.openings[0].at
	}
	for _, edge := range b.edges {
		if next.IsZero() || edge.Before(next) {
			next = edge
		}
	}
	return next
}

// anybody says whether somebody is there at all. While nobody is, time alone finds nobody.
func (b *Board) anybody() bool {
	for a := range b.there {
		if b.now.Before(a.Until) {
			return true
		}
		delete(b.there, a)
	}
	return false
}

// language stands for all languages that nobody speaks by one, so that customers cannot make up classes without end.
func (b *Board) language(tag string) string {
	if p := routing.PrimaryLanguage(tag); p == "" || b.spoken[p] {
		return p
	}
	return "?"
}

// classKey is what decides who may take a conversation.
type classKey struct {
	routing.Way
	issueType, language string
	channelType         v1alpha1.ChannelType
}
