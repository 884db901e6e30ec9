package tenanttest

import (
	"sync"
	"testing"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// Start is when a new Clock begins: a Monday, 09:00 UTC.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// Clock stands still until a test turns it, and knows what is waited for.
type Clock struct {
	*clocktesting.FakeClock
	mu      sync.Mutex
	due     map[*timer]time.Time
	changed chan struct{}
}

// NewClock returns a Clock that shows Start.
func NewClock() *Clock {
	return &Clock{FakeClock: clocktesting.NewFakeClock(Start), due: map[*timer]time.Time{}, changed: make(chan struct{})}
}

type timer struct {
	clock.Timer
	home *Clock
}

// NewTimer makes a timer that AwaitTimer can see.
func (c *Clock) NewTimer(d time.Duration) clock.Timer {
	t := &timer{c.FakeClock.NewTimer(d), c}
	c.set(func() { c.due[t] = c.Now().Add(d) })
	return t
}

// Stop stops the timer.
func (t *timer) Stop() bool {
	t.home.set(func() { delete(t.home.due, t) })
	return t.Timer.Stop()
}

func (c *Clock) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.changed)
	c.changed = make(chan struct{})
}

// AwaitTimer waits until something waits for exactly this time.
func (c *Clock) AwaitTimer(tb testing.TB, at time.Time) {
	tb.Helper()
	for timeout := time.After(Patience); ; {
		c.mu.Lock()
		changed, found := c.changed, false
		for _, due := range c.due {
			found = found || due.Equal(at)
		}
		c.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			tb.Fatalf("nothing waits for %s", at)
		}
	}
}
