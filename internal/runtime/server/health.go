package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

const (
	// storageCheck is how often the store is asked whether it works. A store that commits anyway is asked nothing.
	storageCheck = 5 * time.Second
	// storageAnswer bounds one such question.
	storageAnswer = 5 * time.Second
)

// health says whether customers can be served.
type health struct {
	tenant *tenant.Tenant
	// served says that there were a table and a store that works.
	served atomic.Bool
}

// ready says whether the process can answer customers. Once it can it stays so: without its store it tells them to try
// again, which is better than a Service that has no endpoint because every replica's database is the same one.
func (h *health) ready(ctx context.Context) error {
	if h.served.Load() {
		return nil
	}
	err := h.tenant.Ready(ctx)
	if err == nil {
		h.served.Store(true)
	}
	return err
}

func (h *health) readyz(w http.ResponseWriter, r *http.Request) {
	if err := h.ready(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// watch calls changed whenever the store stops working, with why, and with nil when it works again, until ctx ends. changed may be nil.
func (h *health) watch(ctx context.Context, log *slog.Logger, changed func(error)) error {
	works := true
	for {
		asking, cancel := context.WithTimeout(ctx, storageAnswer)
		err := h.tenant.Ready(asking)
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			h.served.Store(true)
		}
		if h.served.Load() && (err == nil) != works {
			if works = err == nil; works {
				log.InfoContext(ctx, "the storage works again")
			} else {
				log.ErrorContext(ctx, "the storage cannot be used, customers are told to try again", "error", err)
			}
			if changed != nil {
				changed(err)
			}
		}
		timer := time.NewTimer(storageCheck)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}
