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
	tickers int
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
	c.await(tb, at.String(), func() bool {
		for _, due := range c.due {
			if due.Equal(at) {
				return true
			}
		}
		return false
	})
}

// AwaitTicker waits until somebody has made a ticker.
func (c *Clock) AwaitTicker(tb testing.TB) {
	tb.Helper()
	c.await(tb, "a tick", func() bool { return c.tickers > 0 })
}

func (c *Clock) await(tb testing.TB, what string, there func() bool) {
	tb.Helper()
	for timeout := time.After(Patience); ; {
		c.mu.Lock()
		changed, found := c.changed, there()
		c.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			tb.Fatalf("nothing waits for %s", what)
		}
	}
}

// NewTicker makes a ticker that AwaitTicker can see.
func (c *Clock) NewTicker(d time.Duration) clock.Ticker {
	t := c.FakeClock.NewTicker(d)
	c.set(func() { c.tickers++ })
	return t
}
