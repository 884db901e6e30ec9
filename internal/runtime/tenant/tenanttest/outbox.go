package tenanttest

import (
	"context"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/audit"
	"github.com/opencopilot/handoff-operator/internal/runtime/export"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// AwaitDelivery waits until a conversation's outbox has a message that fits, and returns it.
func (w *World) AwaitDelivery(id string, fits func(store.Delivery) bool) store.Delivery {
	w.TB.Helper()
	for timeout := time.After(Patience); ; {
		var all []store.Delivery
		if err := w.Record.View(w.TB.Context(), func(r store.Reader) (err error) {
			all, err = r.Deliveries(id)
			return err
		}); err != nil {
			w.TB.Fatal(err)
		}
		for _, d := range all {
			if fits(d) {
				return d
			}
		}
		select {
		case <-time.After(time.Millisecond):
		case <-timeout:
			w.TB.Fatalf("conversation %s: no such message in %+v", id, all)
		}
	}
}

// violations are what an auditor finds in all that a store has kept.
func violations(s store.Store) ([]audit.Violation, error) {
	a := &audit.Auditor{}
	err := export.Store(context.Background(), s, export.Into(a))
	return a.Result(), err
}
