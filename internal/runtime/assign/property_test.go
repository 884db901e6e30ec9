package assign_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
)

// plain is the reference: it looks at everybody who waits and everybody who works, each time.
type plain struct {
	table   *routing.Table
	now     time.Time
	waiting map[string]assign.Waiting
	agents  map[string]assign.Agent
}

// match returns the offers that could be made, the foremost place first.
func (m *plain) match() (made []assign.Proposal) {
	for _, w := range slices.SortedFunc(maps.Values(m.waiting), func(a, b assign.Waiting) int {
		return cmp.Or(a.Place.Compare(b.Place), cmp.Compare(a.ID, b.ID))
	}) {
		c, ok := m.choose(w)
		if !ok {
			continue
		}
		delete(m.waiting, w.ID)
		a := m.agents[c.Email]
		a.Load.Units += c.Cost
		a.Load.AssignedAt = m.now
		m.agents[c.Email] = a
		made = append(made, assign.Proposal{Waiting: w, Candidate: c})
	}
	return made
}

// choose asks one question after the other about all who are able, there and free.
func (m *plain) choose(w assign.Waiting) (best routing.Candidate, found bool) {
	for _, c := range m.table.Candidates(m.table.Follow(w.Way, w.Facts), w.Facts, max(0, m.now.Sub(w.At)), m.now) {
		a := m.agents[c.Email]
		if m.now.Before(a.Until) && a.Load.Units+min(c.Cost, c.Capacity) <= c.Capacity && (!found || m.before(w, c, best)) {
			best, found = c, true
		}
	}
	return best, found
}

func (m *plain) before(w assign.Waiting, a, b routing.Candidate) bool {
	passed := func(c routing.Candidate) bool { return slices.Contains(w.Passed, c.Email) }
	last := func(c routing.Candidate) bool {
		return c.Stickiness > 0 && w.LastAgent == c.Email && !m.now.After(w.LastAgentAt.Add(c.Stickiness))
	}
	la, lb := m.agents[a.Email].Load, m.agents[b.Email].Load
	switch {
	case passed(a) != passed(b):
		return passed(b)
	case last(a) != last(b):
		return last(a)
	case a.Ring != b.Ring:
		return a.Ring < b.Ring
	case a.Level != b.Level:
		return a.Level > b.Level
	case a.Strategy == v1alpha1.StrategyRoundRobin && !la.AssignedAt.Equal(lb.AssignedAt):
		return la.AssignedAt.Before(lb.AssignedAt)
	case a.Strategy == v1alpha1.StrategyRoundRobin:
		return a.Email < b.Email
	case la.Units*b.Capacity != lb.Units*a.Capacity:
		return la.Units*b.Capacity < lb.Units*a.Capacity
	case !la.IdleSince.Equal(lb.IdleSince):
		return la.IdleSince.Before(lb.IdleSince)
	default:
		return a.Email < b.Email
	}
}

var (
	names  = []string{"a", "b", "c", "d", "e", "f"}
	issues = []string{"", "billing", "technical"}
	tongue = []string{"", "en", "de-AT", "fr", "xx"}
)

func drawTable(t *rapid.T) *routing.Table {
	capacities := map[string]int{}
	for _, n := range names {
		capacities[n] = rapid.IntRange(1, 5).Draw(t, "capacity of "+n)
	}
	var pools []routing.Pool
	for _, name := range []string{"p", "q", "r"} {
		var agents []routing.Agent
		for _, n := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 5, rapid.ID).Draw(t, "agents of "+name) {
			a := person(n, capacities[n], map[string]int{}, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"en", "de", "fr"}), 0, 2, rapid.ID).Draw(t, "languages")...)
			for _, issue := range issues[1:] {
				if level := rapid.IntRange(0, 3).Draw(t, issue); level > 0 {
					a.Skills[issue] = level
				}
			}
			if rapid.IntRange(0, 4).Draw(t, "own hours") == 0 {
				a.Hours = drawHours(t)
			}
			agents = append(agents, a)
		}
		p := pool(name, rapid.SampledFrom([]v1alpha1.AssignmentStrategy{"Balanced", "RoundRobin"}).Draw(t, "strategy"), agents...)
		p.Costs = map[v1alpha1.ChannelType]int{web: rapid.IntRange(1, 2).Draw(t, "web"), phone: rapid.IntRange(1, 6).Draw(t, "phone")}
		p.Stickiness = lasting(time.Duration(rapid.IntRange(0, 2).Draw(t, "stickiness")) * 20 * time.Minute)
		if rapid.Bool().Draw(t, "hours") {
			p.Hours = drawHours(t)
		}
		pools = append(pools, p)
	}
	return table(drawRoutes(t), pools...)
}

func drawHours(t *rapid.T) []routing.Window {
	from := rapid.IntRange(0, 23).Draw(t, "from")
	return []routing.Window{{Days: []v1alpha1.Weekday{"Mon", "Tue"}, From: from * 60, To: rapid.IntRange(from+1, 24).Draw(t, "to") * 60}}
}

func drawRoutes(t *rapid.T) (routes []routing.Route) {
	for i := range rapid.IntRange(0, 3).Draw(t, "routes") {
		r := routing.Route{Name: fmt.Sprint("r", i)}
		if rapid.Bool().Draw(t, "narrow") {
			r.IssueTypes = []string{rapid.SampledFrom(issues[1:]).Draw(t, "issue")}
		}
		for range rapid.IntRange(1, 3).Draw(t, "targets") {
			r.Targets = append(r.Targets, routing.Target{
				Pool: rapid.SampledFrom([]string{"p", "q", "r", "none"}).Draw(t, "pool"), MinLevel: rapid.IntRange(0, 3).Draw(t, "minLevel"),
				For: lasting(time.Duration(rapid.IntRange(0, 3).Draw(t, "for")) * 7 * time.Minute),
			})
		}
		routes = append(routes, r)
	}
	return routes
}

func drawWaiting(t *rapid.T, id string, now time.Time) assign.Waiting {
	at := now.Add(-time.Duration(rapid.IntRange(0, 30).Draw(t, "waited")) * time.Minute)
	w := assign.Waiting{
		ID: id, At: at, Place: at.Add(-time.Duration(rapid.IntRange(-5, 5).Draw(t, "points")) * time.Minute),
		Facts: routing.Facts{IssueType: rapid.SampledFrom(issues).Draw(t, "issue"), Language: rapid.SampledFrom(tongue).Draw(t, "language"),
			ChannelType: rapid.SampledFrom([]v1alpha1.ChannelType{web, phone}).Draw(t, "channel")},
		Passed: drawEmails(t, "passed"),
	}
	if rapid.Bool().Draw(t, "had somebody") {
		w.LastAgent = email(rapid.SampledFrom(names).Draw(t, "last agent"))
		w.LastAgentAt = now.Add(-time.Duration(rapid.IntRange(0, 50).Draw(t, "ago")) * time.Minute)
	}
	switch rapid.IntRange(0, 9).Draw(t, "way") {
	case 0:
		w.Way = routing.Way{Pool: rapid.SampledFrom([]string{"p", "q", "none"}).Draw(t, "to pool")}
	case 1:
		w.Way = routing.Way{Agent: email(rapid.SampledFrom(names).Draw(t, "to agent"))}
	case 2:
		w.Way = routing.Way{Pool: "p", Agent: email(rapid.SampledFrom(names).Draw(t, "to agent"))}
	case 3, 4:
		w.Way = routing.Way{Route: rapid.SampledFrom([]string{"r0", "r1", "old"}).Draw(t, "route")}
	}
	return w
}

func drawEmails(t *rapid.T, label string) (out []string) {
	for _, n := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID).Draw(t, label) {
		out = append(out, email(n))
	}
	return out
}

func drawAgent(t *rapid.T, now time.Time) assign.Agent {
	a := assign.Agent{Email: email(rapid.SampledFrom(names).Draw(t, "agent"))}
	a.Load = assign.Load{Units: rapid.IntRange(0, 4).Draw(t, "units"),
		IdleSince:  now.Add(-time.Duration(rapid.IntRange(0, 2).Draw(t, "idle"))),
		AssignedAt: now.Add(-time.Duration(rapid.IntRange(0, 2).Draw(t, "assigned")))}
	if rapid.IntRange(0, 3).Draw(t, "there") > 0 {
		a.Until = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "until")) * time.Minute)
	}
	return a
}

// Whatever happens in whatever order, the board finds what looking at everything finds, and nothing is to be found
// before the time it names.
func TestBoardAgainstPlainReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &plain{table: drawTable(t), now: t0, waiting: map[string]assign.Waiting{}, agents: map[string]assign.Agent{}}
		b := assign.NewBoard(m.table, t0)
		for i := range rapid.IntRange(1, 40).Draw(t, "events") {
			event(t, m, b, fmt.Sprintf("c%02d", i))
			if rapid.IntRange(0, 2).Draw(t, "match") == 0 {
				continue // several events before anybody looks
			}
			want, got := m.match(), b.Match(m.now, 1000)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("at %s (-reference +board):\n%s", m.now, diff)
			}
			idle(t, m, b)
		}
	})
}

// event does one thing to both.
func event(t *rapid.T, m *plain, b *assign.Board, id string) {
	switch rapid.IntRange(0, 9).Draw(t, "event") {
	case 0, 1, 2, 3:
		w := drawWaiting(t, id, m.now)
		m.waiting[id] = w
		b.Put(w)
	case 4, 5, 6:
		a := drawAgent(t, m.now)
		m.agents[a.Email] = a
		b.SetAgent(a)
	case 7:
		m.now = m.now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "minutes")) * time.Minute)
		b.Tick(m.now)
	case 8:
		if len(m.waiting) > 0 {
			gone := rapid.SampledFrom(slices.Sorted(maps.Keys(m.waiting))).Draw(t, "gone")
			delete(m.waiting, gone)
			b.Remove(gone)
		}
	case 9:
		m.table = drawTable(t)
		b.Tick(m.now)
		b.Use(m.table)
	}
}

// idle checks that until the board's next time there is nothing to find.
func idle(t *rapid.T, m *plain, b *assign.Board) {
	next := b.Next()
	if !next.IsZero() && !next.After(m.now) {
		t.Fatalf("the next time %s is not after %s", next, m.now)
	}
	end := m.now.Add(30 * time.Hour)
	if !next.IsZero() && next.Before(end) {
		end = next
	}
	for at := m.now; at.Before(end); at = at.Add(7 * time.Minute) {
		later := &plain{m.table, at, maps.Clone(m.waiting), maps.Clone(m.agents)}
		if made := later.match(); len(made) > 0 {
			t.Fatalf("at %s there is %v to be found, though the board names %s", at, brief(made), next)
		}
	}
}
