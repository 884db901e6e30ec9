package store

import (
	"context"
	"slices"
	"sync"
)

// bus carries wake-ups to the listeners of this process.
type bus struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
}

// listener has what it was not told yet.
type listener struct {
	pending Wake
	signal  chan struct{}
}

func newBus() *bus { return &bus{listeners: map[*listener]struct{}{}} }

// publish never waits: what a listener has not taken yet is merged.
func (b *bus) publish(w Wake) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		l.pending.merge(w)
		select {
		case l.signal <- struct{}{}:
		default:
		}
	}
}

func (w *Wake) merge(more Wake) {
	w.Queue, w.Outbox, w.Reread = w.Queue || more.Queue, w.Outbox || more.Outbox, w.Reread || more.Reread
	w.Conversations = union(w.Conversations, more.Conversations)
	w.Agents = union(w.Agents, more.Agents)
	w.Turns = union(w.Turns, more.Turns)
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// listen calls fn until ctx ends.
func (b *bus) listen(ctx context.Context, fn func(Wake)) error {
	l := &listener{signal: make(chan struct{}, 1)}
	b.mu.Lock()
	b.listeners[l] = struct{}{}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, l)
	}()
	fn(Wake{Reread: true})
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.signal:
			fn(b.take(l))
		}
	}
}

func (b *bus) take(l *listener) Wake {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := l.pending
	l.pending = Wake{}
	return w
}
