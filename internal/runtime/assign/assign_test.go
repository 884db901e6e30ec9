package assign

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

var t0 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func agent(name string, capacity int) routing.Candidate {
	return routing.Candidate{Email: name, Capacity: capacity, Cost: 1}
}

func TestFree(t *testing.T) {
	t.Parallel()
	tests := []struct {
		units, cost, capacity int
		want                  bool
	}{
		{0, 1, 1, true},
		{1, 1, 1, false},
		{3, 1, 4, true},
		{4, 1, 4, false},
		{2, 2, 4, true},
		{3, 2, 4, false},
		{0, 9, 4, true},  // takes all of it
		{1, 9, 4, false}, // and so needs all of it
		{9, 1, 4, false}, // overdrawn by taking over
	}
	for _, test := range tests {
		c := routing.Candidate{Capacity: test.capacity, Cost: test.cost}
		if got := Free(c, Load{Units: test.units}); got != test.want {
			t.Errorf("%d units taken, %d more of %d: free is %v, want %v", test.units, test.cost, test.capacity, got, test.want)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	ring := func(c routing.Candidate, ring, level int) routing.Candidate {
		c.Ring, c.Level = ring, level
		return c
	}
	tests := map[string]struct {
		candidates []routing.Candidate
		loads      map[string]Load
		absent     []string
		passed     []string
		want       string // empty for nobody
	}{
		"nobody to choose from": {},
		"everybody is absent":   {candidates: []routing.Candidate{agent("a", 4)}, absent: []string{"a"}},
		"everybody is full": {
			candidates: []routing.Candidate{agent("a", 1)}, loads: map[string]Load{"a": {Units: 1}}},
		"who is present": {
			candidates: []routing.Candidate{agent("a", 4), agent("b", 4)}, absent: []string{"a"}, want: "b"},
		"least loaded for their capacity, not in units": {
			candidates: []routing.Candidate{agent("a", 2), agent("b", 10)},
			loads:      map[string]Load{"a": {Units: 1}, "b": {Units: 4}}, want: "b"},
		"longest idle of equal load": {
			candidates: []routing.Candidate{agent("a", 2), agent("b", 4)},
			loads:      map[string]Load{"a": {1, t0}, "b": {2, t0.Add(-time.Second)}}, want: "b"},
		"who never had work is idle longest": {
			candidates: []routing.Candidate{agent("a", 2), agent("b", 2)}, loads: map[string]Load{"a": {0, t0}}, want: "b"},
		"the better skill although busier": {
			candidates: []routing.Candidate{ring(agent("a", 2), 0, 1), ring(agent("b", 2), 0, 3)},
			loads:      map[string]Load{"b": {Units: 1}}, want: "b"},
		"the first ring although less skilled": {
			candidates: []routing.Candidate{ring(agent("a", 2), 1, 5), ring(agent("b", 2), 0, 1)}, want: "b"},
		"who passed comes after a later ring": {
			candidates: []routing.Candidate{ring(agent("a", 2), 0, 5), ring(agent("b", 2), 1, 1)},
			passed:     []string{"a"}, want: "b"},
		"who passed is asked again if nobody else is left": {
			candidates: []routing.Candidate{agent("a", 2)}, passed: []string{"a"}, want: "a"},
		"who passed rather than who is full": {
			candidates: []routing.Candidate{agent("a", 2), agent("b", 2)}, passed: []string{"a"},
			loads: map[string]Load{"b": {Units: 2}}, want: "a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			present := func(email string) bool { return !slices.Contains(test.absent, email) }
			got, ok := Choose(test.candidates, test.loads, present, test.passed)
			if ok != (test.want != "") || got.Email != test.want {
				t.Errorf("chose %q (%v), want %q", got.Email, ok, test.want)
			}
		})
	}
}

// situation is what a choice is made from.
type situation struct {
	candidates []routing.Candidate
	loads      map[string]Load
	present    map[string]bool
	passed     []string
}

func drawSituation(t *rapid.T) situation {
	s := situation{loads: map[string]Load{}, present: map[string]bool{}}
	for i := range rapid.IntRange(0, 6).Draw(t, "agents") {
		email := fmt.Sprintf("agent%d", i)
		c := agent(email, rapid.IntRange(1, 4).Draw(t, "capacity"))
		c.Cost = rapid.IntRange(1, 5).Draw(t, "cost")
		c.Ring, c.Level = rapid.IntRange(0, 1).Draw(t, "ring"), rapid.IntRange(0, 1).Draw(t, "level")
		s.candidates = append(s.candidates, c)
		s.present[email] = rapid.IntRange(0, 3).Draw(t, "present") > 0
		if rapid.Bool().Draw(t, "worked") {
			s.loads[email] = Load{rapid.IntRange(0, 5).Draw(t, "units"), t0.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "idle")))}
		}
		if rapid.IntRange(0, 3).Draw(t, "passed") == 0 {
			s.passed = append(s.passed, email)
		}
	}
	s.candidates = rapid.Permutation(s.candidates).Draw(t, "order")
	return s
}

// before says whether a comes before b: written as one question after the other.
func (s situation) before(a, b routing.Candidate) bool {
	la, lb := s.loads[a.Email], s.loads[b.Email]
	pa, pb := slices.Contains(s.passed, a.Email), slices.Contains(s.passed, b.Email)
	ra, rb := float64(la.Units)/float64(a.Capacity), float64(lb.Units)/float64(b.Capacity)
	switch {
	case pa != pb:
		return pb
	case a.Ring != b.Ring:
		return a.Ring < b.Ring
	case a.Level != b.Level:
		return a.Level > b.Level
	case ra != rb:
		return ra < rb
	case !la.IdleSince.Equal(lb.IdleSince):
		return la.IdleSince.Before(lb.IdleSince)
	default:
		return a.Email < b.Email
	}
}

func TestChooseAgainstBruteForce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		given := slices.Clone(s.candidates)
		got, ok := Choose(s.candidates, s.loads, func(email string) bool { return s.present[email] }, s.passed)
		if !slices.Equal(given, s.candidates) {
			t.Fatalf("the caller's candidates were changed")
		}
		able := func(c routing.Candidate) bool {
			units := s.loads[c.Email].Units
			return s.present[c.Email] && (units+c.Cost <= c.Capacity || (c.Cost > c.Capacity && units == 0))
		}
		if ok && !able(got) {
			t.Fatalf("%+v was chosen with load %+v, present %v", got, s.loads[got.Email], s.present[got.Email])
		}
		for _, c := range s.candidates {
			if able(c) && (!ok || (c.Email != got.Email && s.before(c, got))) {
				t.Fatalf("%+v comes before the choice %+v (%v)", c, got, ok)
			}
		}
	})
}

// Choosing and taking the slot again and again fills everybody up to their capacity and nobody beyond.
func TestChooseFillsUpToCapacity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSituation(t)
		s.loads = map[string]Load{}
		for range 100 {
			c, ok := Choose(s.candidates, s.loads, func(email string) bool { return s.present[email] }, nil)
			if !ok {
				break
			}
			load := s.loads[c.Email]
			load.Units += min(c.Cost, c.Capacity)
			s.loads[c.Email] = load
		}
		for _, c := range s.candidates {
			units, cost := s.loads[c.Email].Units, min(c.Cost, c.Capacity)
			if units > c.Capacity || (!s.present[c.Email] && units > 0) || (s.present[c.Email] && units+cost <= c.Capacity) {
				t.Fatalf("%s holds %d of %d at %d each, present %v", c.Email, units, c.Capacity, cost, s.present[c.Email])
			}
		}
	})
}
