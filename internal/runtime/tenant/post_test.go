package tenant_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// A message sent twenty times at once is one event, and everybody is told of that one.
func TestMessageIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	id, _ := w.OpenConversation()
	var wg sync.WaitGroup
	got := make([]conversation.Event, 20)
	for i := range got {
		wg.Go(func() { got[i], _ = w.Say(t.Context(), id, "same", Question) })
	}
	wg.Wait()
	for _, e := range got {
		if e.Seq == 0 || e.Seq != got[0].Seq {
			t.Errorf("told of event %d and of %d", got[0].Seq, e.Seq)
		}
	}
	w.AwaitAnswer(id, got[0].Seq)
	if _, err := w.Say(t.Context(), id, "same", Question); err != nil {
		t.Error(err)
	}
	messages := 0
	for _, e := range w.Events(id) {
		if e.Author.Kind == conversation.AuthorCustomer {
			messages++
		}
	}
	if err := CheckLog(w.Events(id)); err != nil || messages != 1 {
		t.Errorf("%d messages, %v", messages, err)
	}
}

// An id stands for one text of one author.
func TestIDOfAnotherTextIsRefused(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	id, _ := w.OpenConversation()
	a0, a1 := w.AgentNamed("a0"), w.AgentNamed("a1")
	w.Send(id, "1", Question)
	if _, err := w.TakeOver(t.Context(), id, a0); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Note(t.Context(), id, a0, "1", "the customer's ids are their own"); err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string]func() (conversation.Event, error){
		"customer's other text": func() (conversation.Event, error) { return w.Say(t.Context(), id, "1", "other") },
		"agent's other text":    func() (conversation.Event, error) { return w.Note(t.Context(), id, a0, "1", "other") },
		"note as a reply": func() (conversation.Event, error) {
			return w.Reply(t.Context(), id, a0, "1", "the customer's ids are their own")
		},
		"another agent's": func() (conversation.Event, error) {
			return w.Note(t.Context(), id, a1, "1", "the customer's ids are their own")
		},
	} {
		var invalid *tenant.Invalid
		if _, err := again(); !errors.As(err, &invalid) || invalid.Field != "id" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Many write to one conversation at once: the log has all of it once, in one order.
func TestConcurrentWritersLoseNothing(t *testing.T) {
	t.Parallel()
	w := New(t, Options{Table: Table(1, 1)})
	id, _ := w.OpenConversation()
	a0 := w.AgentNamed("a0")
	if _, err := w.TakeOver(t.Context(), id, a0); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 10 {
		text := fmt.Sprintf("text %d", i)
		wg.Go(func() { w.Send(id, text, text) })
		wg.Go(func() {
			if _, err := w.Reply(t.Context(), id, a0, text, text); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[string]int{}
	for _, e := range w.Events(id) {
		if e.ClientID != "" {
			seen[string(e.Author.Kind)+e.Text]++
		}
	}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("%s: %d times", key, n)
		}
	}
	if err := CheckLog(w.Events(id)); err != nil || len(seen) != 20 {
		t.Errorf("%d texts, %v", len(seen), err)
	}
}

func TestMessageOfSpacesIsEmpty(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	id, _ := w.OpenConversation()
	var invalid *tenant.Invalid
	if _, err := w.Say(t.Context(), id, "1", " \n\t "); !errors.As(err, &invalid) || invalid.Field != "text" {
		t.Errorf("got %v", err)
	}
}
