package tenant_test

import (
	"slices"
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

// What users of comparable systems suffer from, a test for each.

// Work assigned to people who are not there.
func TestPain02WorkForPeopleWhoAreNotThere(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(w *World){
		"never came":     func(*World) {},
		"away":           func(w *World) { w.SetState("a0", store.Online); w.SetState("a0", store.Away) },
		"busy":           func(w *World) { w.SetState("a0", store.Online); w.SetState("a0", store.Busy) },
		"offline":        func(w *World) { w.SetState("a0", store.Online); w.SetState("a0", store.Offline) },
		"closed the lid": func(w *World) { w.SetState("a0", store.Online); w.Clock.Step(lease) },
		"gone for long":  func(w *World) { w.SetState("a0", store.Online); w.Clock.Step(lease + tenant.PresenceGrace) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := New(t, Options{PresenceLease: lease})
			leave(w)
			id := wait(w)
			w.SetState("a1", store.Online)
			offeredTo(t, w, id, 1, "a1")
			check(t, w, Table(2, 1), 1)
		})
	}
}

// Silent handoff, nobody told; also when the very first message asks for a human.
func TestPain05SilentHandoffWhenNobodyIsThere(t *testing.T) {
	t.Parallel()
	tables := map[string]*routing.Table{"waits": Table(1, 1), "is offered": Table(1, 1), "never answered by anybody": Table(0, 0)}
	for _, action := range []v1alpha1.UnavailableAction{v1alpha1.UnavailableQueue, v1alpha1.UnavailableCollectContact,
		v1alpha1.UnavailableCallback, v1alpha1.UnavailableVoicemail, v1alpha1.UnavailableHelpdesk} {
		tables["closed, "+string(action)] = closedTable(action)
	}
	for name, table := range tables {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := New(t, Options{Table: table})
			if name == "is offered" {
				w.SetState("a0", store.Online)
			}
			id := wait(w)
			events := w.Events(id)
			at := slices.IndexFunc(events, func(e conversation.Event) bool { return e.Type == conversation.EventHandoff })
			if len(events) <= at+1 || events[at+1].Text != text(table, "Handoff") {
				t.Errorf("after the handoff comes %v", Types(events[at:]))
			}
			if n := len(told(w, id)); n != 2 && name != "is offered" {
				t.Errorf("the customer is told %q", told(w, id))
			}
		})
	}
}

// Nobody online: the customer waits for ever.
func TestPain10NobodyOnline(t *testing.T) {
	t.Parallel()
	table := until(18, routing.Unavailable{
		Closed: step(v1alpha1.UnavailableCollectContact), BusyAfter: metav1.Duration{Duration: 10 * time.Minute}, Busy: step(v1alpha1.UnavailableCollectContact)})
	w := New(t, Options{Table: table})
	id := wait(w)
	if got := told(w, id); !strings.Contains(got[len(got)-1], "number 1") {
		t.Errorf("at first the customer is told %q", got)
	}
	w.Clock.AwaitTimer(t, Start.Add(10*time.Minute))
	w.Clock.SetTime(Start.Add(10 * time.Minute))
	w.AwaitType(id, conversation.EventContactAsked, 1)
	w.Send(id, "2", "ada@example.com")
	if c := wantOwner(t, w, id, conversation.OwnerQueue); c.Contact.Email != "ada@example.com" {
		t.Errorf("contact %+v", c.Contact)
	}
	before := told(w, id)
	w.Clock.AwaitTimer(t, time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC))
	w.Clock.SetTime(time.Date(2026, 3, 9, 9, 0, 0, 0, time.UTC))
	w.SetState("a0", store.Online)
	offeredTo(t, w, id, 1, "a0")
	if after := told(w, id); len(after) > len(before)+1 {
		t.Errorf("the customer is told %q", after)
	}
}
