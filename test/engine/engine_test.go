package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
	"github.com/opencopilot/handoff-operator/test/engine"
)

func TestMain(m *testing.M) { engine.Main(m) }

// must returns a value that comes without an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// viewer is a customer's browser.
type viewer struct {
	t      *testing.T
	frames <-chan engine.Frame
	engine.Seen
}

func watch(t *testing.T, r *engine.Replica, c engine.Customer) *viewer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return &viewer{t: t, frames: must[<-chan engine.Frame](t)(r.Follow(ctx, c, 0))}
}

// until shows frames until done.
func (v *viewer) until(what string, done func() bool) {
	v.t.Helper()
	for timeout := time.After(engine.Patience); !done(); {
		select {
		case f, open := <-v.frames:
			if !open {
				v.t.Fatalf("the stream ended before %s", what)
			}
			if err := v.Show(f); err != nil {
				v.t.Fatal(err)
			}
		case <-timeout:
			v.t.Fatalf("no %s; the stream showed %s", what, Types(v.Events))
		}
	}
}

func (v *viewer) untilSaying(answerTo int64, text string) {
	v.t.Helper()
	v.until(fmt.Sprintf("%q", text), func() bool { return v.Saying(answerTo) == text })
}

func (v *viewer) untilEvent(what string, fits func(conversation.Event) bool) conversation.Event {
	v.t.Helper()
	var found conversation.Event
	v.until(what, func() bool {
		for _, e := range v.Events {
			if fits(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

func typed(kind conversation.EventType) func(conversation.Event) bool {
	return func(e conversation.Event) bool { return e.Type == kind }
}

// The AI speaks on one replica. Browsers on all replicas see it, an agent takes over on another one, and from then on
// nobody sees more than the log has.
func TestTakeoverOnAnotherReplica(t *testing.T) {
	t.Parallel()
	table := Table(2, 4)
	model := NewModel(t, table)
	f := engine.New(t, engine.Options{Table: table})
	a, b := f.Replicas[0], f.Replicas[1]
	c := must[engine.Customer](t)(a.Open(t.Context()))
	views := []*viewer{watch(t, a, c), watch(t, b, c)}
	asked := must[conversation.Event](t)(a.Say(t.Context(), c, "1", "Tell me a long story"))
	call := model.Next(t)
	call.Say("Once upon a time, ")
	for _, v := range views {
		v.untilSaying(asked.Seq, "Once upon a time, ")
	}
	late := watch(t, b, c)
	late.untilSaying(asked.Seq, "Once upon a time, ")
	agent := must[string](t)(b.SignIn(t.Context(), "a0"))
	taken := must[conversation.Conversation](t)(b.Move(t.Context(), agent, c.ID, "takeover"))
	call.Say("nobody heard this.")
	<-call.Gone
	if err := a.Reply(t.Context(), agent, c.ID, "r", "A human here."); err != nil {
		t.Fatal(err)
	}
	for _, v := range append(views, late) {
		cut := v.untilEvent("cut answer", func(e conversation.Event) bool { return e.AnswerTo == asked.Seq })
		if cut.Text != "Once upon a time, " || !cut.Interrupted || cut.Epoch != taken.Epoch-1 {
			t.Errorf("the log has %+v", cut)
		}
		v.untilEvent("reply", func(e conversation.Event) bool { return e.Text == "A human here." })
		if err := v.Left(); err != nil {
			t.Error(err)
		}
	}
	if err := CheckLog(must[[]conversation.Event](t)(a.Log(t.Context(), agent, c.ID))); err != nil {
		t.Error(err)
	}
}

// The customer's next message reaches another replica than the one which is answering: a request for a human is heard at
// once, and anything else is answered after the answer, once.
func TestMessagesReachAnotherReplica(t *testing.T) {
	t.Parallel()
	table := Table(2, 4)
	model := NewModel(t, table)
	f := engine.New(t, engine.Options{Table: table})
	a, b := f.Replicas[0], f.Replicas[1]
	c := must[engine.Customer](t)(a.Open(t.Context()))
	v := watch(t, b, c)
	one := must[conversation.Event](t)(a.Say(t.Context(), c, "1", "Question one"))
	call := model.Next(t)
	call.Say("Answer ")
	v.untilSaying(one.Seq, "Answer ")
	two := must[conversation.Event](t)(b.Say(t.Context(), c, "2", "Question two"))
	call.Say("one.")
	call.End()
	second := model.Next(t)
	if body := string(second.Body); !strings.Contains(body, "Answer one.") || !strings.Contains(body, "Question two") {
		t.Errorf("the model reads %s", body)
	}
	second.Say("Well, ")
	v.untilSaying(two.Seq, "Well, ")
	must[conversation.Event](t)(b.Say(t.Context(), c, "3", Human))
	v.untilEvent("handoff", typed(conversation.EventHandoff))
	<-second.Gone
	for seq, text := range map[int64]string{one.Seq: "Answer one.", two.Seq: "Well, "} {
		if e := v.untilEvent("answer", func(e conversation.Event) bool { return e.AnswerTo == seq }); e.Text != text {
			t.Errorf("the answer to %d is %+v", seq, e)
		}
	}
	if err := v.Left(); err != nil {
		t.Error(err)
	}
}

// A replica is killed while it speaks. What was seen of one answer is in the log when a human takes over on another
// replica, and the other answer is given there, once.
func TestKilledReplicaOwesNothing(t *testing.T) {
	t.Parallel()
	table := Table(2, 4)
	model := NewModel(t, table)
	f := engine.New(t, engine.Options{Table: table})
	a, b := f.Replicas[0], f.Replicas[1]
	taken, again := must[engine.Customer](t)(a.Open(t.Context())), must[engine.Customer](t)(a.Open(t.Context()))
	watched := []*viewer{watch(t, b, taken), watch(t, b, again)}
	asked := map[string]int64{}
	for i, c := range []engine.Customer{taken, again} {
		asked[c.ID] = must[conversation.Event](t)(a.Say(t.Context(), c, "1", "Tell me a story")).Seq
		model.Next(t).Say("Once upon ")
		watched[i].untilSaying(asked[c.ID], "Once upon ")
	}
	a.Kill()
	agent := must[string](t)(b.SignIn(t.Context(), "a0"))
	must[conversation.Conversation](t)(b.Move(t.Context(), agent, taken.ID, "takeover"))
	cut := watched[0].untilEvent("cut answer", func(e conversation.Event) bool { return e.AnswerTo == asked[taken.ID] })
	if cut.Text != "Once upon " || !cut.Interrupted {
		t.Errorf("the log has %+v", cut)
	}
	call := model.Next(t) // when the killed one's lease has run out
	call.Say("Another story.")
	watched[1].untilSaying(asked[again.ID], "Another story.")
	call.End()
	told := watched[1].untilEvent("answer", func(e conversation.Event) bool { return e.AnswerTo == asked[again.ID] })
	if told.Text != "Another story." || told.Interrupted {
		t.Errorf("the log has %+v", told)
	}
	a.Start()
	must[conversation.Event](t)(a.Say(t.Context(), again, "2", Human))
	watched[1].untilEvent("handoff", typed(conversation.EventHandoff))
	for _, c := range []engine.Customer{taken, again} {
		if err := CheckLog(must[[]conversation.Event](t)(a.Log(t.Context(), agent, c.ID))); err != nil {
			t.Error(err)
		}
	}
}

// A replica that ends in order passes on what it owes at once.
func TestStoppedReplicaPassesOn(t *testing.T) {
	t.Parallel()
	table := Table(2, 4)
	model := NewModel(t, table)
	f := engine.New(t, engine.Options{Table: table})
	a, b := f.Replicas[0], f.Replicas[1]
	c := must[engine.Customer](t)(a.Open(t.Context()))
	v := watch(t, b, c)
	asked := must[conversation.Event](t)(a.Say(t.Context(), c, "1", "Tell me a story"))
	model.Next(t).Say("Once upon ")
	v.untilSaying(asked.Seq, "Once upon ")
	a.Stop()
	call := model.Next(t)
	call.Say("Another story.")
	v.untilSaying(asked.Seq, "Another story.") // in place of the beginning of the first one
	call.End()
	if e := v.untilEvent("answer", func(e conversation.Event) bool { return e.AnswerTo == asked.Seq }); e.Text != "Another story." {
		t.Errorf("the log has %+v", e)
	}
}

// The database goes away under two replicas: customers and agents are told to try again, nothing is half done, and the
// same processes serve again when it is back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	f := engine.New(t, engine.Options{DSN: db.DSN()})
	a, b := f.Replicas[0], f.Replicas[1]
	c := must[engine.Customer](t)(a.Open(t.Context()))
	agent := must[string](t)(a.SignIn(t.Context(), "a0"))
	before := must[[]conversation.Event](t)(a.Log(t.Context(), agent, c.ID))
	db.Stop()
	for name, err := range map[string]error{
		"say":      second(a.Say(t.Context(), c, "1", Human)),
		"open":     second(b.Open(t.Context())),
		"takeover": second(b.Move(t.Context(), agent, c.ID, "takeover")),
		"read":     second(b.Read(t.Context(), agent, c.ID)),
	} {
		var status *engine.Status
		if !errors.As(err, &status) || status.Code != http.StatusServiceUnavailable || status.Retry == "" || !strings.Contains(status.Body, "try again") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := db.Start(); err != nil {
		t.Fatal(err)
	}
	if after := must[[]conversation.Event](t)(b.Log(t.Context(), agent, c.ID)); len(after) != len(before) {
		t.Errorf("the log has %s, and had %s", Types(after), Types(before))
	}
	v := watch(t, b, c)
	if err := b.Presence(t.Context(), agent, "online"); err != nil {
		t.Fatal(err)
	}
	must[conversation.Event](t)(a.Say(t.Context(), c, "1", Human)) // with the id of before
	v.untilEvent("handoff", typed(conversation.EventHandoff))
}

func second[T any](_ T, err error) error { return err }

// Agents take conversations over, and give them back, on all replicas at any moment of streamed answers. What customers
// see is what the log has, on every replica.
func TestTakeoversAtAnyMoment(t *testing.T) {
	t.Parallel()
	rounds := 20
	if os.Getenv("SOAK") != "" {
		rounds = 500
	}
	table := Table(1, 1000)
	model := NewModel(t, table)
	f := engine.New(t, engine.Options{Table: table, Replicas: 3})
	stop := make(chan struct{})
	var talking sync.WaitGroup
	talking.Go(func() { talk(model, 20, stop, &talking) })
	defer talking.Wait()
	defer close(stop)
	agent := must[string](t)(f.Replicas[0].SignIn(t.Context(), "a0"))
	cut := 0
	for i := range rounds {
		cut += takeovers(t, f, agent, i)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d answers were cut", cut)
	if cut == 0 {
		t.Error("no answer was cut: the test does not reach what it is for")
	}
}

// talk lets the model answer every request in pieces, as many of which as it takes are slower than they are written down.
func talk(model *Model, pieces int, stop <-chan struct{}, all *sync.WaitGroup) {
	for {
		select {
		case <-stop:
			return
		case call := <-model.Calls():
			all.Go(func() {
				for i := range pieces {
					if !call.Say(fmt.Sprintf("piece %d, ", i)) {
						return
					}
					<-time.After(20 * time.Millisecond)
				}
				call.End()
			})
		}
	}
}

// takeovers plays one conversation over all replicas and returns how many answers were cut.
func takeovers(t *testing.T, f *engine.Fleet, agent string, round int) (cut int) {
	t.Helper()
	at := func(i int) *engine.Replica { return f.Replicas[(round+i)%len(f.Replicas)] }
	c := must[engine.Customer](t)(at(0).Open(t.Context()))
	views := []*viewer{watch(t, at(0), c), watch(t, at(1), c)}
	for part := range 2 {
		asked := must[conversation.Event](t)(at(part).Say(t.Context(), c, fmt.Sprint("m", part), "Tell me a long story"))
		views[0].until("some of the story", func() bool {
			return len(views[0].Saying(asked.Seq)) > round%3*30 || slices.ContainsFunc(views[0].Events, func(e conversation.Event) bool { return e.AnswerTo == asked.Seq })
		})
		must[conversation.Conversation](t)(at(part+1).Move(t.Context(), agent, c.ID, "takeover"))
		must[conversation.Conversation](t)(at(part+2).Move(t.Context(), agent, c.ID, "return"))
	}
	log := must[[]conversation.Event](t)(at(2).Log(t.Context(), agent, c.ID))
	if err := CheckLog(log); err != nil {
		t.Error(err)
	}
	for _, v := range views {
		v.untilEvent("end", func(e conversation.Event) bool { return e.Seq >= log[len(log)-1].Seq })
		if err := v.Left(); err != nil {
			t.Error(err)
		}
	}
	for _, e := range log {
		if e.Interrupted {
			cut++
		}
	}
	return cut
}
