package tenant_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

const wrapUp = 30 * time.Second

func wrapUpTable() *routing.Table {
	table := Table(1, 1)
	table.Pools[0].WrapUp = metav1.Duration{Duration: wrapUp}
	return table
}

// wrappingUp has an agent who has just resolved a conversation, and another customer who waits.
func wrappingUp(t *testing.T) (w *World, done, next string) {
	t.Helper()
	w = New(t, Options{Table: wrapUpTable()})
	w.SetState("a0", store.Online)
	done = accepted(t, w, "a0")
	next = wait(w)
	w.Clock.Step(time.Minute)
	c, err := w.Resolve(t.Context(), done, w.AgentNamed("a0"), "")
	if err != nil || c.Owner.Kind != conversation.OwnerAI {
		t.Fatalf("resolved: %+v, %v", c, err)
	}
	if all := wrapUps(t, w, "a0"); len(all) != 1 || all[0].Conversation != done || !all[0].Until.Equal(w.Clock.Now().Add(wrapUp)) {
		t.Fatalf("wrap-ups: %+v", all)
	}
	return w, done, next
}

func wrapUps(t *testing.T, w *World, name string) []store.WrapUp {
	t.Helper()
	_, all, err := w.Mine(t.Context(), Email(name))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The units of a resolved conversation are not given out before the wrap-up is over, and then at once.
func TestWrapUpKeepsTheUnits(t *testing.T) {
	t.Parallel()
	w, done, next := wrappingUp(t)
	ends := w.Clock.Now().Add(wrapUp)
	w.Clock.AwaitTimer(t, ends)
	w.Clock.SetTime(ends.Add(-time.Nanosecond))
	another := wait(w) // looks at who is free
	if n := countType(append(w.Events(next), w.Events(another)...), conversation.EventOffered); n != 0 {
		t.Error("offered during the wrap-up")
	}
	w.Clock.SetTime(ends)
	offeredTo(t, w, next, 1, "a0")
	if all := wrapUps(t, w, "a0"); len(all) != 0 {
		t.Errorf("the wrap-up goes on: %+v", all)
	}
	if n := countType(w.Events(done), conversation.EventWrapUpEnded); n != 1 {
		t.Errorf("it ended %d times", n)
	}
}

// An agent who is done ends it; again changes nothing, and nobody else can.
func TestWrapUpEndsEarly(t *testing.T) {
	t.Parallel()
	w, done, next := wrappingUp(t)
	if _, err := w.EndWrapUp(t.Context(), done, routing.Agent{Email: "eve@agents.example"}); err != nil || len(wrapUps(t, w, "a0")) != 1 {
		t.Errorf("by somebody else: %+v, %v", wrapUps(t, w, "a0"), err)
	}
	for range 2 {
		if _, err := w.EndWrapUp(t.Context(), done, w.AgentNamed("a0")); err != nil || len(wrapUps(t, w, "a0")) != 0 {
			t.Fatalf("%+v, %v", wrapUps(t, w, "a0"), err)
		}
	}
	offeredTo(t, w, next, 1, "a0")
	if n := countType(w.Events(done), conversation.EventWrapUpEnded); n != 1 {
		t.Errorf("it ended %d times", n)
	}
}

// The customer goes on talking to the AI and is taken over by the same agent: the wrap-up of the part before is over.
func TestWrapUpEndsWhenTheConversationIsTakenAgain(t *testing.T) {
	t.Parallel()
	w, done, next := wrappingUp(t)
	w.AwaitAnswer(done, w.Send(done, "q", Question).Seq)
	w.Do(w.TakeOver(t.Context(), done, w.AgentNamed("a0")))
	if all := wrapUps(t, w, "a0"); len(all) != 0 {
		t.Fatalf("%+v", all)
	}
	w.Clock.Step(wrapUp)
	if _, err := w.Resolve(t.Context(), done, w.AgentNamed("a0"), ""); err != nil {
		t.Fatal(err)
	}
	ends := w.Clock.Now().Add(wrapUp)
	w.Clock.AwaitTimer(t, ends)
	w.Clock.SetTime(ends)
	offeredTo(t, w, next, 1, "a0")
}

// Somebody else gets the conversation meanwhile and wraps it up as well: each wrap-up holds its agent's units until its own
// end.
func TestWrapUpIsTheAgentsWhoeverHasTheConversation(t *testing.T) {
	t.Parallel()
	table := wrapUpTable()
	table.Pools[0].Agents = append(table.Pools[0].Agents, Table(2, 1).Pools[0].Agents[1])
	w := New(t, Options{Table: table})
	w.SetState("a0", store.Online)
	id := accepted(t, w, "a0")
	w.Do(w.Resolve(t.Context(), id, w.AgentNamed("a0"), ""))
	begun := w.Clock.Now()
	w.SetState("a1", store.Online)
	w.Send(id, "again", Human)
	w.AwaitType(id, conversation.EventHandoff, 2)
	if e := w.AwaitType(id, conversation.EventOffered, 2); e.Agent.ID != Email("a1") {
		t.Fatalf("offered to %s", e.Agent.ID)
	}
	w.Do(w.Accept(t.Context(), id, w.AgentNamed("a1")))
	w.Clock.Step(wrapUp / 2)
	w.Do(w.Resolve(t.Context(), id, w.AgentNamed("a1"), ""))
	if a0, a1 := units(t, w, "a0"), units(t, w, "a1"); a0 != 1 || a1 != 1 {
		t.Errorf("a0 holds %d, a1 holds %d", a0, a1)
	}
	for i, ends := range []time.Time{begun.Add(wrapUp), begun.Add(wrapUp * 3 / 2)} {
		w.Clock.AwaitTimer(t, ends)
		w.Clock.SetTime(ends)
		if e := w.AwaitType(id, conversation.EventWrapUpEnded, i+1); e.Agent.ID != Email([]string{"a0", "a1"}[i]) || !e.At.Equal(ends) {
			t.Errorf("the wrap-up of %s ended at %s", e.Agent.ID, e.At)
		}
		if a0, a1 := units(t, w, "a0"), units(t, w, "a1"); a0 != 0 || a1 != 1-i {
			t.Errorf("after wrap-up %d a0 holds %d, a1 holds %d", i+1, a0, a1)
		}
	}
}
