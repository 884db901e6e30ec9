package tenant

import "sync"

// hub wakes those who follow a conversation. It carries no content: a follower reads the log from where it stands, so
// a lost or merged wake-up loses nothing.
type hub struct {
	mu        sync.Mutex
	followers map[string]map[*Follower]struct{}
}

// Follower is woken through C when there may be something new. Close must be called.
type Follower struct {
	// C holds at most one signal.
	C    chan struct{}
	id   string
	home *hub
}

func newHub() *hub { return &hub{followers: map[string]map[*Follower]struct{}{}} }

func (h *hub) follow(id string) *Follower {
	f := &Follower{C: make(chan struct{}, 1), id: id, home: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.followers[id] == nil {
		h.followers[id] = map[*Follower]struct{}{}
	}
	h.followers[id][f] = struct{}{}
	return f
}

// Close stops the wake-ups.
func (f *Follower) Close() {
	f.home.mu.Lock()
	defer f.home.mu.Unlock()
	delete(f.home.followers[f.id], f)
	if len(f.home.followers[f.id]) == 0 {
		delete(f.home.followers, f.id)
	}
}

// wakeAll wakes everybody, when nobody knows who has missed something.
func (h *hub) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, followers := range h.followers {
		signal(followers)
	}
}

func (h *hub) wake(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	signal(h.followers[id])
}

func signal(followers map[*Follower]struct{}) {
	for f := range followers {
		select {
		case f.C <- struct{}{}:
		default:
		}
	}
}
