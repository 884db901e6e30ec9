package tenant_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// The bot talks over the human: whoever takes the conversation away while the AI is speaking, it says nothing more.
func TestPain01TheBotTalksOverTheHuman(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(t *testing.T, w *World, id string) error{
		"an agent takes over": func(t *testing.T, w *World, id string) error {
			_, err := w.TakeOver(t.Context(), id, w.AgentNamed("a0"))
			return err
		},
		"a supervisor gives it to an agent": func(t *testing.T, w *World, id string) error {
			_, err := w.Reassign(t.Context(), id, w.AgentNamed("a1"), tenant.Reassignment{To: conversation.OwnerAgent, Agent: Email("a0")})
			return err
		},
		"a supervisor queues it": func(t *testing.T, w *World, id string) error {
			_, err := w.Reassign(t.Context(), id, w.AgentNamed("a1"), tenant.Reassignment{To: conversation.OwnerQueue})
			return err
		},
		"the customer leaves": func(t *testing.T, w *World, id string) error {
			_, err := w.Leave(t.Context(), id)
			return err
		},
		"it is merged": func(t *testing.T, w *World, id string) error {
			into, _ := w.OpenFor(t, "u1")
			_, err := w.Merge(t.Context(), id, into, w.AgentNamed("a1"), true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := Table(2, 1)
			model := NewModel(t, table)
			w := New(t, Options{Table: table})
			w.SetState("a0", store.Online)
			id, _ := w.OpenFor(t, "u1")
			asked := w.Send(id, "1", "Tell me a long story")
			call := model.Next(t)
			call.Say("Once upon")
			w.AwaitPartial(id, "Once upon")
			if err := take(t, w, id); err != nil {
				t.Fatal(err)
			}
			<-call.Gone
			cut := w.AwaitAnswer(id, asked.Seq)
			events := w.Events(id)
			for _, e := range events {
				if e.Seq > cut.Seq && e.Author.Kind == conversation.AuthorAI {
					t.Errorf("the AI goes on: %+v", e)
				}
			}
			if err := CheckLog(events); err != nil || cut.Text != "Once upon" || !cut.Interrupted {
				t.Errorf("the log has %+v, %v", cut, err)
			}
		})
	}
}

// Silent handoff: whatever moves a conversation, the customer is told, once and in their language, also when their very
// first message asks for a human.
func TestPain05SilentHandoff(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	c, _, err := w.Open(t.Context(), tenant.NewConversation{ChannelToken: Token, Language: "de"})
	if err != nil {
		t.Fatal(err)
	}
	text := func(event v1alpha1.MessageEvent, vars map[string]string) string {
		tb, err := w.Table()
		if err != nil {
			t.Fatal(err)
		}
		return tb.Text(event, "de", v1alpha1.ChannelTypeWeb, v1alpha1.HandoffHumanRequested, vars)
	}
	w.Send(c.ID, "1", "Ich möchte mit einem Menschen sprechen")
	w.AwaitType(c.ID, conversation.EventHandoff, 1)
	w.SetState("a0", store.Online)
	w.AwaitType(c.ID, conversation.EventOffered, 1)
	w.Do(w.Accept(t.Context(), c.ID, w.AgentNamed("a0")))
	w.SetState("a1", store.Online)
	w.Do(w.Transfer(t.Context(), c.ID, w.AgentNamed("a0"), conversation.Target{Agent: Email("a1")}, "Please take this."))
	w.Do(w.Accept(t.Context(), c.ID, w.AgentNamed("a1")))
	w.Do(w.Reassign(t.Context(), c.ID, w.AgentNamed("a0"), tenant.Reassignment{To: conversation.OwnerAI}))

	want := []string{
		text(v1alpha1.MessageHandoff, nil), text(v1alpha1.MessageQueued, map[string]string{"position": "1"}),
		text(v1alpha1.MessageAssigned, map[string]string{"agent": "Agent a0"}),
		text(v1alpha1.MessageHandoff, nil),
		text(v1alpha1.MessageAssigned, map[string]string{"agent": "Agent a1"}),
		text(v1alpha1.MessageReturned, nil),
	}
	if diff := cmp.Diff(want, told(w, c.ID)); diff != "" {
		t.Errorf("what the customer was told (-want +got):\n%s", diff)
	}
}

// Announced but not executed: the model says that it transfers the customer, and then it is so.
func TestPain06AnnouncedButNotExecuted(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	asked := w.Send(id, "1", "Where is my parcel?")
	call := model.Next(t)
	call.Say("I am transferring you to a colleague.")
	call.End()
	h := w.AwaitType(id, conversation.EventHandoff, 1)
	if said := w.AwaitAnswer(id, asked.Seq); said.Text != "I am transferring you to a colleague." || said.Seq > h.Seq {
		t.Errorf("the AI said %+v before handoff %d", said, h.Seq)
	}
}

// Loops: after the human part old words cannot trigger a handoff, and what bounces all the same stays with humans.
func TestPain07OldContextTriggersAnotherHandoff(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 1)})
	w.SetState("a0", store.Online)
	a0 := w.AgentNamed("a0")
	id, _ := w.OpenConversation()
	for n := range conversation.MaxReturns {
		w.Send(id, string(rune('a'+n)), Human)
		w.AwaitType(id, conversation.EventOffered, n+1)
		w.Do(w.Accept(t.Context(), id, a0))
		w.Do(w.Resolve(t.Context(), id, a0, "answered"))
		asked := w.Send(id, string(rune('A'+n)), Question)
		if e := w.AwaitAnswer(id, asked.Seq); e.Text != Answer {
			t.Fatalf("after return %d the AI says %+v", n+1, e)
		}
	}
	w.Send(id, "again", Human)
	w.AwaitType(id, conversation.EventOffered, conversation.MaxReturns+1)
	w.Do(w.Accept(t.Context(), id, a0))
	if _, err := w.ReturnToAI(t.Context(), id, a0); err == nil {
		t.Error("it goes back to the AI once more")
	}
	c := w.Do(w.Resolve(t.Context(), id, a0, ""))
	if c.Owner.Kind != conversation.OwnerNobody {
		t.Errorf("it belongs to %s after it bounced", c.Owner.Kind)
	}
	w.Send(id, "more", Question)
	e := w.AwaitType(id, conversation.EventOffered, conversation.MaxReturns+2)
	if e.Agent.ID != a0.Email {
		t.Errorf("reopened it is offered to %s", e.Agent.ID)
	}
}

// Never returns to the bot: a customer who stays silent does not keep a human for ever.
func TestPain08NeverReturnsToTheBot(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	table.Policy.ReturnToAI.CustomerIdle = map[v1alpha1.ChannelType]metav1.Duration{v1alpha1.ChannelTypeWeb: {Duration: 30 * time.Minute}}
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	a0 := w.AgentNamed("a0")
	w.Do(w.TakeOver(t.Context(), id, a0))
	w.Clock.Step(time.Hour) // no human has written yet
	if _, err := w.Reply(t.Context(), id, a0, "r1", "Your parcel is lost. I have sent another."); err != nil {
		t.Fatal(err)
	}
	w.Clock.AwaitTimer(t, w.Clock.Now().Add(30*time.Minute))
	w.Clock.Step(29 * time.Minute)
	w.Send(id, "1", "Thanks!")
	if _, err := w.Reply(t.Context(), id, a0, "r2", "You are welcome."); err != nil {
		t.Fatal(err)
	}
	w.Clock.AwaitTimer(t, w.Clock.Now().Add(30*time.Minute))
	w.Clock.Step(30 * time.Minute)
	returned := w.AwaitType(id, conversation.EventReturned, 1)
	if want := Start.Add(time.Hour + 59*time.Minute); !returned.At.Equal(want) || returned.Author.Kind != conversation.AuthorSystem {
		t.Errorf("returned by %s at %s, want %s", returned.Author.Kind, returned.At, want)
	}
	asked := w.Send(id, "2", Question)
	if e := w.AwaitAnswer(id, asked.Seq); e.Text != Answer {
		t.Errorf("the AI says %+v", e)
	}
}

// told is what the customer was told, in order.
func told(w *World, id string) (texts []string) {
	for _, e := range w.Events(id) {
		if e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorSystem {
			texts = append(texts, e.Text)
		}
	}
	return texts
}
