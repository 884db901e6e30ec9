package tenant_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// office is people at work at random: customers, agents and a supervisor, each of whom may do anything at any time.
type office struct {
	*World
	random *rand.Rand
	ids    []string
	// said has the messages that were taken, by the conversation that they were sent to.
	said map[string][]string
	n    int
}

func (o *office) conversation() string { return o.ids[o.random.IntN(len(o.ids))] }

func (o *office) agent() string { return fmt.Sprintf("a%d", o.random.IntN(3)) }

// step lets one person do one thing. Who may not is refused, or made a mistake: nothing else is an error.
func (o *office) step(t *testing.T) error {
	ctx, id, a := t.Context(), o.conversation(), o.AgentNamed(o.agent())
	if c, err := o.Conversation(ctx, id); err == nil && c.Owner.Kind == conversation.OwnerAgent && o.random.IntN(4) != 0 {
		a, _, _ = o.Agent(c.Owner.ID)
	}
	o.n++
	o.Clock.Step(time.Microsecond) // what happens at one instant is one step, to the auditor
	var err error
	switch o.random.IntN(16) {
	case 0, 1, 2:
		return o.say(t, id)
	case 3:
		_, err = o.Leave(ctx, id)
	case 4:
		_, err = o.ComeBack(ctx, id)
	case 5:
		_, err = o.Accept(ctx, id, a)
	case 6:
		_, err = o.Decline(ctx, id, a)
	case 7:
		_, err = o.TakeOver(ctx, id, a)
	case 8:
		_, err = o.Reply(ctx, id, a, fmt.Sprint("r", o.n), "Hello from a human.")
	case 9:
		to := []conversation.Target{{Agent: Email(o.agent())}, {Pool: "team"}}[o.random.IntN(2)]
		_, err = o.Transfer(ctx, id, a, to, "a note")
	case 10:
		_, err = o.Snooze(ctx, id, a, o.Clock.Now().Add(time.Duration(o.random.IntN(90))*time.Second))
	case 11:
		_, err = o.Wake(ctx, id, a)
	case 12:
		_, err = o.Resolve(ctx, id, a, "done")
	case 13:
		to := []conversation.OwnerKind{conversation.OwnerAgent, conversation.OwnerQueue, conversation.OwnerAI, conversation.OwnerNobody}[o.random.IntN(4)]
		r := tenant.Reassignment{To: to}
		if to == conversation.OwnerAgent {
			r.Agent = Email(o.agent())
		}
		_, err = o.Reassign(ctx, id, a, r)
	case 14:
		if o.random.IntN(4) == 0 {
			_, err = o.Merge(ctx, id, o.conversation(), a, true)
		}
	default:
		o.SetState(o.agent(), []store.PresenceState{store.Online, store.Online, store.Away}[o.random.IntN(3)])
		o.Clock.Step(time.Duration(o.random.IntN(40)) * time.Second)
	}
	return err
}

func (o *office) say(t *testing.T, id string) error {
	text := fmt.Sprintf("%s (%d)", []string{Question, Human, "Thanks."}[o.random.IntN(3)], o.n)
	_, err := o.Say(t.Context(), id, fmt.Sprint("m", o.n), text)
	if err == nil {
		o.said[id] = append(o.said[id], text)
	}
	return err
}

// Whatever people do, and in whatever order: no customer's message is lost, nobody is offered work beyond their capacity,
// what agents hold is what the conversations say, the AI is silent where it is not the owner, and customers are told of
// each handoff.
func TestRandomWork(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	table := Table(3, 2)
	table.Policy.ReturnToAI.CustomerIdle = map[v1alpha1.ChannelType]metav1.Duration{v1alpha1.ChannelTypeWeb: {Duration: time.Minute}}
	o := &office{World: New(t, Options{Table: table}), random: rand.New(rand.NewPCG(seed, 0)), said: map[string][]string{}}
	for i := range 6 {
		id, _ := o.OpenFor(t, fmt.Sprint("u", i%3))
		o.ids = append(o.ids, id)
	}
	for range 400 {
		var refusal *conversation.Refusal
		var invalid *tenant.Invalid
		if err := o.step(t); err != nil && !errors.As(err, &refusal) && !errors.As(err, &invalid) {
			t.Fatal(err)
		}
	}
	for _, id := range o.ids {
		o.checkConversation(t, id)
	}
	checkCapacity(t, o.Record.All(), table.Pools[0].Agents[0].Capacity)
	o.checkLoads(t)
}

func (o *office) checkConversation(t *testing.T, id string) {
	t.Helper()
	events := o.Events(id)
	if err := CheckLog(events); err != nil {
		t.Errorf("%s: %v", id, err)
	}
	for i, e := range events {
		goesToHumans := e.Type == conversation.EventHandoff || e.Type == conversation.EventTransferred
		if goesToHumans && !slices.ContainsFunc(events[i:], func(told conversation.Event) bool {
			return told.Epoch == e.Epoch && told.Type == conversation.EventMessage && told.Author.Kind == conversation.AuthorSystem
		}) {
			t.Errorf("%s: nobody was told of event %d (%s)", id, e.Seq, e.Type)
		}
	}
	goesOn, err := o.GoesOn(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	there := append(events, o.Events(goesOn)...)
	for _, text := range o.said[id] {
		if !slices.ContainsFunc(there, func(e conversation.Event) bool { return e.Text == text }) && !o.between(t, id, text) {
			t.Errorf("%s, which goes on in %s, lost %q", id, goesOn, text)
		}
	}
}

// between looks for a message in the conversations through which a merged one goes on.
func (o *office) between(t *testing.T, id, text string) bool {
	for id != "" {
		if slices.ContainsFunc(o.Events(id), func(e conversation.Event) bool { return e.Text == text }) {
			return true
		}
		c, err := o.Conversation(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		id = c.MergedInto
	}
	return false
}

// takes is what a conversation takes of whose capacity.
func takes(c conversation.Conversation) (string, int) {
	switch {
	case c.Offer != nil:
		return c.Offer.Agent.Email, c.Offer.Cost
	case c.Owner.Kind == conversation.OwnerAgent && c.SnoozedUntil.IsZero():
		return c.Owner.ID, c.Cost
	default:
		return "", 0
	}
}

// checkCapacity recomputes from what was written that every offer left its agent within their capacity.
func checkCapacity(t *testing.T, written []Written, capacity int) {
	t.Helper()
	latest := map[string]conversation.Conversation{}
	for _, w := range written {
		if w.Change == nil {
			continue
		}
		c := w.Change.Conversation
		latest[c.ID] = c
		if c.Offer == nil || !slices.ContainsFunc(w.Change.Events, func(e conversation.Event) bool { return e.Type == conversation.EventOffered }) {
			continue
		}
		held := 0
		for _, other := range latest {
			if who, n := takes(other); who == c.Offer.Agent.Email {
				held += n
			}
		}
		if held > capacity {
			t.Errorf("with an offer of %s, %s holds %d of %d", c.ID, c.Offer.Agent.Email, held, capacity)
		}
	}
}

// checkLoads compares what the store says that agents hold with what their conversations add up to.
func (o *office) checkLoads(t *testing.T) {
	t.Helper()
	if err := o.Record.View(t.Context(), func(r store.Reader) error {
		loads, err := r.Loads()
		for i := range 3 {
			want := 0
			held, err := r.OwnedBy(Email(fmt.Sprint("a", i)))
			if err != nil {
				return err
			}
			for _, c := range held {
				_, n := takes(c)
				want += n
			}
			if got := loads[Email(fmt.Sprint("a", i))].Units; got != want {
				t.Errorf("a%d holds %d by the store, and %d by their conversations", i, got, want)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
