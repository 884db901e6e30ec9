package assign_test

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
)

// crowd is a table of agents in pools of at most 200, where each pool is the first ring of a type of issue of its own and
// the next pool the second, with everybody there and one unit of work short of full.
func crowd(agents int) (*routing.Table, *assign.Board) {
	pools := max(10, (agents+199)/200)
	tb := &routing.Table{Policy: &routing.Policy{}}
	for i := range pools {
		p := pool(fmt.Sprintf("p%03d", i), "Balanced")
		for j := i; j < agents; j += pools {
			p.Agents = append(p.Agents, person(fmt.Sprintf("a%05d", j), 4, map[string]int{fmt.Sprint("issue", i): j%5 + 1}, "en"))
		}
		tb.Pools = append(tb.Pools, p)
	}
	for i := range pools {
		tb.Policy.Routes = append(tb.Policy.Routes, routing.Route{Name: fmt.Sprint("r", i), IssueTypes: []string{fmt.Sprint("issue", i)},
			Targets: []routing.Target{{Pool: tb.Pools[i].Name, MinLevel: 1, For: lasting(time.Minute)}, {Pool: tb.Pools[(i+1)%pools].Name}}})
	}
	b := assign.NewBoard(tb, t0)
	for j := range agents {
		b.SetAgent(busy(j))
	}
	return tb, b
}

// busy is agent j as crowd leaves them: with different loads, and room for more.
func busy(j int) assign.Agent {
	a := there(fmt.Sprintf("a%05d", j), j%4)
	a.Load.IdleSince = t0.Add(-time.Duration(j%977) * time.Second)
	return a
}

// number is the number of the agent with an address that busy made.
func number(b *testing.B, address string) (j int) {
	b.Helper()
	if _, err := fmt.Sscanf(address, "a%05d@", &j); err != nil {
		b.Fatal(err)
	}
	return j
}

// BenchmarkPick puts a conversation on a board of 5,000 agents in 25 pools, finds who gets it, and gives the agent their
// room back. Each time it is of another pool. The floor looks once at every agent's load in one flat slice.
func BenchmarkPick(b *testing.B) {
	const agents = 5000
	b.Run("floor-scan", func(b *testing.B) {
		all := make([]assign.Agent, agents)
		for j := range all {
			all[j] = busy(j)
		}
		for b.Loop() {
			best := slices.MinFunc(all, func(x, y assign.Agent) int {
				return cmp.Or(cmp.Compare(x.Load.Units, y.Load.Units), x.Load.IdleSince.Compare(y.Load.IdleSince))
			})
			if best.Email == "" {
				b.Fatal("nobody")
			}
		}
	})
	b.Run("board", func(b *testing.B) {
		tb, board := crowd(agents)
		for i := range tb.Pools { // the rings of a kind of conversation are read when the first of it waits
			board.Put(chat("c", 0, fmt.Sprint("issue", i)))
		}
		board.Remove("c")
		var times []time.Duration
		for i := 0; b.Loop(); i++ {
			begin := time.Now()
			w := chat("c", 0, fmt.Sprint("issue", i%len(tb.Pools)))
			board.Put(w)
			made := board.Match(t0.Add(time.Second), 10)
			times = append(times, time.Since(begin))
			if len(made) != 1 {
				b.Fatalf("%d offers", len(made))
			}
			board.SetAgent(busy(number(b, made[0].Candidate.Email)))
		}
		percentiles(b, times)
	})
}

func percentiles(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds())/1000, "p50-us")
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds())/1000, "p99-us")
}

// places is the floor's queue: a bare heap of times.
type places []time.Time

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i].Before(p[j]) }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *places) Push(x any)        { *p = append(*p, x.(time.Time)) }
func (p *places) Pop() any {
	last := len(*p) - 1
	x := (*p)[last]
	*p = (*p)[:last]
	return x
}

// BenchmarkSlotFrees measures one event as the queue and the staff grow together: everybody is full, n conversations
// wait, an agent's slot frees, and the one who waits longest for them is found and put back. The floor takes the first of
// a bare heap of as many times and puts it back.
func BenchmarkSlotFrees(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("floor/n=%d", n), func(b *testing.B) {
			h := make(places, n)
			for i := range h {
				h[i] = t0.Add(time.Duration(i) * time.Second)
			}
			for b.Loop() {
				heap.Push(&h, heap.Pop(&h))
			}
		})
		b.Run(fmt.Sprintf("board/n=%d", n), func(b *testing.B) {
			tb, board := crowd(n)
			full := func(j int) assign.Agent {
				a := busy(j)
				a.Load.Units = 4
				return a
			}
			for j := range n {
				board.SetAgent(full(j))
			}
			for i := range n {
				board.Put(chat(fmt.Sprintf("c%05d", i), time.Duration(i)*time.Millisecond, fmt.Sprint("issue", i%len(tb.Pools))))
			}
			now := t0.Add(time.Hour)
			if made := board.Match(now, n); len(made) > 0 {
				b.Fatalf("%d offers while everybody is full", len(made))
			}
			for i := 0; b.Loop(); i++ {
				freed := full(i % n)
				freed.Load.Units = 3
				board.SetAgent(freed)
				made := board.Match(now, 10)
				if len(made) != 1 {
					b.Fatalf("%d offers", len(made))
				}
				board.SetAgent(full(i % n))
				board.Put(made[0].Waiting)
			}
		})
	}
}
