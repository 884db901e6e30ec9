package tenant_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
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

// Tables are swapped while customers write: every message gets its answer or its handoff, once.
func TestTableSwapDropsNoConversation(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(2, 1)})
	w.SetState("a0", store.Online)
	stop := make(chan struct{})
	var swapping, talking sync.WaitGroup
	swapping.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				tb := Table(1+i%2, 1+i%3)
				tb.Copilot.Instructions = fmt.Sprint(i)
				w.UseTable(tb)
			}
		}
	})
	for range 8 {
		talking.Go(func() {
			for range 5 {
				id, _ := w.OpenConversation()
				asked := w.Send(id, "1", Question)
				if e := w.AwaitAnswer(id, asked.Seq); !strings.Contains(e.Text, Answer) {
					t.Errorf("the answer is %q", e.Text)
				}
				w.Send(id, "2", Human)
				w.AwaitType(id, conversation.EventHandoff, 1)
				if err := CheckLog(w.Events(id)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	talking.Wait()
	close(stop)
	swapping.Wait()
}

// A turn goes on with the table it began with, but what it hands off goes to those who are there now.
func TestHandoffGoesToTheAgentsOfNow(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	w.SetState("a0", store.Online)
	id, _ := w.OpenConversation()
	w.Send(id, "1", "Question one")
	call := model.Next(t)
	call.Say("Half ")
	w.AwaitPartial(id, "Half ")
	now := Table(2, 1)
	w.UseTable(now)
	w.SetState("a1", store.Online)
	now = Table(2, 1)
	now.Pools[0].Agents = now.Pools[0].Agents[1:]
	w.UseTable(now)
	model.Cut()
	if e := w.AwaitType(id, conversation.EventOffered, 1); e.Agent.ID != Email("a1") {
		t.Errorf("offered to %s, who has left", e.Agent.ID)
	}
}

// A table that cannot be used is refused, and the one before goes on serving.
func TestUnusableTableIsRefused(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	bad := Table(2, 1)
	bad.Copilot.Model = &routing.Model{BaseURL: "not a URL", Name: "small", Timeout: metav1.Duration{Duration: time.Second}}
	if err := w.Use(t.Context(), Inputs(bad)); err == nil || !strings.Contains(err.Error(), "baseURL") {
		t.Errorf("Use: %v", err)
	}
	if tb, err := w.Table(); err != nil || tb.Copilot.Model != nil {
		t.Errorf("the table in use is %+v, %v", tb, err)
	}
	id, _ := w.OpenConversation()
	w.AwaitAnswer(id, w.Send(id, "1", Question).Seq)
}

// Before the first table nothing is served, and what was owed before is answered after it.
func TestBeforeTheFirstTable(t *testing.T) {
	t.Parallel()
	before := New(t, Options{})
	id, _ := before.OpenConversation()
	if err := before.Write(id, Question); err != nil {
		t.Fatal(err)
	}
	before.Stop()
	w := New(t, Options{Dir: before.Dir, NoTable: true})
	if _, _, err := w.Open(t.Context(), tenant.NewConversation{ChannelToken: Token}); !errors.Is(err, tenant.ErrNotReady) {
		t.Errorf("Open: %v", err)
	}
	if err := w.Ready(t.Context()); !errors.Is(err, tenant.ErrNotReady) {
		t.Errorf("Ready: %v", err)
	}
	w.UseTable(Table(1, 1))
	w.AwaitAnswer(id, 2)
}

// Who waits already is told by a new table what it says now: that it takes long, or that nobody is there. Who is offered
// to somebody is told when the offer ends.
func TestNewTableLooksAtWhoWaits(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 1)})
	offered := wait(w)
	w.SetState("a0", store.Online)
	offeredTo(t, w, offered, 1, "a0")
	waits := wait(w)
	awaitText := func(id, want string) {
		w.Await(id, want, func(e conversation.Event) bool { return e.Text == want })
	}

	table := Table(1, 1)
	table.Policy.Unavailable = routing.Unavailable{BusyAfter: metav1.Duration{Duration: 30 * time.Second}, Busy: step(v1alpha1.UnavailableCollectContact)}
	w.UseTable(table)
	w.Clock.AwaitTimer(t, Start.Add(30*time.Second))
	w.Clock.Step(30 * time.Second)
	awaitText(waits, text(table, routing.TextAskEmail))

	table = closedTable(v1alpha1.UnavailableQueue)
	w.UseTable(table)
	awaitText(waits, text(table, v1alpha1.MessageUnavailable))
	w.Clock.SetTime(Start.Add(OfferTimeout))
	awaitText(offered, text(table, v1alpha1.MessageUnavailable))
}
