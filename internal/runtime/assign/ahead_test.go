package assign_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
)

// Who waits for none of the same pools is not ahead, whatever their place; who does is, also along another route and for
// another type of issue.
func TestAheadCountsThoseForTheSamePools(t *testing.T) {
	t.Parallel()
	pools := []routing.Pool{pool("p", "Balanced", person("a", 1, nil)), pool("q", "Balanced", person("b", 1, nil)), pool("r", "Balanced", person("c", 1, nil))}
	on := func(issueType string, targets ...string) routing.Route {
		r := routing.Route{Name: issueType, IssueTypes: []string{issueType}}
		for _, name := range targets {
			r.Targets = append(r.Targets, routing.Target{Pool: name, For: lasting(time.Minute)})
		}
		return r
	}
	meet := map[string][]string{
		"one": {"one", "both"}, "other": {"other", "both", "third"}, "both": {"one", "other", "both", "third"},
		"third": {"third", "other", "both"}, "none": {"none"},
	}
	issues := []string{"one", "other", "both", "third", "none"}
	b := table([]routing.Route{on("one", "p"), on("other", "q", "r"), on("both", "p", "q"), on("third", "r", "q")}, pools...)
	rapid.Check(t, func(t *rapid.T) {
		board := assign.NewBoard(b, t0)
		var all []assign.Waiting
		for i := range rapid.IntRange(1, 40).Draw(t, "waiting") {
			w := chat(fmt.Sprint("c", i), time.Duration(rapid.IntRange(-300, 0).Draw(t, "since"))*time.Second, rapid.SampledFrom(issues).Draw(t, "issue"))
			all = append(all, w)
			if i > 0 { // the first is about to wait
				board.Put(w)
			}
		}
		board.Tick(t0)
		for _, w := range all {
			want := 0
			for _, o := range all[1:] {
				before := o.Place.Before(w.Place) || o.Place.Equal(w.Place) && o.ID < w.ID
				if before && slices.Contains(meet[w.Facts.IssueType], o.Facts.IssueType) {
					want++
				}
			}
			if got := board.Ahead(w); got != want {
				t.Fatalf("%d ahead of %s for %s, want %d", got, w.ID, w.Facts.IssueType, want)
			}
		}
	})
}
