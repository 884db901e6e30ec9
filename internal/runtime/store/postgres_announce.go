package store

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// maxPayload is what PostgreSQL takes in one notification, in bytes.
	maxPayload = 7999
	// reannounce is the longest wait before wake-ups that could not be sent are sent again.
	reannounce = 500 * time.Millisecond
	// farewell bounds what a store that is closed still does.
	farewell = 2 * time.Second
)

// announcer tells all listeners of a schema what was committed. A notification inside of a transaction would let the
// transactions of the whole server commit one after the other, so it follows the commit in a transaction of its own, one
// at a time for all that came meanwhile. What a process that dies in between did not send is made good by whoever finds
// its lease run out (see Tx.LeaseReplica).
type announcer struct {
	mu      sync.Mutex
	pending Wake
	signal  chan struct{}
	done    chan struct{}
	stop    context.CancelFunc
}

// announce notes what has been committed.
func (a *announcer) announce(w Wake) {
	a.mu.Lock()
	a.pending.merge(w)
	a.mu.Unlock()
	select {
	case a.signal <- struct{}{}:
	default:
	}
}

// take returns the notification of what is to be told, or "" if there is nothing.
func (a *announcer) take() (w Wake, payload string) {
	a.mu.Lock()
	w, a.pending = a.pending, Wake{}
	a.mu.Unlock()
	text, err := json.Marshal(w)
	switch {
	case err == nil && string(text) == "{}":
		return w, ""
	case err != nil || len(text) > maxPayload:
		return w, `{"r":true}`
	}
	return w, string(text)
}

// startAnnouncing sends until stop was called, and then what is left.
func (s *Postgres) startAnnouncing() {
	ctx, cancel := context.WithCancel(context.Background())
	s.announcer = &announcer{signal: make(chan struct{}, 1), done: make(chan struct{}), stop: cancel}
	go func() {
		defer close(s.done)
		for {
			select {
			case <-s.signal:
				s.sendAll(ctx)
			case <-ctx.Done():
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
				defer cancel()
				s.sendAll(last)
				return
			}
		}
	}()
}

// sendAll sends what is to be told, and tries until it succeeds or ctx ends.
func (s *Postgres) sendAll(ctx context.Context) {
	for {
		w, payload := s.take()
		if payload == "" {
			return
		}
		err := s.bounded(ctx, func(ctx context.Context) error {
			_, err := s.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, s.schema, payload)
			return err
		})
		if err == nil {
			return
		}
		s.announce(w) // to be merged with what comes
		timer := time.NewTimer(reannounce/2 + rand.N(reannounce/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// stopAnnouncing sends what is left and returns.
func (a *announcer) stopAnnouncing() {
	a.stop()
	<-a.done
}
