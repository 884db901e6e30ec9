package engine_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
	"github.com/opencopilot/handoff-operator/test/engine"
)

// stormy is a table for a Storm, with a model that talks until the test ends.
func stormy(t *testing.T) *routing.Table {
	t.Helper()
	table := Table(8, 10)
	model := NewModel(t, table)
	stop := make(chan struct{})
	var talking sync.WaitGroup
	talking.Go(func() { talk(model, 8, stop, &talking) })
	t.Cleanup(func() {
		close(stop)
		talking.Wait()
	})
	return table
}

// fair fails the test for what went wrong in a Storm.
func fair(t *testing.T, s *engine.Storm) {
	t.Helper()
	for i, err := range s.Problems() {
		if t.Error(err); i == 20 {
			t.Error("and more")
			return
		}
	}
}

// Replicas are killed and started again while many conversations run. What somebody was told is done is in the log, what
// customers saw is what the log has, nobody waits for ever, and the auditor finds nothing.
func TestKillStorm(t *testing.T) {
	t.Parallel()
	conversations := soak(t, "STORM_CONVERSATIONS", 50, 5000)
	table := stormy(t)
	f := engine.New(t, engine.Options{Table: table, Replicas: 4})
	s := must[*engine.Storm](t)(engine.NewStorm(t.Context(), f))
	began, stop := time.Now(), make(chan struct{})
	var killing sync.WaitGroup
	kills := 0
	killing.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(rand.N(4 * time.Second)): //nolint:gosec // jitter
			}
			victim := f.Replicas[rand.IntN(len(f.Replicas))] //nolint:gosec // which one does not matter
			s.Lost.Add(1)
			victim.Kill()
			victim.Start()
			kills++
		}
	})
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range conversations {
			if i%100 == 99 {
				t.Logf("%d of %d conversations begun, %d done, %d connections cut, %s", i, conversations, s.Done.Load(), s.Cut.Load(), time.Since(began).Round(time.Second))
			}
			next <- i
		}
	}()
	s.Run(t.Context(), min(conversations, 50), next)
	close(stop)
	killing.Wait()
	fair(t, s)
	v := audited(t, f, &s.Promises)
	for _, c := range v.Waiting() {
		t.Errorf("somebody waits in %s: %+v", c.ID, c)
	}
	t.Logf("%d conversations, %d kills, %d connections cut, %d taken over, %d of \"try again\", in %s", conversations, kills,
		s.Cut.Load(), s.Taken.Load(), s.Unavailable.Load(), time.Since(began).Round(time.Second))
	longest, what := s.Longest()
	t.Logf("the longest wait was %s, in %s", longest.Round(time.Millisecond), what)
	if kills == 0 || s.Cut.Load() == 0 {
		t.Error("nobody noticed a kill: the test does not reach what it is for")
	}
}
