package tenant

import (
	"context"
	"sync"
	"time"
)

// beatsPerLease is how often in a lease a heartbeat is written down, however often the agent is heard of.
const beatsPerLease = 3

// heard is when heartbeats of agents were written down by this process. A crash loses nothing that counts: the next
// request is written down again.
type heard struct {
	mu sync.Mutex
	at map[string]time.Time
}

func newHeard() *heard { return &heard{at: map[string]time.Time{}} }

// due says whether an agent's heartbeat is to be written down now.
func (h *heard) due(email string, now time.Time, every time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if last, ok := h.at[email]; ok && now.Sub(last) < every {
		return false
	}
	h.at[email] = now
	return true
}

// forget lets the next heartbeat be written down at once.
func (h *heard) forget(email string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.at, email)
}

// Hear notes that an agent's client made a request: it is as good as a heartbeat. It costs a write only now and then. A
// failure is the next heartbeat's to mend.
func (t *Tenant) Hear(ctx context.Context, s Session) {
	if !s.InPool || !t.heard.due(s.Agent.Email, t.clock.Now(), t.lease/beatsPerLease) {
		return
	}
	if _, err := t.Heartbeat(ctx, s.Agent, s.ExpiresAt); err != nil {
		t.heard.forget(s.Agent.Email)
		t.log.Warn("a heartbeat could not be kept", "agent", s.Agent.Email, "error", err)
	}
}
