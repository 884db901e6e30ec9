package tenant_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

func step(a v1alpha1.UnavailableAction) []routing.UnavailableStep {
	return []routing.UnavailableStep{{Action: a}}
}

// until has one agent, on shift on the day of the tests from 09:00 to an hour.
func until(hour int, u routing.Unavailable) *routing.Table {
	table := Table(1, 1)
	table.Pools[0].Hours = []routing.Window{{Days: []v1alpha1.Weekday{"Mon"}, From: 9 * 60, To: hour * 60}}
	table.Policy.Unavailable = u
	return table
}

// closedTable has nobody on shift.
func closedTable(a v1alpha1.UnavailableAction) *routing.Table {
	table := until(10, routing.Unavailable{Closed: step(a)})
	table.Pools[0].Hours[0].Days = []v1alpha1.Weekday{"Sun"}
	return table
}

func wantTold(t *testing.T, w *World, id string, want ...string) {
	t.Helper()
	if got := told(w, id); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("the customer is told\n%q, want\n%q", got, want)
	}
}

// text is a built-in one in the language of the tests' customers.
func text(table *routing.Table, event v1alpha1.MessageEvent, vars ...string) string {
	m := map[string]string{}
	for i := 0; i < len(vars); i += 2 {
		m[vars[i]] = vars[i+1]
	}
	return table.Text(event, "en", v1alpha1.ChannelTypeWeb, "", m)
}

// Nobody is on shift: the very first message asks for a human, and the customer is asked how they can be reached. What
// they leave makes it a conversation of e-mail or phone, at its place in the queue.
func TestContactIsCollectedWhenClosed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		action v1alpha1.UnavailableAction
		ask    v1alpha1.MessageEvent
		says   []string
		heard  []v1alpha1.MessageEvent
		want   conversation.Contact
	}{
		"e-mail": {
			v1alpha1.UnavailableCollectContact, routing.TextAskEmail,
			[]string{"Oh, what a pity", "it is ada@example", "ada@example.com", "I wrote to bob@example.com before about this, and nobody answered me there", "sorry, ada@home.example"},
			[]v1alpha1.MessageEvent{"", routing.TextEmailUnreadable, routing.TextEmailKept, "", routing.TextEmailKept},
			conversation.Contact{Asked: true, By: "Email", Email: "ada@home.example"},
		},
		"callback": {
			v1alpha1.UnavailableCallback, routing.TextAskPhone,
			[]string{"030 901820", "+49 (30) 901820"},
			[]v1alpha1.MessageEvent{routing.TextPhoneUnreadable, routing.TextPhoneKept},
			conversation.Contact{Asked: true, By: "Phone", Phone: "+4930901820"},
		},
		"a number instead": {
			v1alpha1.UnavailableCollectContact, routing.TextAskEmail, []string{"I prefer +49 30 901820"},
			[]v1alpha1.MessageEvent{routing.TextPhoneKept}, conversation.Contact{Asked: true, By: "Email", Phone: "+4930901820"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := closedTable(tc.action)
			w := New(t, Options{Table: table})
			id := wait(w)
			want := []string{text(table, "Handoff"), text(table, tc.ask)}
			wantTold(t, w, id, want...)
			w.AwaitType(id, conversation.EventContactAsked, 1)
			for i, says := range tc.says {
				w.Send(id, fmt.Sprint("contact", i), says)
				if tc.heard[i] == "" {
					wantTold(t, w, id, want...)
					continue
				}
				c := wantOwner(t, w, id, conversation.OwnerQueue).Contact
				want = append(want, text(table, tc.heard[i], "contact", c.Email+c.Phone))
				wantTold(t, w, id, want...)
			}
			c := wantOwner(t, w, id, conversation.OwnerQueue)
			if *c.Contact != tc.want || c.AnswerBy() != tc.want.Over() || c.ChannelType != v1alpha1.ChannelTypeWeb || !c.Handoff.At.Equal(Start) {
				t.Errorf("contact %+v, answered by %s, waiting since %s", *c.Contact, c.AnswerBy(), c.Handoff.At)
			}
			if err := CheckLog(w.Events(id)); err != nil {
				t.Error(err)
			}
		})
	}
}

// The policy's own words are used, in the customer's language where it has them.
func TestUnavailableInTheWordsOfThePolicy(t *testing.T) {
	t.Parallel()
	table := closedTable(v1alpha1.UnavailableCollectContact)
	table.Policy.Messages = []routing.Message{{Event: v1alpha1.MessageUnavailable, Language: "en", Text: "Leave your address."}}
	w := New(t, Options{Table: table})
	for language, want := range map[string]string{
		"en": "Leave your address.", "de": table.Text(routing.TextAskEmail, "de", "Web", "", nil),
	} {
		c, _, err := w.Open(t.Context(), tenant.NewConversation{ChannelToken: Token, Language: language})
		if err != nil {
			t.Fatal(err)
		}
		w.Send(c.ID, "1", map[string]string{"en": Human, "de": "Ich möchte mit einem Menschen sprechen"}[language])
		w.AwaitType(c.ID, conversation.EventContactAsked, 1)
		if got := told(w, c.ID); got[len(got)-1] != want {
			t.Errorf("in %s: %q, want %q", language, got, want)
		}
	}
}

// The last shift of the route ends while a customer waits: they are told at that moment, once.
func TestClosingTellsWhoWaits(t *testing.T) {
	t.Parallel()
	for _, action := range []v1alpha1.UnavailableAction{v1alpha1.UnavailableQueue, v1alpha1.UnavailableCollectContact, v1alpha1.UnavailableVoicemail} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			table := until(10, routing.Unavailable{Closed: step(action)})
			w := New(t, Options{Table: table})
			id := wait(w)
			want := []string{text(table, "Handoff"), text(table, "Queued", "position", "1")}
			wantTold(t, w, id, want...)
			closes := Start.Add(time.Hour)
			w.Clock.AwaitTimer(t, closes)
			w.Clock.SetTime(closes)
			e := w.AwaitType(id, conversation.EventUnavailable, 1)
			if e.Absence != conversation.Closed || !e.At.Equal(closes) {
				t.Errorf("the log has %+v", e)
			}
			event := v1alpha1.MessageUnavailable // a chat has no voicemail: it waits
			if action == v1alpha1.UnavailableCollectContact {
				event = routing.TextAskEmail
				w.AwaitType(id, conversation.EventContactAsked, 1)
			}
			wantTold(t, w, id, append(want, text(table, event))...)
			opens := time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC) // and it is told no second time
			w.Clock.SetTime(opens.Add(time.Hour))
			w.SetState("a0", store.Online)
			w.Clock.SetTime(opens.AddDate(0, 0, 7))
			w.SetState("a0", store.Online)
			offeredTo(t, w, id, 1, "a0")
			wantTold(t, w, id, append(want, text(table, event))...)
		})
	}
}

// Agents are on shift, but none takes the conversation in time: the step for that is done, counted from the handoff and
// over all targets, once.
func TestBusy(t *testing.T) {
	t.Parallel()
	const after = 10 * time.Minute
	for action, event := range map[v1alpha1.UnavailableAction]v1alpha1.MessageEvent{
		v1alpha1.UnavailableQueue: "Queued", v1alpha1.UnavailableCollectContact: routing.TextAskEmail, v1alpha1.UnavailableCallback: routing.TextAskPhone,
	} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			table := Table(2, 1)
			table.Policy.Unavailable = routing.Unavailable{BusyAfter: metav1.Duration{Duration: after}, Busy: step(action)}
			table.Policy.Routes[0].Targets = []routing.Target{{Pool: "team", For: metav1.Duration{Duration: time.Minute}}, {Pool: "team"}}
			w := New(t, Options{Table: table})
			id := wait(w)
			want := []string{text(table, "Handoff"), text(table, "Queued", "position", "1")}
			wantTold(t, w, id, want...)
			busy := Start.Add(after)
			w.Clock.AwaitTimer(t, busy)
			w.Clock.SetTime(busy.Add(-time.Nanosecond))
			wait(w) // looks at what is due
			wantTold(t, w, id, want...)
			w.Clock.SetTime(busy)
			if e := w.AwaitType(id, conversation.EventUnavailable, 1); e.Absence != conversation.Busy {
				t.Errorf("the log has %+v", e)
			}
			want = append(want, text(table, event, "position", "1"))
			wantTold(t, w, id, want...)
			w.Clock.SetTime(busy.Add(24 * time.Hour))
			w.SetState("a0", store.Online)
			offeredTo(t, w, id, 1, "a0")
			wantTold(t, w, id, want...)
		})
	}
}

// While somebody is asked, nobody is told that all are busy; when that one lets it pass, they are.
func TestBusyWaitsForAnOpenOffer(t *testing.T) {
	t.Parallel()
	const after = 30 * time.Second
	table := Table(1, 1)
	table.Policy.Unavailable = routing.Unavailable{BusyAfter: metav1.Duration{Duration: after}, Busy: step(v1alpha1.UnavailableQueue)}
	w := New(t, Options{Table: table})
	w.SetState("a0", store.Online)
	id := wait(w)
	offeredTo(t, w, id, 1, "a0")
	w.Clock.AwaitTimer(t, Start.Add(OfferTimeout))
	w.Clock.SetTime(Start.Add(OfferTimeout))
	w.AwaitType(id, conversation.EventUnavailable, 1)
	if n := countType(w.Events(id), conversation.EventUnavailable); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// A conversation that is taken in time is told nothing.
func TestTakenInTimeIsToldNothing(t *testing.T) {
	t.Parallel()
	table := until(10, routing.Unavailable{Closed: step(v1alpha1.UnavailableCollectContact),
		BusyAfter: metav1.Duration{Duration: time.Minute}, Busy: step(v1alpha1.UnavailableCollectContact)})
	w := New(t, Options{Table: table})
	w.SetState("a0", store.Online)
	id := accepted(t, w, "a0")
	before := told(w, id)
	w.Clock.SetTime(Start.Add(2 * time.Hour))
	wait(w) // the deadlines were met before
	wantTold(t, w, id, before...)
}

// The estimate is made of what was measured: nothing at first, then the mean handling time by the slots that are there.
func TestEstimatedWait(t *testing.T) {
	t.Parallel()
	table := Table(2, 1)
	w := New(t, Options{Table: table})
	w.SetState("a0", store.Online)
	for range 5 {
		id := wait(w)
		offeredTo(t, w, id, 1, "a0")
		if _, err := w.Accept(t.Context(), id, w.AgentNamed("a0")); err != nil {
			t.Fatal(err)
		}
		waits := wait(w)
		if got := told(w, waits); strings.Contains(got[len(got)-1], "min") {
			t.Fatalf("told %q, though nothing was measured", got)
		}
		if _, err := w.TakeOver(t.Context(), waits, w.AgentNamed("a1")); err != nil { // which is no measure of the pool's work
			t.Fatal(err)
		}
		if _, err := w.ReturnToAI(t.Context(), waits, w.AgentNamed("a1")); err != nil {
			t.Fatal(err)
		}
		w.Clock.Step(4 * time.Minute)
		if _, err := w.Resolve(t.Context(), id, w.AgentNamed("a0"), ""); err != nil {
			t.Fatal(err)
		}
	}
	held := accepted(t, w, "a0")
	first := wait(w)
	w.Clock.Step(time.Second)
	second := wait(w)
	wantLast := func(id, position, wait string) {
		t.Helper()
		if got := told(w, id); got[len(got)-1] != text(table, "Queued", "position", position, "wait", wait) {
			t.Errorf("place %s is told %q", position, got)
		}
	}
	wantLast(first, "1", "4 min")
	wantLast(second, "2", "8 min")
	if s, ok, err := w.Standing(t.Context(), second); err != nil || !ok || s != (tenant.Standing{Position: 2, Wait: 8 * time.Minute}) {
		t.Errorf("standing %+v, %v, %v", s, ok, err)
	}
	w.SetState("a1", store.Online) // a1 is offered the first
	w.AwaitType(first, conversation.EventOffered, 1)
	if s, ok, err := w.Standing(t.Context(), second); err != nil || !ok || s != (tenant.Standing{Position: 1, Wait: 2 * time.Minute}) {
		t.Errorf("with two agents: %+v, %v, %v", s, ok, err)
	}
	w.SetState("a0", store.Away)
	w.SetState("a1", store.Away)
	if s, ok, err := w.Standing(t.Context(), second); err != nil || !ok || s.Wait != 0 {
		t.Errorf("with nobody there: %+v, %v, %v", s, ok, err)
	}
	if _, ok, err := w.Standing(t.Context(), held); ok || err != nil {
		t.Errorf("who is served stands in a queue: %v", err)
	}
}

// What was transferred to a pool stands behind those who wait for that pool, and not behind all others; where nobody of
// that pool is on shift the customer is told so, although their route is open.
func TestStandingOfATransferredConversation(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		hours []routing.Window
		want  func(*routing.Table) string
	}{
		"open":   {nil, func(tb *routing.Table) string { return text(tb, "Queued", "position", "1") }},
		"closed": {[]routing.Window{{Days: []v1alpha1.Weekday{"Sun"}, To: 60}}, func(tb *routing.Table) string { return text(tb, "Unavailable") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := Table(1, 1)
			experts := table.Pools[0]
			experts.Name, experts.Hours = "experts", tc.hours
			experts.Agents = []routing.Agent{{Name: "e0", DisplayName: "Expert", Email: Email("e0"), Capacity: 1}}
			table.Pools = []routing.Pool{experts, table.Pools[0]}
			w := New(t, Options{Table: table})
			w.SetState("a0", store.Online)
			id := accepted(t, w, "a0")
			wait(w)
			w.SetState("a0", store.Away)
			wait(w)
			w.Clock.Step(time.Minute)
			w.Do(w.Transfer(t.Context(), id, w.AgentNamed("a0"), conversation.Target{Pool: "experts"}, ""))
			if got, want := told(w, id), tc.want(table); got[len(got)-1] != want {
				t.Errorf("told %q, want %q", got, want)
			}
			if s, ok, err := w.Standing(t.Context(), id); err != nil || !ok || s.Position != 1 {
				t.Errorf("standing %+v, %v, %v", s, ok, err)
			}
		})
	}
}
