package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// errNotOpened is why a Switch is not usable before its first database.
var errNotOpened = errors.New("the database was not opened yet")

// Switch is a Store whose database becomes known while it is in use, and may become another: a new password, or a server
// that moved. Without one its methods return ErrUnavailable.
type Switch struct {
	mu      sync.Mutex
	current *inUse
	// why says what keeps the first database from being opened.
	why error
	// changed is closed when current is another.
	changed chan struct{}
	closed  bool
	closing sync.WaitGroup
}

var _ Store = (*Switch)(nil)

// inUse is a Store with its users.
type inUse struct {
	Store
	users sync.WaitGroup
}

// NewSwitch returns a Switch without a database.
func NewSwitch() *Switch { return &Switch{why: errNotOpened, changed: make(chan struct{})} }

// Set makes s the database. The one before is closed when its transactions have ended. The Switch closes s; at once, if
// it was closed itself.
func (w *Switch) Set(s Store) {
	w.mu.Lock()
	before := &inUse{Store: s}
	if !w.closed {
		before, w.current = w.current, before
		w.notify()
	}
	if before != nil {
		w.closing.Go(func() {
			before.users.Wait()
			_ = before.Close() // it was given up
		})
	}
	w.mu.Unlock()
}

// Fail notes why no database could be opened, for as long as there is none. Whoever listens goes on waiting for one.
func (w *Switch) Fail(why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.why = why
}

func (w *Switch) notify() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// use calls do with the database of now, which stays open meanwhile.
func (w *Switch) use(do func(Store) error) error {
	w.mu.Lock()
	current, why := w.current, w.why
	if current == nil {
		w.mu.Unlock()
		return fmt.Errorf("%w: %w", ErrUnavailable, why)
	}
	current.users.Add(1)
	w.mu.Unlock()
	defer current.users.Done()
	return do(current.Store)
}

// Update is described at Store.
func (w *Switch) Update(ctx context.Context, fn func(Tx) error) error {
	return w.use(func(s Store) error { return s.Update(ctx, fn) })
}

// View is described at Store.
func (w *Switch) View(ctx context.Context, fn func(Reader) error) error {
	return w.use(func(s Store) error { return s.View(ctx, fn) })
}

// Key is described at Store.
func (w *Switch) Key(ctx context.Context, name string) (key []byte, err error) {
	err = w.use(func(s Store) error {
		key, err = s.Key(ctx, name)
		return err
	})
	return key, err
}

// Ping is described at Store.
func (w *Switch) Ping(ctx context.Context) error {
	return w.use(func(s Store) error { return s.Ping(ctx) })
}

// Shared is described at Store.
func (w *Switch) Shared() bool { return true }

// Listen is described at Store. Another database begins with Reread, as a lost connection does.
func (w *Switch) Listen(ctx context.Context, fn func(Wake)) error {
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		listening, cancel := context.WithCancel(ctx)
		go func() {
			defer cancel()
			select {
			case <-changed:
			case <-listening.Done():
			}
		}()
		_ = w.use(func(s Store) error { return s.Listen(listening, fn) }) // its end, or that there is none yet
		<-listening.Done()                                                // by the change, or with ctx
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Close waits for transactions in progress. Listen returns when its context ends, as before.
func (w *Switch) Close() error {
	w.mu.Lock()
	current := w.current
	w.current, w.why, w.closed = nil, errors.New("the store is closed"), true
	w.notify() // or a listener would be a user for ever
	w.mu.Unlock()
	w.closing.Wait()
	if current == nil {
		return nil
	}
	current.users.Wait()
	return current.Close()
}
