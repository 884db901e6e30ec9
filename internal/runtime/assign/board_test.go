package assign_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
)

// matches checks what a board finds at a time.
func matches(t *testing.T, b *assign.Board, after time.Duration, want ...string) {
	t.Helper()
	if got := fmt.Sprint(brief(b.Match(t0.Add(after), 100))); got != fmt.Sprint(want) {
		t.Errorf("after %s: %s, want %s", after, got, fmt.Sprint(want))
	}
}

func TestStrategies(t *testing.T) {
	t.Parallel()
	at := func(a assign.Agent, idle, assigned time.Duration) assign.Agent {
		a.Load.IdleSince, a.Load.AssignedAt = t0.Add(idle), t0.Add(assigned)
		return a
	}
	for name, c := range map[string]struct {
		strategy v1alpha1.AssignmentStrategy
		agents   []assign.Agent
		want     string
	}{
		"balanced: least loaded for their capacity": {"Balanced", []assign.Agent{there("small", 1), there("big", 4)}, "big"},
		"balanced: longest idle of equal load":      {"Balanced", []assign.Agent{at(there("small", 1), 0, 0), at(there("big", 5), -time.Second, 9)}, "big"},
		"balanced: who never worked":                {"Balanced", []assign.Agent{at(there("small", 0), 0, 0), there("big", 0)}, "big"},
		"round robin: assigned longest ago, though busier and less idle": {"RoundRobin",
			[]assign.Agent{at(there("small", 1), 5, -2), at(there("big", 0), 0, -1)}, "small"},
		"round robin: who never had any": {"RoundRobin", []assign.Agent{at(there("small", 0), 0, -time.Hour), there("big", 9)}, "big"},
		"by address at last":             {"RoundRobin", []assign.Agent{there("small", 0), there("big", 0)}, "big"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := assign.NewBoard(table(to(routing.Target{Pool: "p"}), pool("p", c.strategy, person("small", 2, nil), person("big", 10, nil))), t0)
			for _, a := range c.agents {
				b.SetAgent(a)
			}
			b.Put(chat("c", 0, ""))
			matches(t, b, 0, "c>"+c.want+"/0")
		})
	}
}

// Round robin gives everybody one before anybody a second, also while nobody has accepted.
func TestRoundRobinGoesRound(t *testing.T) {
	t.Parallel()
	b := assign.NewBoard(table(to(routing.Target{Pool: "p"}),
		pool("p", "RoundRobin", person("a", 5, nil), person("b", 5, nil), person("c", 5, nil))), t0)
	for _, name := range []string{"c", "b", "a"} {
		b.SetAgent(there(name, 0))
	}
	for i, want := range []string{"a", "b", "c", "a", "b", "c"} {
		b.Put(chat("x", 0, ""))
		matches(t, b, time.Duration(i+1)*time.Second, "x>"+want+"/0")
	}
}

func TestStickiness(t *testing.T) {
	t.Parallel()
	sticky := pool("p", "Balanced", person("new", 4, nil), person("old", 4, nil))
	sticky.Stickiness = lasting(time.Hour)
	tb := table(to(routing.Target{Pool: "p"}), sticky)
	for name, c := range map[string]struct {
		old    assign.Agent
		ago    time.Duration
		passed []string
		want   string
	}{
		"the last agent, though busier":        {there("old", 3), time.Hour, nil, "old"},
		"not for ever":                         {there("old", 3), time.Hour + 1, nil, "new"},
		"not if full":                          {there("old", 4), 0, nil, "new"},
		"not if absent":                        {assign.Agent{Email: email("old")}, 0, nil, "new"},
		"not if they let this one pass":        {there("old", 0), 0, []string{email("old")}, "new"},
		"again where everybody let it pass":    {there("old", 3), 0, []string{email("old"), email("new")}, "old"},
		"not before who did not let it pass":   {there("old", 0), 0, []string{email("old")}, "new"},
		"somebody else's last agent is no one": {there("old", 3), 0, nil, "old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := assign.NewBoard(tb, t0)
			b.SetAgent(there("new", 1))
			b.SetAgent(c.old)
			w := chat("c", 0, "")
			w.LastAgent, w.LastAgentAt, w.Passed = email("old"), t0.Add(-c.ago), c.passed
			b.Put(w)
			matches(t, b, 0, "c>"+c.want+"/0")
		})
	}
}

// A call takes four units where a chat takes one; where it is more than an agent has, it takes all.
func TestWeightedCapacity(t *testing.T) {
	t.Parallel()
	b := assign.NewBoard(table(to(routing.Target{Pool: "p"}), pool("p", "Balanced", person("big", 6, nil), person("small", 2, nil))), t0)
	b.SetAgent(there("big", 2))
	b.SetAgent(there("small", 1))
	call := func(id string) assign.Waiting {
		w := chat(id, 0, "")
		w.Facts.ChannelType = phone
		return w
	}
	b.Put(call("call1"))
	b.Put(call("call2"))
	b.Put(chat("chat", time.Second, ""))
	matches(t, b, 0, "call1>big/0", "chat>small/0")
	b.SetAgent(there("small", 1))
	matches(t, b, 0) // room for a chat, not for a call
	b.SetAgent(there("small", 0))
	matches(t, b, 0, "call2>small/0")
}

// Time alone opens a ring, begins a shift and ends a presence; the board says when.
func TestTimePasses(t *testing.T) {
	t.Parallel()
	late := pool("late", "Balanced", person("l", 1, nil))
	late.Hours = []routing.Window{{Days: []v1alpha1.Weekday{"Mon"}, From: 10 * 60, To: 11 * 60}}
	b := assign.NewBoard(table(to(routing.Target{Pool: "first", For: lasting(time.Minute)}, routing.Target{Pool: "late"}),
		pool("first", "Balanced", person("f", 1, nil)), late), t0)
	b.SetAgent(there("f", 1))
	b.SetAgent(there("l", 0))
	if !b.Next().IsZero() {
		t.Errorf("nobody waits, yet something is due at %s", b.Next())
	}
	b.Put(chat("c", 0, ""))
	b.Put(chat("d", 30*time.Minute, ""))
	for _, want := range []time.Duration{time.Hour, 2 * time.Hour} { // the ring of nobody opens to nobody; the shift does
		if next := b.Next(); !next.Equal(t0.Add(want)) {
			t.Fatalf("next at %s, want %s", next, t0.Add(want))
		}
		if want == time.Hour {
			matches(t, b, want-1)
			matches(t, b, want, "c>l/1")
			b.SetAgent(there("l", 1))
		}
	}
	matches(t, b, 2*time.Hour)
	gone := there("f", 0)
	gone.Until = t0.Add(3 * time.Hour)
	b.SetAgent(gone)
	matches(t, b, 3*time.Hour) // gone at this moment
}

// Who waits is served by place, not in the order of arrival; a human's choice of an agent counts before the pool.
func TestPlaceAndPins(t *testing.T) {
	t.Parallel()
	b := assign.NewBoard(table(to(routing.Target{Pool: "p"}), pool("p", "Balanced", person("a", 1, nil), person("b", 1, nil)),
		pool("q", "Balanced", person("c", 3, nil))), t0)
	urgent := chat("urgent", time.Minute, "")
	urgent.Place = t0.Add(-time.Minute)
	pinned := chat("pinned", time.Second, "")
	pinned.Way = routing.Way{Pool: "q", Agent: email("b")}
	only := chat("only", 0, "")
	only.Way = routing.Way{Agent: email("a")}
	for _, w := range []assign.Waiting{chat("long", 0, ""), urgent, pinned, only} {
		b.Put(w)
	}
	b.SetAgent(there("b", 0))
	matches(t, b, time.Minute, "urgent>b/0")
	b.SetAgent(there("b", 0))
	b.SetAgent(there("c", 0))
	matches(t, b, time.Minute, "long>b/0", "pinned>c/1")
	b.SetAgent(there("c", 0))
	matches(t, b, time.Minute)
	b.SetAgent(there("a", 0))
	matches(t, b, time.Minute, "only>a/0")
}

// Customers cannot make the board grow by inventing languages.
func TestUnspokenLanguagesAreOne(t *testing.T) {
	t.Parallel()
	tb := table(to(routing.Target{Pool: "p"}), pool("p", "Balanced", person("de", 1, nil, "de-AT"), person("en", 1, nil, "en")))
	b := assign.NewBoard(tb, t0)
	for i := range 1000 {
		w := chat(fmt.Sprint(i), 0, "")
		w.Facts.Language = fmt.Sprintf("x%c%c", 'a'+i/26%26, 'a'+i%26)
		b.Put(w)
	}
	if n := b.Classes(); n != 1 {
		t.Errorf("%d classes", n)
	}
	german := chat("german", time.Hour, "")
	german.Facts.Language = "de"
	b.Put(german)
	b.SetAgent(there("de", 0))
	matches(t, b, 0, "0>de/0")
	b.SetAgent(there("en", 1))
	b.SetAgent(there("de", 0))
	for i := 1; i < 1000; i++ {
		b.Remove(fmt.Sprint(i))
	}
	matches(t, b, 0, "german>de/0")
}
