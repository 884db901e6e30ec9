package tenant_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// held begins a conversation that an agent has taken over.
func held(t *testing.T, w *World, customer, agent string) string {
	t.Helper()
	id, _ := w.OpenFor(t, customer)
	w.Do(w.TakeOver(t.Context(), id, w.AgentNamed(agent)))
	return id
}

// units is what an agent holds, by the store.
func units(t *testing.T, w *World, agent string) (n int) {
	t.Helper()
	if err := w.Record.View(t.Context(), func(r store.Reader) error {
		loads, err := r.Loads()
		n = loads[Email(agent)].Units
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func wantInvalid(t *testing.T, err error, field, says string) {
	t.Helper()
	var invalid *tenant.Invalid
	if !errors.As(err, &invalid) || invalid.Field != field || !strings.Contains(invalid.Message, says) {
		t.Errorf("error %v, want field %s to say %q", err, field, says)
	}
}

func wantRefusal(t *testing.T, err error, says string) {
	t.Helper()
	var refusal *conversation.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Message, says) {
		t.Errorf("error %v, want a refusal to say %q", err, says)
	}
}

// Who says no is not asked again before the others.
func TestDeclineGoesToTheNext(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	w.SetState("a0", store.Online)
	id, _ := w.OpenConversation()
	w.Send(id, "1", Human)
	w.AwaitType(id, conversation.EventOffered, 1)
	w.SetState("a1", store.Online)
	w.Do(w.Decline(t.Context(), id, w.AgentNamed("a0")))
	if e := w.AwaitType(id, conversation.EventOffered, 2); e.Agent.ID != Email("a1") {
		t.Errorf("offered to %s", e.Agent.ID)
	}
	_, err := w.Decline(t.Context(), id, w.AgentNamed("a0"))
	wantRefusal(t, err, "not offered to")
}

// A colleague gets the offer before anybody else; the note waits for them, and capacity moves with the conversation.
func TestTransferToAColleague(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(3, 1)})
	id := held(t, w, "u1", "a0")
	_, err := w.Transfer(t.Context(), id, w.AgentNamed("a0"), conversation.Target{Agent: Email("a2")}, "")
	wantInvalid(t, err, "to.agent", "is not there now; transfer it to the pool team")
	w.SetState("a1", store.Online)
	w.SetState("a2", store.Online)
	c := w.Do(w.Transfer(t.Context(), id, w.AgentNamed("a0"), conversation.Target{Agent: Email("a2")}, "Needs a refund."))
	if c.Owner.Kind != conversation.OwnerQueue || c.Handoff.Note != "Needs a refund." || c.Offer == nil || c.Offer.Agent.Email != Email("a2") {
		t.Errorf("after the transfer %+v, offer %+v, handoff %+v", c.Owner, c.Offer, c.Handoff)
	}
	if a0, a2 := units(t, w, "a0"), units(t, w, "a2"); a0 != 0 || a2 != 1 {
		t.Errorf("a0 holds %d, a2 holds %d", a0, a2)
	}
	w.Do(w.Decline(t.Context(), id, w.AgentNamed("a2")))
	if e := w.AwaitType(id, conversation.EventOffered, 2); e.Agent.ID == Email("a2") {
		t.Error("who declined is asked again before the others")
	}
}

func TestTransferTargets(t *testing.T) {
	t.Parallel()
	table := Table(2, 2)
	table.Policy.Unavailable.Busy = []routing.UnavailableStep{{Action: v1alpha1.UnavailableHelpdesk, Helpdesk: "zendesk"}}
	w := New(t, Options{Table: table})
	a0 := w.AgentNamed("a0")
	id := held(t, w, "u1", "a0")
	for field, to := range map[string]conversation.Target{
		"to": {}, "to.agent": {Agent: "nobody@agents.example"}, "to.pool": {Pool: "sales"}, "to.line": {Line: "desk"}, "to.helpdesk": {Helpdesk: "intercom"},
	} {
		_, err := w.Transfer(t.Context(), id, a0, to, "")
		wantInvalid(t, err, field, "")
	}
	_, err := w.Transfer(t.Context(), id, a0, conversation.Target{Line: "desk"}, "")
	wantInvalid(t, err, "to.line", "one of the pools team")
	_, err = w.Transfer(t.Context(), id, a0, conversation.Target{Helpdesk: "zendesk"}, "") // though the policy names it
	wantInvalid(t, err, "to.helpdesk", `"zendesk": helpdesks are not served yet; transfer it to an agent, or to one of the pools team`)
	_, err = w.Transfer(t.Context(), id, a0, conversation.Target{Pool: "team"}, strings.Repeat("x", tenant.MaxText+1))
	wantInvalid(t, err, "note", "at most")

	other := held(t, w, "u2", "a0")
	if c := w.Do(w.Transfer(t.Context(), other, a0, conversation.Target{Pool: "team"}, "")); c.Owner.Kind != conversation.OwnerQueue {
		t.Errorf("a pool's belongs to %s", c.Owner.Kind)
	}
	ai, _ := w.OpenConversation()
	_, err = w.Transfer(t.Context(), ai, a0, conversation.Target{Pool: "team"}, "")
	wantRefusal(t, err, "belongs to the AI")
}

// A snoozed conversation stays its agent's, frees their capacity, and wakes at its time or when the customer writes.
func TestSnooze(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 1)})
	a0 := w.AgentNamed("a0")
	first, second := held(t, w, "u1", "a0"), held(t, w, "u2", "a0")
	_, err := w.Snooze(t.Context(), first, a0, w.Clock.Now().Add(400*24*time.Hour))
	wantInvalid(t, err, "until", "more than a year ahead")
	until := w.Clock.Now().Add(time.Hour)
	w.Do(w.Snooze(t.Context(), first, a0, until))
	c := w.Do(w.Snooze(t.Context(), second, a0, until))
	if c.Owner.ID != a0.Email || units(t, w, "a0") != 0 {
		t.Errorf("it belongs to %v, who holds %d", c.Owner, units(t, w, "a0"))
	}
	waiting, _ := w.OpenConversation()
	w.Send(waiting, "1", Human)
	w.AwaitType(waiting, conversation.EventHandoff, 1)
	w.SetState("a0", store.Online)
	w.AwaitType(waiting, conversation.EventOffered, 1)

	w.Send(second, "1", "Hello?")
	if c, err := w.Conversation(t.Context(), second); err != nil || !c.SnoozedUntil.IsZero() {
		t.Errorf("after the customer wrote it is snoozed until %s, %v", c.SnoozedUntil, err)
	}
	w.Clock.AwaitTimer(t, w.Clock.Now().Add(OfferTimeout))
	w.Clock.Step(time.Hour)
	w.AwaitType(first, conversation.EventWoken, 1)
	if n := units(t, w, "a0"); n < 2 {
		t.Errorf("awake, both take %d", n)
	}
	w.Do(w.Snooze(t.Context(), first, a0, w.Clock.Now().Add(time.Hour)))
	w.Do(w.Wake(t.Context(), first, a0))
}

// The customer goes away: with a question open a human follows it up; otherwise it is noted. Repeating it changes nothing.
func TestLeave(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	c := w.Do(w.Leave(t.Context(), id))
	if c.Owner.Kind != conversation.OwnerAI || c.LeftAt.IsZero() {
		t.Errorf("with nothing asked it belongs to %s, left at %s", c.Owner.Kind, c.LeftAt)
	}
	if again := w.Do(w.Leave(t.Context(), id)); again.Seq != c.Seq {
		t.Error("leaving twice is written down twice")
	}
	if back := w.Do(w.ComeBack(t.Context(), id)); !back.LeftAt.IsZero() || w.Do(w.ComeBack(t.Context(), id)).Seq != back.Seq {
		t.Errorf("back again: %+v", back)
	}
	w.Send(id, "1", "Where is my parcel?")
	model.Next(t)
	c = w.Do(w.Leave(t.Context(), id))
	if c.Owner.Kind != conversation.OwnerQueue || c.Handoff.Reason != v1alpha1.HandoffCustomerLeft || c.Handoff.Summary == "" {
		t.Errorf("with a question open it belongs to %s, handoff %+v", c.Owner.Kind, c.Handoff)
	}
}

// A closed conversation goes back to who had it, as long as they are an agent; after a week a new one begins.
func TestReopen(t *testing.T) {
	t.Parallel()
	table := Table(2, 2)
	table.Policy.ReturnToAI.OnResolve = false
	w := New(t, Options{Table: table})
	w.SetState("a1", store.Online)
	a0 := w.AgentNamed("a0")
	closed := func(customer string) string {
		id := held(t, w, customer, "a0")
		w.Do(w.Resolve(t.Context(), id, a0, "solved"))
		return id
	}
	id := closed("u1")
	w.SetState("a0", store.Online)
	w.Send(id, "1", Question)
	if e := w.AwaitType(id, conversation.EventOffered, 1); e.Agent.ID != a0.Email {
		t.Errorf("reopened it is offered to %s", e.Agent.ID)
	}
	stays, late := closed("u2"), closed("u3")
	w.Clock.Step(tenant.ReopenWindow)
	left := Table(2, 2)
	left.Pools[0].Agents = left.Pools[0].Agents[1:]
	w.UseTable(left)
	asked := w.Send(stays, "1", Question)
	if e := w.AwaitAnswer(stays, asked.Seq); e.Text != Answer {
		t.Errorf("without its agent the AI says %+v", e)
	}
	w.Clock.Step(time.Second)
	first := w.Send(late, "1", Question)
	next, err := w.GoesOn(t.Context(), late)
	if err != nil || next == late {
		t.Fatalf("it goes on in %q, %v", next, err)
	}
	if e := w.AwaitAnswer(next, first.Seq); e.Text != Answer {
		t.Errorf("the new conversation has %+v", e)
	}
	if again := w.Send(late, "1", Question); again.Seq != first.Seq {
		t.Errorf("a repeated message is taken again as %+v", again)
	}
	if events := w.Events(late); events[len(events)-1].Type != conversation.EventContinued {
		t.Errorf("the closed one ends with %s", Types(events))
	}
}

// Two conversations of one customer become one: what was not answered goes along, and so does all that comes later.
func TestMerge(t *testing.T) {
	t.Parallel()
	table := Table(2, 2)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	a0, a1 := w.AgentNamed("a0"), w.AgentNamed("a1")
	into := held(t, w, "u1", "a0")
	w.Send(into, "1", "secret of the first")
	from, token := w.OpenFor(t, "u1")
	w.Send(from, "1", "And the bill?")
	model.Next(t)
	stranger, _ := w.OpenFor(t, "u2")

	_, err := w.Merge(t.Context(), from, into, a1, false)
	wantRefusal(t, err, "belongs to agent "+a0.Email)
	_, err = w.Merge(t.Context(), stranger, into, a0, false)
	wantRefusal(t, err, "not of one customer")
	c := w.Do(w.Merge(t.Context(), from, into, a0, false))
	if c.ID != into || c.Owner.ID != a0.Email {
		t.Errorf("goes on: %s of %v", c.ID, c.Owner)
	}
	later := w.Send(from, "2", "Hello?")
	if again := w.Send(from, "1", "And the bill?"); again.Seq >= later.Seq {
		t.Errorf("a message from before the merge is taken again as %+v", again)
	}
	var said []string
	for _, e := range w.Events(into) {
		if e.Author.Kind == conversation.AuthorCustomer {
			said = append(said, e.Text)
		}
	}
	if diff := cmp.Diff([]string{"secret of the first", "And the bill?", "Hello?"}, said); diff != "" {
		t.Errorf("the customer's messages (-want +got):\n%s", diff)
	}

	since, err := w.Authorize(t.Context(), into, token)
	if err != nil || since.From == 0 || since.Of != from {
		t.Fatalf("the token of the merged one opens the other as %+v, %v", since, err)
	}
	events, _, _, err := w.Tenant.Events(t.Context(), into, since.From, 100)
	if err != nil || slices.ContainsFunc(events, func(e conversation.Event) bool { return strings.Contains(e.Text, "secret") }) || len(events) == 0 {
		t.Errorf("with it one reads %+v, %v", events, err)
	}
	if _, err := w.Authorize(t.Context(), stranger, token); !errors.Is(err, tenant.ErrForbidden) {
		t.Errorf("it opens another's: %v", err)
	}
	for _, id := range []string{from, into} {
		if err := CheckLog(w.Events(id)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestContact(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	ask := func(by v1alpha1.ChannelType) string {
		id, _ := w.OpenConversation()
		w.Send(id, "1", Human)
		w.AwaitType(id, conversation.EventHandoff, 1)
		if err := w.Record.Update(t.Context(), func(tx store.Tx) error {
			c, err := tx.Conversation(id)
			if err != nil {
				return err
			}
			change, err := c.AskContact(by, "How can we reach you?", w.Clock.Now())
			if err != nil {
				return err
			}
			return tx.Save(change)
		}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	for text, want := range map[string]string{
		"You can write to Ada.Lovelace@example.org, thanks": "Ada.Lovelace@example.org", "I have none": "", "me@home": "",
	} {
		id := ask(v1alpha1.ChannelTypeEmail)
		w.Send(id, "2", text)
		if c, err := w.Conversation(t.Context(), id); err != nil || c.Contact.Email != want {
			t.Errorf("%q: contact %+v, %v", text, c.Contact, err)
		}
	}
	for text, want := range map[string]string{"Call +31 (20) 123-4567 please": "+31201234567", "020 1234567": ""} {
		id := ask(v1alpha1.ChannelTypePhone)
		w.Send(id, "2", text)
		if c, err := w.Conversation(t.Context(), id); err != nil || c.Contact.Phone != want {
			t.Errorf("%q: contact %+v, %v", text, c.Contact, err)
		}
	}
	id := ask(v1alpha1.ChannelTypeEmail)
	for field, bad := range map[string][2]string{"email": {"Ada <ada@example.org>", ""}, "phone": {"", "12345"}} {
		_, err := w.GiveContact(t.Context(), id, bad[0], bad[1])
		wantInvalid(t, err, field, "give one such as")
	}
	_, err := w.GiveContact(t.Context(), id, "", "")
	wantInvalid(t, err, "email", "is empty")
	c := w.Do(w.GiveContact(t.Context(), id, "ada@example.org", "+31 20 1234567"))
	if c.Contact.Phone != "+31201234567" || c.AnswerBy() != v1alpha1.ChannelTypeEmail {
		t.Errorf("contact %+v, answered by %s", c.Contact, c.AnswerBy())
	}
}

// A supervisor moves anything: here what an agent who left every pool still has, and what nobody takes.
func TestReassign(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(2, 1)})
	lead := routing.Agent{Email: "lead@agents.example", DisplayName: "Lea"}
	id := held(t, w, "u1", "a0")
	other := Table(2, 1)
	other.Pools[0].Agents = other.Pools[0].Agents[1:]
	w.UseTable(other)
	for field, r := range map[string]tenant.Reassignment{
		"to": {To: "Moon"}, "agent": {To: conversation.OwnerAgent, Agent: Email("a1")}, "pool": {To: conversation.OwnerQueue, Pool: "sales"},
	} {
		_, err := w.Reassign(t.Context(), id, lead, r)
		wantInvalid(t, err, field, "")
	}
	_, err := w.Reassign(t.Context(), id, lead, tenant.Reassignment{To: conversation.OwnerAI, Pool: "team"})
	wantInvalid(t, err, "pool", "leave it out")

	w.SetState("a1", store.Online)
	c := w.Do(w.Reassign(t.Context(), id, lead, tenant.Reassignment{To: conversation.OwnerAgent, Agent: Email("A1"), Note: "Yours."}))
	if c.Owner.ID != Email("a1") || c.Handoff.Note != "Yours." || units(t, w, "a0") != 0 || units(t, w, "a1") != 1 {
		t.Errorf("it belongs to %v, handoff %+v, a0 holds %d, a1 holds %d", c.Owner, c.Handoff, units(t, w, "a0"), units(t, w, "a1"))
	}
	w.Do(w.Reassign(t.Context(), id, lead, tenant.Reassignment{To: conversation.OwnerQueue, Pool: "team"}))
	w.AwaitType(id, conversation.EventOffered, 1) // now that a1 has room again
	c = w.Do(w.Reassign(t.Context(), id, lead, tenant.Reassignment{To: conversation.OwnerNobody}))
	if c.Owner.Kind != conversation.OwnerNobody || units(t, w, "a1") != 0 {
		t.Errorf("closed it belongs to %v, a1 holds %d", c.Owner, units(t, w, "a1"))
	}
	_, err = w.Reassign(t.Context(), id, lead, tenant.Reassignment{To: conversation.OwnerAI})
	wantRefusal(t, err, "it is closed")
}
