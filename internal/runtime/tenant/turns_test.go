package tenant_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// What the customer writes during an answer is answered after it, and the model reads both in their order.
func TestMessageDuringAnAnswerIsAnsweredAfterIt(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	one := w.Send(id, "1", "Question one")
	first := model.Next(t)
	first.Say("Answer one.")
	w.AwaitPartial(id, "Answer one.")
	two := w.Send(id, "2", "Question two")
	first.End()
	second := model.Next(t)
	body := string(second.Body)
	q1, a1, q2 := strings.Index(body, "Question one"), strings.Index(body, "Answer one."), strings.Index(body, "Question two")
	if q1 < 0 || a1 < q1 || q2 < a1 {
		t.Errorf("the model reads: %s", body)
	}
	second.Say("Answer two.")
	second.End()
	if e := w.AwaitAnswer(id, one.Seq); e.Text != "Answer one." {
		t.Errorf("the first answer is %+v", e)
	}
	if e := w.AwaitAnswer(id, two.Seq); e.Text != "Answer two." {
		t.Errorf("the second answer is %+v", e)
	}
}

// A request for a human is heard while the model is silent: what was said so far stays, and the handoff follows.
func TestRequestForAHumanDoesNotWaitForTheModel(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	one := w.Send(id, "1", "Question one")
	call := model.Next(t)
	call.Say("Well, ")
	w.AwaitPartial(id, "Well, ")
	w.Send(id, "2", Human)
	h := w.AwaitType(id, conversation.EventHandoff, 1)
	<-call.Gone
	if h.Handoff.Reason != v1alpha1.HandoffHumanRequested || h.Handoff.Summary == "" {
		t.Errorf("the handoff is %+v", h.Handoff)
	}
	if e := w.AwaitAnswer(id, one.Seq); e.Text != "Well, " || !e.Interrupted {
		t.Errorf("the log has %+v", e)
	}
	if err := CheckLog(w.Events(id)); err != nil {
		t.Error(err)
	}
}

// All the model's places are taken by calls that do not end: whoever asks for a human is handed off all the same.
func TestRequestForAHumanDoesNotWaitForOthersAnswers(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	for range tenant.MaxAnswers {
		id, _ := w.OpenConversation()
		w.Send(id, "1", "Question")
		model.Next(t)
	}
	id, _ := w.OpenConversation()
	w.Send(id, "1", Human)
	w.AwaitType(id, conversation.EventHandoff, 1)
	waiting, _ := w.OpenConversation()
	w.Send(waiting, "1", "Question") // waits for a place
	w.Send(waiting, "2", Human)
	w.AwaitType(waiting, conversation.EventHandoff, 1)
}

// Every message that waits for an answer is decided on, not only the newest.
func TestRequestForAHumanIsNotCoveredByALaterMessage(t *testing.T) {
	t.Parallel()
	before := New(t, Options{})
	id, _ := before.OpenConversation()
	// Both messages are in the log before the AI takes its turn.
	if err := before.Write(id, Human, "Are you still there?"); err != nil {
		t.Fatal(err)
	}
	before.Stop()
	w := New(t, Options{Dir: before.Dir})
	if e := w.AwaitType(id, conversation.EventHandoff, 1); e.Handoff.Reason != v1alpha1.HandoffHumanRequested {
		t.Errorf("the handoff is %+v", e.Handoff)
	}
}

// Half an answer is none: the customer is passed on, and keeps what was said.
func TestModelThatStopsInTheMiddleHandsOff(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	one := w.Send(id, "1", "Question one")
	call := model.Next(t)
	call.Say("The answer is ")
	w.AwaitPartial(id, "The answer is ")
	model.Cut()
	if h := w.AwaitType(id, conversation.EventHandoff, 1); h.Handoff.Reason != v1alpha1.HandoffModelFailure {
		t.Errorf("the handoff is %+v", h.Handoff)
	}
	if e := w.AwaitAnswer(id, one.Seq); e.Text != "The answer is " || !e.Interrupted {
		t.Errorf("the log has %+v", e)
	}
}

// The store fails when an answer or a handoff is to be saved: it is saved later as it was, and the model is not asked again.
func TestStoreFailureLosesNoOutcome(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		kind       conversation.EventType
		model      bool
	}{
		{"answer of a model", "Question one", conversation.EventMessage, true},
		{"answer from knowledge", Question, conversation.EventMessage, false},
		{"handoff", Human, conversation.EventHandoff, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			table := Table(1, 1)
			var model *Model
			if tc.model {
				model = NewModel(t, table)
			}
			faults := &faults{}
			w := New(t, Options{Table: table, Wrap: faults.wrap})
			id, _ := w.OpenConversation()
			faults.fail(func(c conversation.Change) bool {
				return c.Events[0].Type == tc.kind && c.Events[0].Author.Kind != conversation.AuthorCustomer
			}, 3)
			w.Send(id, "1", tc.text)
			if model != nil {
				call := model.Next(t)
				call.Say("The only answer.")
				call.End()
			}
			for left := 3; left > 0; left-- {
				w.Clock.AwaitTimer(t, w.Clock.Now().Add(time.Second))
				w.Clock.Step(time.Second)
			}
			w.Await(id, "outcome", func(e conversation.Event) bool {
				return e.Type == tc.kind && e.Author.Kind != conversation.AuthorCustomer && e.Seq > 2
			})
			w.Stop()
			if faults.left() != 0 {
				t.Errorf("%d failures were not met", faults.left())
			}
			if model != nil && len(model.Calls()) != 0 {
				t.Error("the model was asked again")
			}
		})
	}
}

// A process dies after messages were taken and before they were answered. The next one answers each once.
func TestNextProcessGivesWhatIsOwed(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	dead := New(t, Options{Table: table})
	dead.SetState("a0", store.Offline)
	owed := map[string]int64{}
	for i := range 20 {
		id, _ := dead.OpenConversation()
		owed[id] = dead.Send(id, "1", fmt.Sprintf("Question %d", i)).Seq
	}
	wants, _ := dead.OpenConversation()
	for range owed {
		model.Next(t).Say("Half an ")
	}
	dead.Send(wants, "1", Human)
	dead.AwaitType(wants, conversation.EventHandoff, 1)
	dead.Stop() // what was said was not committed: the same as a crash for the store

	plain := Table(1, 1)
	w := New(t, Options{Dir: dead.Dir, Table: plain, Clock: dead.Clock})
	for id, seq := range owed {
		w.AwaitAnswer(id, seq)
	}
	w.SetState("a0", store.Online)
	w.AwaitType(wants, conversation.EventOffered, 1)
	w.Stop()
	third := New(t, Options{Dir: dead.Dir, Table: plain, Clock: dead.Clock})
	for id := range owed {
		if err := CheckLog(third.Events(id)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if n := countType(third.Events(wants), conversation.EventHandoff); n != 1 {
		t.Errorf("%d handoffs", n)
	}
}

// After a human has resolved it, old words hand nothing off again; new ones do.
func TestNoLoop(t *testing.T) {
	t.Parallel()
	const angry = "This is outrageous, I am furious, your service is the worst garbage ever!!!"
	w := New(t, Options{Table: Table(1, 5)})
	a0 := w.AgentNamed("a0")
	w.SetState("a0", store.Online)
	id, _ := w.OpenConversation()
	w.Send(id, "1", angry)
	if e := w.AwaitType(id, conversation.EventHandoff, 1); e.Handoff.Reason != v1alpha1.HandoffNegativeSentiment {
		t.Fatalf("the handoff is %+v", e.Handoff)
	}
	w.AwaitType(id, conversation.EventOffered, 1)
	if _, err := w.Accept(t.Context(), id, a0); err != nil {
		t.Fatal(err)
	}
	w.Send(id, "2", "I want a human, and this is outrageous!!!")
	if _, err := w.Resolve(t.Context(), id, a0, ""); err != nil {
		t.Fatal(err)
	}
	calm := w.Send(id, "3", Question)
	if e := w.AwaitAnswer(id, calm.Seq); !strings.Contains(e.Text, Answer) {
		t.Errorf("the answer is %q", e.Text)
	}
	w.Send(id, "4", angry)
	w.AwaitType(id, conversation.EventHandoff, 2)
	if err := CheckLog(w.Events(id)); err != nil {
		t.Error(err)
	}
}

func countType(events []conversation.Event, kind conversation.EventType) (n int) {
	for _, e := range events {
		if e.Type == kind {
			n++
		}
	}
	return n
}
