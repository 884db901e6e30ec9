package upgrade

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Slots lets a few upgrade at a time and wakes those who wait for their turn. What is under way is read off the cluster
// by the caller, so another process counts on from there; here is only what a cache may not show yet.
type Slots struct {
	limit int
	wake  func(types.NamespacedName)

	mu      sync.Mutex
	taken   map[types.NamespacedName]bool
	stuck   map[types.NamespacedName]bool
	waiting []types.NamespacedName
	// blocking are those that somebody who was refused saw under way. Not all of them are in taken.
	blocking map[types.NamespacedName]bool
}

// Running is an upgrade that is under way in the cluster.
type Running struct {
	Copilot types.NamespacedName
	Stuck   bool
}

// NewSlots makes slots for limit upgrades at a time. wake has one who waits asked again; it must not block.
func NewSlots(limit int, wake func(types.NamespacedName)) *Slots {
	return &Slots{
		limit: limit, wake: wake,
		taken:    map[types.NamespacedName]bool{},
		stuck:    map[types.NamespacedName]bool{},
		blocking: map[types.NamespacedName]bool{},
	}
}

// Limit is how many may upgrade at a time.
func (s *Slots) Limit() int { return s.limit }

// Take gives key a slot if one is free beside those under way, and else puts it at the end of those who wait. list
// is called while nobody can leave: were it read before, somebody could leave in between and wake nobody.
func (s *Slots) Take(key types.NamespacedName, list func() ([]Running, error)) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	underWay, err := list()
	if err != nil {
		return false, err
	}
	s.sync(key, underWay)
	if !s.taken[key] && s.free(underWay) == 0 {
		if !slices.Contains(s.waiting, key) {
			s.waiting = append(s.waiting, key)
		}
		for _, r := range underWay {
			s.blocking[r.Copilot] = true
		}
		return false, nil
	}
	s.taken[key] = true
	s.unqueue(key)
	if s.free(underWay) > 0 {
		s.wakeNext()
	}
	return true, nil
}

func (s *Slots) free(underWay []Running) int {
	used := len(s.taken)
	for _, r := range underWay {
		if !s.taken[r.Copilot] {
			used++
		}
	}
	return max(0, s.limit-used)
}

// Hold notes that key's upgrade is under way, and whether it is stuck. Those who wait, and saw it otherwise, are woken.
func (s *Slots) Hold(key types.NamespacedName, stuck bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[key] = true
	s.unqueue(key)
	s.mark(key, stuck)
}

// Leave notes that key neither upgrades nor waits. If it did, or was in somebody's way, the next one is woken.
func (s *Slots) Leave(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if queued := s.unqueue(key); !queued && !s.taken[key] && !s.blocking[key] {
		return
	}
	delete(s.taken, key)
	delete(s.blocking, key)
	s.wakeNext()
}

// Gone notes that key and its Deployment no longer exist. What it held may only now be free.
func (s *Slots) Gone(key types.NamespacedName) {
	s.Leave(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeNext()
}

// sync notes what is stuck, as asker sees it.
func (s *Slots) sync(asker types.NamespacedName, underWay []Running) {
	now := map[types.NamespacedName]bool{}
	for _, r := range underWay {
		if r.Stuck {
			now[r.Copilot] = true
		}
	}
	if !maps.Equal(now, s.stuck) {
		s.stuck = now
		s.wakeAll(asker)
	}
}

func (s *Slots) mark(key types.NamespacedName, stuck bool) {
	if s.stuck[key] == stuck {
		return
	}
	if stuck {
		s.stuck[key] = true
	} else {
		delete(s.stuck, key)
	}
	s.wakeAll(key)
}

func (s *Slots) wakeAll(except types.NamespacedName) {
	for _, key := range s.waiting {
		if key != except {
			s.wake(key)
		}
	}
}

func (s *Slots) unqueue(key types.NamespacedName) bool {
	before := len(s.waiting)
	s.waiting = slices.DeleteFunc(s.waiting, func(k types.NamespacedName) bool { return k == key })
	return len(s.waiting) < before
}

func (s *Slots) wakeNext() {
	if len(s.waiting) > 0 {
		s.wake(s.waiting[0])
	}
}
