// Package outbox delivers what the store's outbox holds: at least once, in order for each conversation and destination,
// and so that one destination's trouble delays no other.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// perDestination bounds the attempts in progress to one destination.
	perDestination = 8
	// SendTimeout bounds one attempt: receivers answer first and work afterwards.
	SendTimeout = 15 * time.Second
	// lease keeps a claimed message from other replicas. It outlives every attempt, so that only the message of a
	// process that died is tried again after it.
	lease = SendTimeout + 15*time.Second
	// firstBackoff is the longest wait before the second attempt; it doubles up to longestBackoff.
	firstBackoff   = 2 * time.Second
	longestBackoff = time.Hour
	// GiveUpAfter is how old a message may be at an attempt that fails, before it becomes a dead letter.
	GiveUpAfter = 24 * time.Hour
	// settleTimeout bounds writing down how an attempt ended, also when the process ends.
	settleTimeout = 5 * time.Second
	// retryStore is how long the dispatcher waits after the store failed.
	retryStore = time.Second
	// maxError bounds what is kept of an error, in bytes.
	maxError = 500
)

// Sender delivers to one destination.
type Sender interface {
	// Send returns nil when the destination has the message, with the id of what it became there, if it has one. It may
	// be called again with the same Key for one that arrived: whoever receives it, or Send, recognises it by that.
	Send(ctx context.Context, d store.Delivery) (remote string, err error)
}

// Permanent is an error that no later attempt can mend.
type Permanent struct{ Err error }

// Error makes a Permanent an error.
func (p *Permanent) Error() string { return p.Err.Error() }

// Unwrap returns what happened.
func (p *Permanent) Unwrap() error { return p.Err }

// Later is an error of a destination that says when to come back.
type Later struct {
	Err   error
	After time.Duration
}

// Error makes a Later an error.
func (l *Later) Error() string { return l.Err.Error() }

// Unwrap returns what happened.
func (l *Later) Unwrap() error { return l.Err }

// Config is what a Dispatcher is made of. Jitter has a working default.
type Config struct {
	Store store.Store
	Clock clock.WithTicker
	Log   *slog.Logger
	// Lookup returns the Sender of a destination, or nil where nothing is sent to it.
	Lookup     func(destination string) Sender
	Registerer prometheus.Registerer
	// Jitter returns a random time below a limit above zero.
	Jitter func(limit time.Duration) time.Duration
}

// Dispatcher delivers while Run runs. Any number of replicas may do so.
type Dispatcher struct {
	Config
	metrics *metrics
	// kick holds one signal: there may be something to deliver.
	kick chan struct{}
	mu   sync.Mutex
	// sending counts the attempts in progress by destination.
	sending map[string]int
	wg      sync.WaitGroup
}

// New makes a Dispatcher.
func New(c Config) *Dispatcher {
	if c.Jitter == nil {
		c.Jitter = func(limit time.Duration) time.Duration { return rand.N(limit) }
	}
	d := &Dispatcher{Config: c, kick: make(chan struct{}, 1), sending: map[string]int{}, metrics: newMetrics()}
	c.Registerer.MustRegister(d.metrics.deliveries, d)
	return d
}

// Kick lets the Dispatcher look for something to deliver.
func (d *Dispatcher) Kick() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends, and returns when the attempts in progress have ended.
func (d *Dispatcher) Run(ctx context.Context) error {
	defer d.wg.Wait()
	for {
		begin := d.Clock.Now()
		wait, err := d.round(ctx)
		if err != nil && ctx.Err() == nil {
			d.Log.Error("reading the outbox failed and is tried again", "error", err)
			wait = retryStore
		}
		var timer <-chan time.Time
		stop := func() {}
		if wait > 0 {
			left := wait - d.Clock.Since(begin)
			if left <= 0 && ctx.Err() == nil {
				continue // it became due meanwhile: a timer for no time need not fire before the clock goes on
			}
			t := d.Clock.NewTimer(left)
			timer, stop = t.C(), func() { t.Stop() }
		}
		select {
		case <-ctx.Done():
			stop()
			return nil
		case <-d.kick:
		case <-timer:
		}
		stop()
	}
}

// round begins what can be tried now, and returns how long to wait for the next message; zero if there is none.
func (d *Dispatcher) round(ctx context.Context) (wait time.Duration, err error) {
	var due map[string]time.Time
	var now time.Time // the store's: replicas may disagree
	if err := d.Store.View(ctx, func(r store.Reader) (err error) {
		if now, err = r.Now(); err != nil {
			return err
		}
		due, err = r.OutboxDue()
		return err
	}); err != nil {
		return 0, err
	}
	for destination, at := range due {
		left := at.Sub(now)
		if left <= 0 {
			if left, err = d.claim(ctx, destination); err != nil {
				return 0, err
			}
		}
		if left > 0 && (wait == 0 || left < wait) {
			wait = left
		}
	}
	return wait, nil
}

// claim begins attempts to one destination, as many as there is room for. The end of each kicks the Dispatcher. Where
// another replica holds what is due, it returns when to look whether it did something with it.
func (d *Dispatcher) claim(ctx context.Context, destination string) (wait time.Duration, err error) {
	d.mu.Lock()
	room := perDestination - d.sending[destination]
	d.mu.Unlock()
	if room <= 0 {
		return 0, nil
	}
	var claimed []store.Delivery
	err = d.Store.Update(ctx, func(tx store.Tx) (err error) {
		claimed, err = tx.ClaimOutbox(destination, room, lease)
		return err
	})
	if err != nil {
		return 0, err
	}
	if len(claimed) == 0 {
		return retryStore, nil
	}
	d.mu.Lock()
	d.sending[destination] += len(claimed)
	d.mu.Unlock()
	for _, m := range claimed {
		d.wg.Go(func() {
			d.attempt(ctx, m)
			d.mu.Lock()
			d.sending[destination]--
			d.mu.Unlock()
			d.Kick()
		})
	}
	return 0, nil
}

// attempt tries to deliver a message and writes down how that ended.
func (d *Dispatcher) attempt(ctx context.Context, m store.Delivery) {
	remote, err := d.send(ctx, m)
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	outcome := "delivered"
	failed := d.Store.Update(settling, func(tx store.Tx) error {
		if err == nil {
			return tx.Delivered(m, remote)
		}
		now, failed := tx.Now()
		if failed != nil {
			return failed
		}
		why := clip(err.Error())
		if hopeless(err, m, now) {
			outcome = "dead"
			return tx.GiveUp(m, why)
		}
		outcome = "failed"
		return tx.Retry(m, why, d.retryAt(ctx, err, m, now))
	})
	if failed != nil { // another attempt follows when the lease is over
		d.Log.Error("the end of a delivery could not be written down", "destination", m.Destination,
			"conversation", m.Conversation, "key", m.Key, "error", failed)
		return
	}
	d.metrics.deliveries.WithLabelValues(m.Destination, outcome).Inc()
	if outcome == "dead" {
		d.Log.Error("a message was given up and is a dead letter", "destination", m.Destination,
			"conversation", m.Conversation, "key", m.Key, "attempts", m.Attempts, "error", err)
	}
}

func (d *Dispatcher) send(ctx context.Context, m store.Delivery) (remote string, err error) {
	sender := d.Lookup(m.Destination)
	if sender == nil {
		return "", &Permanent{fmt.Errorf("nothing is sent to %s: the Copilot names none, or this release does not serve it", m.Destination)}
	}
	ctx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	return sender.Send(ctx, m)
}

// hopeless says whether a failed message is given up.
func hopeless(err error, m store.Delivery, now time.Time) bool {
	var permanent *Permanent
	return errors.As(err, &permanent) || now.Sub(m.Since) >= GiveUpAfter
}

// retryAt returns when a failed message is tried again: after a random part of a time that doubles ("full jitter"), so
// that many messages that failed together do not come back together; or when the destination said.
func (d *Dispatcher) retryAt(ctx context.Context, err error, m store.Delivery, now time.Time) time.Time {
	if ctx.Err() != nil { // the process ends: the attempt says nothing about the destination
		return now
	}
	var later *Later
	if errors.As(err, &later) && later.After > 0 {
		return now.Add(min(later.After, longestBackoff) + d.Jitter(firstBackoff))
	}
	limit := longestBackoff
	if doublings := m.Attempts - 1; doublings < 11 { // 2 s, eleven times doubled, is above an hour
		limit = min(firstBackoff<<max(doublings, 0), longestBackoff)
	}
	return now.Add(d.Jitter(limit))
}

// clip makes an error something that the store can keep.
func clip(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "")
	if len(s) > maxError {
		s = strings.ToValidUTF8(s[:maxError], "") + "…"
	}
	return s
}
