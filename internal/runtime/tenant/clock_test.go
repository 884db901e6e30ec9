package tenant_test

import (
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// A replica whose own clock is minutes off decides by the store's: rings open, offers end, snoozes end and presences last
// as everywhere else, and the log has the store's times.
func TestTheStoresClockDecides(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"process behind": 5 * time.Minute, "process ahead": -5 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := Table(1, 1)
			table.Pools[0].OfferTimeout.Duration = time.Minute
			w := New(t, Options{Table: table, StoreAhead: ahead, PresenceLease: 2 * time.Minute})
			now := func() time.Time { return w.Clock.Now().Add(ahead) }
			a0 := w.AgentNamed("a0")
			online := func() {
				if _, err := w.SetPresence(t.Context(), a0, store.Online, "", time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
			online()
			id := wait(w)
			offer := offeredTo(t, w, id, 1, "a0")
			if c := w.Do(w.Conversation(t.Context(), id)); !c.Handoff.At.Equal(now()) || !c.Offer.ExpiresAt.Equal(now().Add(time.Minute)) || !offer.At.Equal(now()) {
				t.Errorf("at %s the handoff is of %s, the offer of %s until %s", now(), c.Handoff.At, offer.At, c.Offer.ExpiresAt)
			}
			w.Clock.AwaitTimer(t, w.Clock.Now().Add(time.Minute))
			w.Clock.Step(time.Minute)
			if e := w.AwaitType(id, conversation.EventOfferExpired, 1); !e.At.Equal(now()) {
				t.Errorf("at %s the offer ended at %s", now(), e.At)
			}
			w.Do(w.TakeOver(t.Context(), id, a0))
			if p, err := w.Presence(t.Context(), a0.Email); err != nil || p.State != store.Online {
				t.Errorf("after half of their lease the agent is %+v, %v", p, err)
			}
			w.Do(w.Snooze(t.Context(), id, a0, now().Add(30*time.Second)))
			w.Clock.AwaitTimer(t, w.Clock.Now().Add(30*time.Second))
			w.Clock.Step(30 * time.Second)
			w.AwaitType(id, conversation.EventWoken, 1)
			next := wait(w)
			w.Clock.Step(30 * time.Second) // the lease is over
			w.Do(w.Resolve(t.Context(), id, a0, ""))
			if n := countType(w.Events(next), conversation.EventOffered); n != 0 {
				t.Error("offered to an agent who was not heard of")
			}
			online()
			offeredTo(t, w, next, 1, "a0")
			for _, e := range w.Events(id) {
				if d := e.At.Sub(now()); d > 0 || d < -2*time.Minute {
					t.Errorf("event %d has the time %s, now it is %s", e.Seq, e.At, now())
				}
			}
		})
	}
}

// A login code made by one replica is good on another, whatever time that one's own clock shows.
func TestLoginCodesLastByTheStoresClock(t *testing.T) {
	t.Parallel()
	w := New(t, Options{StoreAhead: time.Hour})
	code, expires, err := w.NewCode(t.Context(), Email("a0"))
	if want := Start.Add(time.Hour + 5*time.Minute); err != nil || !expires.Equal(want) {
		t.Errorf("the code lasts until %s, not %s: %v", expires, want, err)
	}
	_, s, err := w.Redeem(t.Context(), code)
	if want := Start.Add(11 * time.Hour); err != nil || !s.ExpiresAt.Equal(want) {
		t.Errorf("signed in until %s, not %s: %v", s.ExpiresAt, want, err)
	}
}
