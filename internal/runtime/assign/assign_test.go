package assign

import (
	"testing"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

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
