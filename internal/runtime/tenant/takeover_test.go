package tenant_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// An answer in progress is cut where it was released, the log says so, and the AI says nothing after it.
func TestTakeoverCutsTheAnswer(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	asked := w.Send(id, "1", "Tell me a long story")
	call := model.Next(t)
	call.Say("Once upon a time, ")
	call.Say("there was ")
	w.AwaitPartial(id, "Once upon a time, there was ")

	if _, err := w.TakeOver(t.Context(), id, w.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	<-call.Gone // the model's time is not wasted
	cut := w.AwaitAnswer(id, asked.Seq)
	if cut.Text != "Once upon a time, there was " || !cut.Interrupted || cut.Epoch != 1 {
		t.Errorf("the log has %+v", cut)
	}
	if p, ok := w.Said(id); ok && p.AnswerTo != asked.Seq {
		t.Errorf("the AI goes on: %+v", p)
	}
	w.Send(id, "2", "Are you a human?")
	if _, err := w.Reply(t.Context(), id, w.AgentNamed("a0"), "r1", "Yes."); err != nil {
		t.Fatal(err)
	}
	if err := CheckLog(w.Events(id)); err != nil {
		t.Error(err)
	}
}

// A takeover that fails changes nothing: the AI goes on where it was.
func TestTakeoverThatFailsDoesNotDisturbTheAnswer(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	faults := &faults{}
	w := New(t, Options{Table: table, Wrap: faults.wrap})
	id, _ := w.OpenConversation()
	asked := w.Send(id, "1", "Tell me a long story")
	call := model.Next(t)
	call.Say("Once upon")
	before := w.AwaitPartial(id, "Once upon")

	faults.fail(func(c conversation.Change) bool { return c.Events[len(c.Events)-1].Type == conversation.EventMessage }, 1)
	if _, err := w.TakeOver(t.Context(), id, w.AgentNamed("a0")); !errors.Is(err, errFault) {
		t.Fatalf("TakeOver: %v", err)
	}
	call.Say(" a time.")
	if after := w.AwaitPartial(id, "Once upon a time."); after.Attempt != before.Attempt {
		t.Error("the answer began anew")
	}
	call.End()
	if e := w.AwaitAnswer(id, asked.Seq); e.Text != "Once upon a time." || e.Interrupted {
		t.Errorf("the answer is %+v", e)
	}
}

// What customers saw of an answer before the process ended is in the log when a human takes over, though the answer was
// not begun again; and where it is, the new one replaces it.
func TestWhatWasSeenOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	before := New(t, Options{Table: table})
	taken, _ := before.OpenConversation()
	again, _ := before.OpenConversation()
	var asked [2]conversation.Event
	for i, id := range []string{taken, again} {
		asked[i] = before.Send(id, "1", []string{"Tell me a long story", "Tell me a tale"}[i])
		model.Next(t).Say("Once upon ")
		before.AwaitPartial(id, "Once upon ")
	}
	before.Stop()
	go func() {
		for call := range model.Calls() {
			if strings.Contains(string(call.Body), "tale") { // of the other one nothing more is said
				call.Say("Another story.")
				call.End()
				return
			}
		}
	}()
	w := New(t, Options{Dir: before.Dir, Table: table, Clock: before.Clock})
	if _, err := w.TakeOver(t.Context(), taken, w.AgentNamed("a0")); err != nil {
		t.Fatal(err)
	}
	if e := w.AwaitAnswer(taken, asked[0].Seq); e.Text != "Once upon " || !e.Interrupted {
		t.Errorf("the log has %+v", e)
	}
	if e := w.AwaitAnswer(again, asked[1].Seq); e.Text != "Another story." || e.Interrupted {
		t.Errorf("the answer is %+v", e)
	}
	if err := CheckLog(w.Events(taken)); err != nil {
		t.Error(err)
	}
}

// The AI ends its answer, and owes another one, while a takeover is about to commit: neither is said.
func TestNothingIsSaidDuringATakeover(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	faults := &faults{}
	w := New(t, Options{Table: table, Wrap: faults.wrap})
	id, _ := w.OpenConversation()
	asked := w.Send(id, "1", "First question")
	first := model.Next(t)
	first.Say("One ")
	w.AwaitPartial(id, "One ")
	w.Send(id, "2", "Second question") // asks for another round

	reached, goOn := faults.pause(func(c conversation.Change) bool {
		for _, e := range c.Events {
			if e.Type == conversation.EventTakenOver {
				return true
			}
		}
		return false
	})
	done := make(chan error, 1)
	go func() {
		_, err := w.TakeOver(t.Context(), id, w.AgentNamed("a0"))
		done <- err
	}()
	<-reached
	first.Say("and two.")
	first.End()
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if e := w.AwaitAnswer(id, asked.Seq); e.Text != "One " || !e.Interrupted {
		t.Errorf("the log has %+v", e)
	}
	w.Stop() // waits for every turn
	select {
	case call := <-model.Calls():
		t.Errorf("the model was asked during or after the takeover: %s", call.Body)
	default:
	}
}

// Accepting or taking over what one owns is no mistake: the first answer may have been lost.
func TestTakingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	id, _ := w.OpenConversation()
	a0, a1 := w.AgentNamed("a0"), w.AgentNamed("a1")
	first, err := w.TakeOver(t.Context(), id, a0)
	if err != nil {
		t.Fatal(err)
	}
	for name, take := range map[string]func() (conversation.Conversation, error){
		"take over": func() (conversation.Conversation, error) { return w.TakeOver(t.Context(), id, a0) },
		"accept":    func() (conversation.Conversation, error) { return w.Accept(t.Context(), id, a0) },
	} {
		if again, err := take(); err != nil || again.Epoch != first.Epoch || again.Seq != first.Seq {
			t.Errorf("%s again: epoch %d → %d, event %d → %d, %v", name, first.Epoch, again.Epoch, first.Seq, again.Seq, err)
		}
	}
	var refusal *conversation.Refusal
	if _, err := w.TakeOver(t.Context(), id, a1); !errors.As(err, &refusal) {
		t.Errorf("another agent took it: %v", err)
	}
}

// Taking over what another agent is offered gives that agent's slot to who waits, at once.
func TestTakingOverAnOfferFreesItsSlot(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	w.SetState("a0", store.Online)
	first, _ := w.OpenConversation()
	w.Send(first, "1", Human)
	w.AwaitType(first, conversation.EventOffered, 1)
	second, _ := w.OpenConversation()
	w.Send(second, "1", Human)
	w.AwaitType(second, conversation.EventHandoff, 1)
	if _, err := w.TakeOver(t.Context(), first, w.AgentNamed("a1")); err != nil {
		t.Fatal(err)
	}
	if e := w.AwaitType(second, conversation.EventOffered, 1); e.Agent.ID != Email("a0") {
		t.Errorf("offered to %s", e.Agent.ID)
	}
}

// An agent who is in no pool any more can reach nothing; a colleague takes their conversations, and nobody else's.
func TestConversationOfARemovedAgentIsTakenOver(t *testing.T) {
	t.Parallel()
	two := Table(2, 4)
	w := New(t, Options{Table: two})
	gone, colleague := two.Pools[0].Agents[0], two.Pools[0].Agents[1]
	id, _ := w.OpenConversation()
	if _, err := w.TakeOver(t.Context(), id, gone); err != nil {
		t.Fatal(err)
	}
	var refusal *conversation.Refusal
	if _, err := w.TakeOver(t.Context(), id, colleague); !errors.As(err, &refusal) {
		t.Fatalf("a colleague's conversation was taken: %v", err)
	}
	without := *two
	without.Pools = []routing.Pool{two.Pools[0]}
	without.Pools[0].Agents = []routing.Agent{colleague}
	w.UseTable(&without)
	c, err := w.TakeOver(t.Context(), id, colleague)
	if err != nil || c.Owner.ID != colleague.Email || c.Handoff == nil {
		t.Fatalf("got %+v, %v", c, err)
	}
	if _, err := w.Reply(t.Context(), id, colleague, "1", "Hello, I go on from here."); err != nil {
		t.Error(err)
	}
	if err := CheckLog(w.Events(id)); err != nil {
		t.Error(err)
	}
}

// What was seen of an answer stays in the log when its process is gone and the next one answers a newer message.
func TestWhatWasSeenIsKeptWhereANewerMessageIsAnswered(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	before := New(t, Options{Table: table})
	id, _ := before.OpenConversation()
	one := before.Send(id, "1", "Tell me a long story")
	model.Next(t).Say("Once upon ")
	before.AwaitPartial(id, "Once upon ")
	two := before.Send(id, "2", "Are you there?")
	before.Stop()

	after := New(t, Options{Table: table, Dir: before.Dir, Clock: before.Clock})
	call := model.Next(t)
	call.Say("Yes.")
	call.End()
	if e := after.AwaitAnswer(id, two.Seq); e.Text != "Yes." || e.Interrupted {
		t.Errorf("the answer is %+v", e)
	}
	if e := after.AwaitAnswer(id, one.Seq); e.Text != "Once upon " || !e.Interrupted {
		t.Errorf("the log has %+v", e)
	}
	if err := CheckLog(after.Events(id)); err != nil {
		t.Error(err)
	}
}

// Whoever takes a conversation without having said that they are there is busy since: offered nothing, and when nothing is
// heard of them any more, the customer does not wait for them.
func TestWhoTakesOverIsThere(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]store.PresenceState{"never said anything": "", "went offline": store.Offline} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := New(t, Options{Table: Table(1, 2), PresenceLease: lease})
			if before != "" {
				w.SetState("a0", store.Online)
				w.SetState("a0", before)
			}
			id, _ := w.OpenConversation()
			w.AwaitAnswer(id, w.Send(id, "1", Question).Seq)
			w.Do(w.TakeOver(t.Context(), id, w.AgentNamed("a0")))
			wantPresence(t, w, "a0", store.Busy, store.ReasonTookOver)
			w.Send(id, "2", "Are you there?")

			lost := w.Clock.Now().Add(lease + tenant.PresenceGrace)
			w.Clock.AwaitTimer(t, lost)
			w.Clock.SetTime(lost)
			if e := w.AwaitType(id, conversation.EventRequeued, 1); e.Agent.ID != Email("a0") {
				t.Errorf("the log has %+v", e)
			}
			wantPresence(t, w, "a0", store.Offline, store.ReasonConnectionLost)
		})
	}
}

// A takeover changes nothing of a presence that counts.
func TestWhoIsThereStaysAsTheyAre(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 2), PresenceLease: lease})
	for _, state := range []store.PresenceState{store.Online, store.Away, store.Busy} {
		w.SetState("a0", state)
		id, _ := w.OpenConversation()
		w.AwaitAnswer(id, w.Send(id, "1", Question).Seq)
		w.Do(w.TakeOver(t.Context(), id, w.AgentNamed("a0")))
		wantPresence(t, w, "a0", state, "")
	}
}
