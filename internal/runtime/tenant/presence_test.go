package tenant_test

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// lease is a short one, as clients know it.
const lease = tenant.DefaultPresenceLease

// accepted hands a new conversation off, which an agent accepts.
func accepted(t *testing.T, w *World, name string) string {
	t.Helper()
	id := wait(w)
	offeredTo(t, w, id, 1, name)
	if _, err := w.Accept(t.Context(), id, w.AgentNamed(name)); err != nil {
		t.Fatal(err)
	}
	return id
}

// beat is a heartbeat of an agent who is signed in for ten hours more.
func beat(t *testing.T, w *World, name string) store.Presence {
	t.Helper()
	p, err := w.Heartbeat(t.Context(), w.AgentNamed(name), w.Clock.Now().Add(10*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func presence(t *testing.T, w *World, name string) store.Presence {
	t.Helper()
	p, err := w.Presence(t.Context(), Email(name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantPresence(t *testing.T, w *World, name string, state store.PresenceState, reason string) {
	t.Helper()
	if p := presence(t, w, name); p.State != state || p.Reason != reason {
		t.Errorf("%s is %s (%q), want %s (%q)", name, p.State, p.Reason, state, reason)
	}
}

func wantOwner(t *testing.T, w *World, id string, kind conversation.OwnerKind) conversation.Conversation {
	t.Helper()
	c, err := w.Conversation(t.Context(), id)
	if err != nil || c.Owner.Kind != kind {
		t.Errorf("conversation %s belongs to %s (%v), want %s", id, c.Owner.Kind, err, kind)
	}
	return c
}

func reply(t *testing.T, w *World, id, name string) {
	t.Helper()
	if _, err := w.Reply(t.Context(), id, w.AgentNamed(name), "r", "Let me see."); err != nil {
		t.Fatal(err)
	}
}

// queue is who waits, first to last.
func queue(t *testing.T, w *World) (ids []string) {
	t.Helper()
	waiting, _, err := w.Queue(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range waiting {
		ids = append(ids, c.ID)
	}
	return ids
}

// An agent of whom nothing is heard gets nothing more after the lease. After the grace they are offline, and who waits for
// an answer of theirs is where they were in the queue, and told so; what was answered stays.
func TestWhoIsGoneGivesBackWhatIsUnanswered(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(2, 2), PresenceLease: lease})
	w.SetState("a0", store.Online)
	unanswered := accepted(t, w, "a0")
	answered := accepted(t, w, "a0")
	reply(t, w, answered, "a0")
	w.Clock.Step(time.Second)
	later := wait(w)

	lost := Start.Add(lease + tenant.PresenceGrace)
	w.Clock.AwaitTimer(t, lost)
	w.Clock.SetTime(lost.Add(-time.Nanosecond))
	wantPresence(t, w, "a0", store.Offline, store.ReasonConnectionLost) // as others see it; what they hold is theirs still
	wantOwner(t, w, unanswered, conversation.OwnerAgent)
	w.Clock.SetTime(lost)
	e := w.AwaitType(unanswered, conversation.EventRequeued, 1)
	if e.Agent.ID != Email("a0") || e.Owner.Kind != conversation.OwnerQueue {
		t.Errorf("the log has %+v", e)
	}
	events := w.Events(unanswered)
	if last := events[len(events)-1]; last.Author.Kind != conversation.AuthorSystem || last.Text == "" {
		t.Errorf("the customer is told %+v", last)
	}
	wantOwner(t, w, answered, conversation.OwnerAgent)
	if got := queue(t, w); !slices.Equal(got, []string{unanswered, later}) {
		t.Errorf("the queue is %v, want %v", got, []string{unanswered, later})
	}
	w.SetState("a1", store.Online)
	offeredTo(t, w, unanswered, 2, "a1")
	if err := CheckLog(w.Events(unanswered)); err != nil {
		t.Error(err)
	}
}

// Heartbeats keep an agent present, without a change that would wake anybody, until the sign-in ends.
func TestHeartbeatsKeepAnAgentPresent(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 1), PresenceLease: lease})
	w.SetState("a0", store.Online)
	for range 10 {
		w.Clock.Step(lease / 2)
		if p := beat(t, w, "a0"); p.State != store.Online {
			t.Fatalf("after %s a0 is %+v", w.Clock.Since(Start), p)
		}
	}
	id := wait(w)
	offeredTo(t, w, id, 1, "a0")
	a0 := w.AgentNamed("a0")
	ends := w.Clock.Now().Add(lease / 4)
	if p, err := w.Heartbeat(t.Context(), a0, ends); err != nil || !p.Until.Equal(ends) {
		t.Errorf("beyond the sign-in: %+v, %v", p, err)
	}
}

// Who was not heard of for longer than the lease, and comes back in the grace, is offered work again and has lost nothing.
func TestWhoComesBackInTheGraceHasLostNothing(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 2), PresenceLease: lease})
	w.SetState("a0", store.Online)
	held := accepted(t, w, "a0")
	w.Clock.Step(lease)
	id := wait(w)
	if n := countType(w.Events(id), conversation.EventOffered); n != 0 {
		t.Error("an agent who is not heard of was offered work")
	}
	if p := beat(t, w, "a0"); p.State != store.Online {
		t.Errorf("a0 is %+v", p)
	}
	offeredTo(t, w, id, 1, "a0")
	wantOwner(t, w, held, conversation.OwnerAgent)
}

// A heartbeat brings nobody back who is offline: they do not know what they have lost.
func TestAHeartbeatBringsNobodyOnline(t *testing.T) {
	t.Parallel()
	w := New(t, Options{PresenceLease: lease})
	wantPresence(t, w, "a0", store.Offline, "")
	if p := beat(t, w, "a0"); p.State != store.Offline {
		t.Errorf("a0 is %+v", p)
	}
	w.SetState("a0", store.Online)
	lost := Start.Add(lease + tenant.PresenceGrace)
	w.Clock.AwaitTimer(t, lost)
	w.Clock.SetTime(lost.Add(time.Second))
	w.AwaitPresence("a0", store.Offline)
	if p := beat(t, w, "a0"); p.State != store.Offline || p.Reason != store.ReasonConnectionLost {
		t.Errorf("a0 is %+v", p)
	}
}

// Offline gives back what waits for an answer, at once; away and busy keep it. A customer who writes later to somebody
// who is offline is not left alone.
func TestOfflineGivesBackAndAwayKeeps(t *testing.T) {
	t.Parallel()
	for state, keeps := range map[store.PresenceState]bool{store.Away: true, store.Busy: true, store.Offline: false} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := New(t, Options{Table: Table(1, 3)})
			w.SetState("a0", store.Online)
			unanswered, answered := accepted(t, w, "a0"), accepted(t, w, "a0")
			offered := wait(w)
			offeredTo(t, w, offered, 1, "a0")
			reply(t, w, answered, "a0")
			w.SetState("a0", state)
			w.AwaitType(offered, conversation.EventOfferWithdrawn, 1)
			want := conversation.OwnerQueue
			if keeps {
				want = conversation.OwnerAgent
			}
			wantOwner(t, w, unanswered, want)
			wantOwner(t, w, answered, conversation.OwnerAgent)
			w.Send(answered, "2", "And when?")
			wantOwner(t, w, answered, want)
		})
	}
}

// Who lets three offers in a row pass is set away, is told why, gives back what else they are offered, and is offered
// nothing more until they go online themselves.
func TestMissedOffersSetAnAgentAway(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 2)})
	w.SetState("a0", store.Online)
	id := wait(w)
	for n := 1; n <= 3; n++ {
		e := offeredTo(t, w, id, n, "a0")
		var other string
		if n == 3 { // an offer that is open when the other one passes
			w.Clock.Step(time.Second)
			other = wait(w)
			offeredTo(t, w, other, 1, "a0")
		}
		w.Clock.AwaitTimer(t, e.At.Add(OfferTimeout))
		w.Clock.SetTime(e.At.Add(OfferTimeout))
		if passed := w.AwaitType(id, conversation.EventOfferExpired, n); passed.Away != (n == 3) {
			t.Errorf("after offer %d the log says away: %v", n, passed.Away)
		}
		if n == 3 {
			w.AwaitType(other, conversation.EventOfferWithdrawn, 1)
		}
	}
	p := presence(t, w, "a0")
	if p.State != store.Away || p.Reason != store.ReasonMissedOffers || p.Missed != 3 || !p.Since.Equal(w.Clock.Now()) {
		t.Errorf("a0 is %+v", p)
	}
	if p := beat(t, w, "a0"); p.State != store.Away {
		t.Errorf("a heartbeat makes a0 %+v", p)
	}
	w.SetState("a0", store.Online)
	offeredTo(t, w, id, 4, "a0")
	check(t, w, Table(1, 2), -1)
}

// Accepting and declining show that somebody is there, and the count begins anew.
func TestReactingEndsTheCountOfMissedOffers(t *testing.T) {
	t.Parallel()
	for name, react := range map[string]func(w *World, id string, a routing.Agent) error{
		"accept":  func(w *World, id string, a routing.Agent) error { _, err := w.Accept(t.Context(), id, a); return err },
		"decline": func(w *World, id string, a routing.Agent) error { _, err := w.Decline(t.Context(), id, a); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := New(t, Options{Table: Table(1, 2)})
			w.SetState("a0", store.Online)
			id := wait(w)
			for n := 1; n <= 2; n++ {
				e := offeredTo(t, w, id, n, "a0")
				w.Clock.AwaitTimer(t, e.At.Add(OfferTimeout))
				w.Clock.SetTime(e.At.Add(OfferTimeout))
			}
			offeredTo(t, w, id, 3, "a0")
			if p := presence(t, w, "a0"); p.Missed != 2 {
				t.Errorf("a0 is %+v", p)
			}
			if err := react(w, id, w.AgentNamed("a0")); err != nil {
				t.Fatal(err)
			}
			if p := presence(t, w, "a0"); p.Missed != 0 || p.State != store.Online {
				t.Errorf("a0 is %+v", p)
			}
		})
	}
}

// The shift ends: nothing new comes, and what one has one keeps.
func TestEndOfShift(t *testing.T) {
	t.Parallel()
	table := Table(1, 2)
	table.Pools[0].Hours = []routing.Window{{Days: []v1alpha1.Weekday{"Mon"}, From: 9 * 60, To: 10 * 60}}
	w := New(t, Options{Table: table})
	w.SetState("a0", store.Online)
	held := accepted(t, w, "a0")
	w.Clock.SetTime(Start.Add(time.Hour))
	id := wait(w)
	wantOwner(t, w, held, conversation.OwnerAgent)
	if n := countType(w.Events(id), conversation.EventOffered); n != 0 {
		t.Error("offered after the shift")
	}
	reply(t, w, held, "a0")
	if _, err := w.Resolve(t.Context(), held, w.AgentNamed("a0"), ""); err != nil {
		t.Error(err)
	}
}

func TestPresenceIsChecked(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	for _, p := range []struct {
		state         store.PresenceState
		reason, field string
	}{
		{"asleep", "", "state"}, {"", "", "state"}, {store.Online, "why not", "reason"},
		{store.Away, string(make([]byte, 101)), "reason"}, {store.Away, "\x00", "reason"}, {store.Busy, "\xff", "reason"},
	} {
		_, err := w.SetPresence(t.Context(), w.AgentNamed("a0"), p.state, p.reason, Start.Add(time.Hour))
		if invalid := (*tenant.Invalid)(nil); !errors.As(err, &invalid) || invalid.Field != p.field {
			t.Errorf("%q for %q: %v", p.state, p.reason, err)
		}
	}
	if _, err := w.SetPresence(t.Context(), w.AgentNamed("a0"), store.Away, "lunch", Start.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	wantPresence(t, w, "a0", store.Away, "lunch")
}

// Several replicas look after the same agents: what one of them hears counts for all, and what is due is done once.
func TestPresenceAcrossReplicas(t *testing.T) {
	t.Parallel()
	if os.Getenv(OnPostgres) == "" {
		return // TestOnPostgres runs it
	}
	first := New(t, Options{Table: Table(1, 1), PresenceLease: lease})
	second := New(t, Options{Table: Table(1, 1), PresenceLease: lease, Dir: first.Dir, Clock: first.Clock})
	first.SetState("a0", store.Online)
	id := accepted(t, first, "a0")
	first.Clock.Step(lease - time.Second)
	beat(t, second, "a0")
	lost := Start.Add(lease + tenant.PresenceGrace)
	first.Clock.AwaitTimer(t, lost)
	first.Clock.SetTime(lost) // looked at, and put off
	renewed := Start.Add(lease - time.Second + lease + tenant.PresenceGrace)
	first.Clock.AwaitTimer(t, renewed)
	wantOwner(t, first, id, conversation.OwnerAgent)
	first.Clock.SetTime(renewed)
	second.AwaitType(id, conversation.EventRequeued, 1)
	second.AwaitPresence("a0", store.Offline)
	if n := countType(first.Events(id), conversation.EventRequeued); n != 1 {
		t.Errorf("given back %d times", n)
	}
}
