package tenant

import (
	"sync"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// matching keeps this replica's Board. The Board is a hint: each offer is checked again in the transaction that makes it.
//
// It learns what this process writes before the commit, so that the next transaction already chooses by it; from then
// until the transaction has ended, what is read of the same conversations and agents is not taken for newer. What others
// write, and what came of a transaction that failed, is read when a wake-up names it.
type matching struct {
	mu    sync.Mutex
	board *assign.Board
	table *routing.Table
	// version is the table's.
	version store.TableVersion
	// loaded says that the board was read from the store once.
	loaded bool
	// reload asks for all to be read; stale for some.
	reload bool
	stale  map[subject]bool
	// unsure has what could not be read since somebody was writing it: it is stale when they have ended.
	unsure map[subject]bool
	// later has when conversations that somebody else had locked are to be read again.
	later map[string]time.Time
	// writing counts the transactions under way in which the board was told of something, or offers under way; taught
	// has what it was told since the oldest of reads reads began.
	writing map[subject]int
	taught  map[subject]bool
	reads   int
}

// subject is a conversation or an agent.
type subject struct{ conversation, agent string }

func newMatching() *matching {
	return &matching{
		stale: map[subject]bool{}, unsure: map[subject]bool{}, later: map[string]time.Time{}, writing: map[subject]int{}, taught: map[subject]bool{},
	}
}

// use makes a table the one by which the board works. What time it is the board learns when something is put on it.
func (m *matching) use(tb *routing.Table, version store.TableVersion) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.table, m.version = tb, version
	if m.board == nil {
		m.board = assign.NewBoard(tb, time.Time{})
		return
	}
	m.board.Use(tb)
}

// outdated says whether nothing may be offered by a table: this replica, or another one, works by a newer one. In a
// transaction that holds until its end.
func (m *matching) outdated(r store.Reader, tb *routing.Table) (bool, error) {
	m.mu.Lock()
	current, version := m.table == tb, m.version
	m.mu.Unlock()
	if !current || version.Generation == 0 {
		return !current, nil
	}
	seen, err := r.TableSeen()
	return seen.Outdates(version), err
}

// lesson is what one transaction tells the board.
type lesson struct {
	m     *matching
	about map[subject]bool
	// doubtful are to be read again even so.
	doubtful []subject
	// now is the store's time when the transaction last asked for it.
	now time.Time
	// repeated says that the transaction began again: what it told before may not be what it came to.
	repeated bool
}

func (m *matching) begin() *lesson { return &lesson{m: m, about: map[subject]bool{}} }

// note protects a subject from older reads until the lesson ends. The caller holds the lock.
func (l *lesson) note(s subject) {
	if !l.about[s] {
		l.about[s] = true
		l.m.writing[s]++
	}
	l.m.taught[s] = true
}

// teach tells the board what a transaction is about to commit.
func (l *lesson) teach(saved []conversation.Change, agents map[string]store.Agent) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.m.board == nil {
		return
	}
	l.m.board.Tick(l.now)
	for _, c := range saved {
		l.note(subject{conversation: c.Conversation.ID})
		l.m.know(c.Conversation)
	}
	for email, a := range agents {
		l.note(subject{agent: email})
		l.m.board.SetAgent(onBoard(email, a, l.now))
	}
}

// end says how the transaction ended. What the board was told of one that failed is to be read again, as is what could
// not be read before, and end says whether there is any.
func (l *lesson) end(err error) (again bool) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	failed := err != nil || l.repeated
	for s := range l.about {
		if l.m.release(s) {
			again = true
		}
		if failed {
			l.m.stale[s], again = true, true
		}
	}
	for _, s := range l.doubtful {
		l.m.stale[s], again = true, true
	}
	return again
}

// teachingTx is the transaction of Tenant.change: what it comes to is told to the board.
type teachingTx struct {
	store.Tx
	lesson *lesson
}

// matchingOf is the matching that a transaction tells what it comes to, or nil.
func matchingOf(tx store.Tx) *matching {
	if teaching, ok := tx.(teachingTx); ok {
		return teaching.lesson.m
	}
	return nil
}

// Now notes the time by which the transaction decides.
func (tx teachingTx) Now() (now time.Time, err error) {
	now, err = tx.Tx.Now()
	tx.lesson.now = now
	return now, err
}

// commit tells the board what the transaction is about to commit.
func (tx teachingTx) commit(saved []conversation.Change) error {
	if len(saved) == 0 && len(tx.Touched()) == 0 {
		return nil
	}
	if tx.lesson.now.IsZero() {
		if _, err := tx.Now(); err != nil {
			return err
		}
	}
	var agents map[string]store.Agent
	if touched := tx.Touched(); len(touched) > 0 {
		var err error
		if agents, err = tx.Agents(touched...); err != nil {
			return err
		}
	}
	tx.lesson.teach(saved, agents)
	return nil
}

// release ends the protection of a subject, and says whether it is to be read again. A read that began before is still
// older than what the board was told.
func (m *matching) release(s subject) (again bool) {
	if m.writing[s]--; m.writing[s] == 0 {
		delete(m.writing, s)
		if again = m.unsure[s]; again {
			m.stale[s] = true
			delete(m.unsure, s)
		}
	}
	if m.reads > 0 {
		m.taught[s] = true
	} else {
		delete(m.taught, s)
	}
	return again
}

// know puts a conversation on the board if it waits, and takes it off otherwise. The caller holds the lock.
func (m *matching) know(c conversation.Conversation) {
	if waits(c) {
		m.board.Put(waitingOf(c))
	} else {
		m.board.Remove(c.ID)
	}
}

func waits(c conversation.Conversation) bool {
	return c.Owner.Kind == conversation.OwnerQueue && c.Offer == nil && c.Handoff != nil
}

// waitingOf is a conversation that waits, or is about to.
func waitingOf(c conversation.Conversation) assign.Waiting {
	h := *c.Handoff
	return assign.Waiting{
		ID: c.ID, At: h.At, Place: h.Place(), Way: wayOf(h), Facts: facts(c, h),
		Passed: c.Passed, LastAgent: c.LastAgent, LastAgentAt: c.LastAgentAt,
	}
}

func wayOf(h conversation.Handoff) routing.Way {
	if p := h.Pinned; p != nil {
		return routing.Way{Pool: p.Pool, Agent: p.Agent}
	}
	return routing.Way{Route: h.Route}
}

func onBoard(email string, a store.Agent, now time.Time) assign.Agent {
	return assign.Agent{Email: email, Load: a.Load, Until: a.Available(now)}
}

// choose returns who comes first for a conversation that is being handed off, or nil if nobody can take it now, and the
// offers to make before, to those whose place is before its own. The caller says left for the latter.
func (m *matching) choose(l *lesson, w assign.Waiting, now time.Time) (chosen *routing.Candidate, before []assign.Proposal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.board == nil {
		return nil, nil
	}
	l.note(subject{conversation: w.ID})
	m.board.Put(w)
	for _, p := range m.board.MatchTo(w.ID, now, queuePage) {
		l.note(subject{conversation: p.ID})
		l.note(subject{agent: p.Candidate.Email})
		if p.ID == w.ID {
			chosen = &p.Candidate
		} else {
			before = append(before, p)
		}
	}
	m.board.Remove(w.ID) // it is there once the transaction says so
	return chosen, before
}

// left says which of the offers that choose returned could not be made.
func (m *matching) left(l *lesson, before []assign.Proposal, again, later map[string]bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range before {
		if again[p.ID] || later[p.ID] {
			l.doubtful = append(l.doubtful, subject{agent: p.Candidate.Email})
		}
		if again[p.ID] {
			l.doubtful = append(l.doubtful, subject{conversation: p.ID})
		}
		if later[p.ID] {
			m.putOff(p.ID, now)
		}
	}
}

// saw tells the board how an agent stands under their lock.
func (m *matching) saw(email string, a store.Agent, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.board.SetAgent(onBoard(email, a, now))
}

// putOff has a conversation that somebody else has locked read again in a while. The caller holds the lock.
func (m *matching) putOff(id string, now time.Time) {
	if _, ok := m.later[id]; !ok {
		m.later[id] = now.Add(retryTurn)
	}
}

// recall asks for what somebody else had locked to be read again, when it is time.
func (m *matching) recall(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, at := range m.later {
		if !at.After(now) {
			m.stale[subject{conversation: id}] = true
			delete(m.later, id)
		}
	}
}

// ready says whether take may find something.
func (m *matching) ready(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.board != nil && m.loaded && m.board.Ready(now)
}

// take returns up to queuePage offers to make, in the transaction that makes them: what was committed before is known.
// The caller says done for all of them.
func (m *matching) take(now time.Time) []assign.Proposal {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.board.Match(now, queuePage)
	for _, p := range found {
		for _, s := range []subject{{conversation: p.ID}, {agent: p.Candidate.Email}} {
			m.writing[s]++
			m.taught[s] = true
		}
	}
	return found
}

// done ends what take began. What is in again is read again, and what is in later in a while: somebody else has it.
func (m *matching) done(taken []assign.Proposal, again, later map[string]bool, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range taken {
		about := []subject{{conversation: p.ID}, {agent: p.Candidate.Email}}
		for _, s := range about {
			m.release(s)
		}
		if again[p.ID] || later[p.ID] {
			m.stale[about[1]] = true // the room that was kept for it
		}
		if again[p.ID] {
			m.stale[about[0]] = true
		}
		if later[p.ID] {
			m.putOff(p.ID, now)
		}
	}
}

// next is when there is something to do even if nothing happens, or the zero time.
func (m *matching) next() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.board == nil {
		return time.Time{}
	}
	next := m.board.Next()
	for _, at := range m.later {
		next = earliest(next, at)
	}
	return next
}

// ahead counts those who come before a conversation and wait for the same agents, and is false while that is not known.
func (m *matching) ahead(w assign.Waiting) (n int, known bool) {
	if m == nil {
		return 0, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known = m.board != nil && m.loaded; known {
		n = m.board.Ahead(w)
	}
	return n, known
}

// heard notes what a wake-up says.
func (m *matching) heard(w store.Wake) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reload = m.reload || w.Reread
	if w.Queue {
		for _, id := range w.Conversations {
			m.stale[subject{conversation: id}] = true
		}
	}
	for _, email := range w.Agents {
		m.stale[subject{agent: email}] = true
	}
}
