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
	if err != nil || c.WrapUp == nil || !c.WrapUp.Until.Equal(w.Clock.Now().Add(wrapUp)) || c.Owner.Kind != conversation.OwnerAI {
		t.Fatalf("resolved: %+v, %v", c, err)
	}
	return w, done, next
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
	if c := wantOwner(t, w, done, conversation.OwnerAI); c.WrapUp != nil {
		t.Errorf("the wrap-up goes on: %+v", c.WrapUp)
	}
	if n := countType(w.Events(done), conversation.EventWrapUpEnded); n != 1 {
		t.Errorf("it ended %d times", n)
	}
}

// An agent who is done ends it; again changes nothing, and nobody else can.
func TestWrapUpEndsEarly(t *testing.T) {
	t.Parallel()
	w, done, next := wrappingUp(t)
	if c, err := w.EndWrapUp(t.Context(), done, routing.Agent{Email: "eve@agents.example"}); err != nil || c.WrapUp == nil {
		t.Errorf("by somebody else: %+v, %v", c.WrapUp, err)
	}
	for range 2 {
		if c, err := w.EndWrapUp(t.Context(), done, w.AgentNamed("a0")); err != nil || c.WrapUp != nil {
			t.Fatalf("%+v, %v", c.WrapUp, err)
		}
	}
	offeredTo(t, w, next, 1, "a0")
	if n := countType(w.Events(done), conversation.EventWrapUpEnded); n != 1 {
		t.Errorf("it ended %d times", n)
	}
}

// The customer goes on talking to the AI, asks for a human again and is taken over: the wrap-up of the part before is over.
func TestWrapUpEndsWhenTheConversationIsTakenAgain(t *testing.T) {
	t.Parallel()
	w, done, next := wrappingUp(t)
	w.AwaitAnswer(done, w.Send(done, "q", Question).Seq)
	c, err := w.TakeOver(t.Context(), done, w.AgentNamed("a0"))
	if err != nil || c.WrapUp != nil {
		t.Fatalf("%+v, %v", c.WrapUp, err)
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
