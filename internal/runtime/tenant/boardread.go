package tenant

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// safetyRead is how often the whole board is compared with the store. Nothing waits for it: what it finds is a fault, and
// counted.
const safetyRead = 5 * time.Minute

// request is what of the board is to be read.
type request struct {
	all, audit bool
	about      []subject
}

// reading is what was read. Of a conversation that does not wait nothing but its id is kept.
type reading struct {
	waiting []conversation.Conversation
	gone    []string
	agents  map[string]store.Agent
}

// refresh reads what the board may not know, and returns the store's time. That is all in the first moments of a process,
// and later what wake-ups named, also those that woke nobody, such as the heartbeats that another replica got.
func (t *Tenant) refresh(ctx context.Context, audit bool) (now time.Time, err error) {
	if err := t.store.View(ctx, func(r store.Reader) (err error) {
		now, err = r.Now()
		return err
	}); err != nil {
		return now, err
	}
	t.matching.recall(now)
	req, ok := t.matching.ask(audit)
	if !ok {
		return now, nil
	}
	var got reading
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		if now, err = r.Now(); err == nil {
			got, err = read(r, req)
		}
		return err
	})
	found, again := t.matching.answer(req, got, err, now)
	if again {
		t.wakeAssigner()
	}
	if found > 0 {
		t.metrics.corrections.Add(float64(found))
		t.log.Warn("the safety read found what no wake-up had told", "differences", found)
	}
	return now, err
}

func read(r store.Reader, req request) (got reading, err error) {
	if req.all {
		if got.waiting, err = r.Waiting(0, math.MaxInt32); err != nil {
			return got, err
		}
		got.agents, err = r.AgentStates()
		return got, err
	}
	var emails []string
	for _, s := range req.about {
		if s.agent != "" {
			emails = append(emails, s.agent)
			continue
		}
		c, err := r.Conversation(s.conversation)
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && !waits(c):
			got.gone = append(got.gone, s.conversation)
		case err != nil:
			return got, err
		default:
			got.waiting = append(got.waiting, c)
		}
	}
	if len(emails) > 0 {
		got.agents, err = r.AgentStates(emails...)
	}
	return got, err
}

// ask returns what is to be read, and false if nothing is. The caller answers.
func (m *matching) ask(audit bool) (request, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.board == nil || !m.reload && m.loaded && len(m.stale) == 0 && !audit {
		return request{}, false
	}
	req := request{all: m.reload || !m.loaded || audit}
	req.audit = audit && m.loaded && !m.reload
	req.about = slices.Collect(maps.Keys(m.stale))
	m.reload = false
	clear(m.stale)
	m.reads++
	return req, true
}

// answer puts what was read on the board, unless the board was told something newer meanwhile. It returns how much it
// found that the board should have known, and whether there is more to read by now.
func (m *matching) answer(req request, got reading, err error, now time.Time) (found int, again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() {
		if m.reads--; m.reads == 0 {
			maps.DeleteFunc(m.taught, func(s subject, _ bool) bool { return m.writing[s] == 0 })
		}
	}()
	if err != nil {
		m.reload = m.reload || req.all
		for _, s := range req.about {
			m.stale[s] = true
		}
		return 0, false
	}
	again = m.missed(req.about)
	m.board.Tick(now)
	known := m.outOfDate(req)
	if req.all {
		got.gone = m.missing(got)
		m.loaded = true
	}
	for _, s := range m.put(got, now) {
		if req.audit && !known[s] {
			found++
		}
	}
	return found, again
}

// outOfDate is of what the board may differ from the store without a fault. The caller holds the lock.
func (m *matching) outOfDate(req request) map[subject]bool {
	known := map[subject]bool{}
	for _, s := range req.about {
		known[s] = true
	}
	for id := range m.later {
		known[subject{conversation: id}] = true
	}
	return known
}

// put brings the board to what was read, and returns of what it said something else. The caller holds the lock.
func (m *matching) put(got reading, now time.Time) (wrong []subject) {
	for _, id := range got.gone {
		if s := (subject{conversation: id}); m.open(s) {
			if _, there := m.board.Waiting(id); there {
				wrong = append(wrong, s)
			}
			m.board.Remove(id)
		}
	}
	for _, c := range got.waiting {
		if s := (subject{conversation: c.ID}); m.open(s) {
			if was, there := m.board.Waiting(c.ID); !there || !was.Place.Equal(waitingOf(c).Place) {
				wrong = append(wrong, s)
			}
			m.know(c)
		}
	}
	for email, a := range got.agents {
		if s := (subject{agent: email}); m.open(s) {
			if next := onBoard(email, a, now); m.board.Agent(email) != next {
				wrong = append(wrong, s)
				m.board.SetAgent(next)
			}
		}
	}
	return wrong
}

// missed keeps in mind what was asked for and cannot be taken from what was read, because somebody wrote meanwhile: what
// made it doubtful may have come after what they told the board. It says whether any of it can be read again at once.
func (m *matching) missed(about []subject) (again bool) {
	for _, s := range about {
		switch {
		case m.open(s):
		case m.writing[s] > 0:
			m.unsure[s] = true
		default:
			m.stale[s], again = true, true
		}
	}
	return again
}

// open says whether what was read of a subject may be newer than what the board was told. The caller holds the lock.
func (m *matching) open(s subject) bool { return m.writing[s] == 0 && !m.taught[s] }

// missing lists the conversations on the board that a reading of all lacks.
func (m *matching) missing(got reading) (gone []string) {
	there := make(map[string]bool, len(got.waiting))
	for _, c := range got.waiting {
		there[c.ID] = true
	}
	m.board.All(func(w assign.Waiting) {
		if !there[w.ID] {
			gone = append(gone, w.ID)
		}
	}, func(assign.Agent) {})
	return gone
}

// runSafetyReads asks the assigner for one now and then, and for the answers that nobody gives: a commit that was in doubt
// may have come through after it was looked for.
func (t *Tenant) runSafetyReads(ctx context.Context) error {
	for {
		timer := t.clock.NewTimer(safetyRead)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C():
			t.audit.Store(true)
			t.wakeAssigner()
			t.turns.resume()
		}
	}
}
