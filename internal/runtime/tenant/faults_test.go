package tenant_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

var errFault = errors.New("the disk is full")

// faults is a store that fails or waits where a test says so.
type faults struct {
	store.Store
	mu      sync.Mutex
	failing func(conversation.Change) bool
	times   int
	pausing func(conversation.Change) bool
	reached chan struct{}
	goOn    chan struct{}
}

func (f *faults) wrap(s store.Store) store.Store {
	f.Store = s
	return f
}

// fail lets the next saves that fit fail.
func (f *faults) fail(fits func(conversation.Change) bool, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing, f.times = fits, times
}

// pause stops the next save that fits: reached is closed then, and the save goes on when goOn is closed.
func (f *faults) pause(fits func(conversation.Change) bool) (reached <-chan struct{}, goOn chan<- struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pausing, f.reached, f.goOn = fits, make(chan struct{}), make(chan struct{})
	return f.reached, f.goOn
}

func (f *faults) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.times
}

func (f *faults) Update(ctx context.Context, fn func(store.Tx) error) error {
	return f.Store.Update(ctx, func(tx store.Tx) error { return fn(faultyTx{tx, f}) })
}

type faultyTx struct {
	store.Tx
	faults *faults
}

func (x faultyTx) Save(c conversation.Change) error {
	if err := x.faults.before(c); err != nil {
		return err
	}
	return x.Tx.Save(c)
}

func (f *faults) before(c conversation.Change) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times > 0 && f.failing(c) {
		f.times--
		return errFault
	}
	if f.pausing == nil || !f.pausing(c) {
		return nil
	}
	f.pausing = nil
	goOn := f.goOn
	close(f.reached)
	f.mu.Unlock()
	<-goOn
	f.mu.Lock()
	return nil
}

type panicking struct{}

func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("nobody thought of this") }

// A message that breaks its reader goes to a human, and the others are answered as before.
func TestPanicInATurnIsAHandoff(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	NewModel(t, table)
	w := New(t, Options{Table: table, HTTPClient: &http.Client{Transport: panicking{}}})
	id, _ := w.OpenConversation()
	w.Send(id, "1", "Question")
	h := w.AwaitType(id, conversation.EventHandoff, 1)
	if h.Handoff.Reason != v1alpha1.HandoffModelFailure || h.Handoff.Summary == "" || h.Handoff.CustomerSummary == "" {
		t.Errorf("the handoff is %+v", h.Handoff)
	}
	other, _ := w.OpenConversation()
	w.Send(other, "1", Human)
	w.AwaitType(other, conversation.EventHandoff, 1)
}

func TestTheModelReadsNoCardNumbers(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	model := NewModel(t, table)
	w := New(t, Options{Table: table})
	id, _ := w.OpenConversation()
	w.Send(id, "1", "Why was my card 4111 1111 1111 1111 charged?")
	call := model.Next(t)
	if body := string(call.Body); strings.Contains(body, "4111") || !strings.Contains(body, "charged") {
		t.Errorf("the model reads %s", body)
	}
	call.End()
}
