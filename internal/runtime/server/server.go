// Package server is the runtime as a process: one tenant with its store, its inputs, its listeners and its end.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/opencopilot/handoff-operator/internal/runtime/channel/web"
	"github.com/opencopilot/handoff-operator/internal/runtime/events"
	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
	"github.com/opencopilot/handoff-operator/internal/runtime/inbox"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

const (
	// drain is how long requests may take to end at shutdown. It stays below the pod's termination grace period.
	drain = 15 * time.Second
	// readTimeout bounds reading a request, against clients that send it drop by drop.
	readTimeout = 15 * time.Second
	// writeTimeout bounds answering a request, against clients that do not read. Streams have their own for each write.
	writeTimeout = 30 * time.Second
	// idleTimeout closes kept-alive connections that nobody uses.
	idleTimeout = 2 * time.Minute
)

// Source brings a runtime its inputs (see package table).
type Source interface {
	Run(ctx context.Context, use table.Use) error
}

// Options say what to run and where.
type Options struct {
	// DataDir keeps the store. Empty for PostgreSQL, whose DSN is in a Secret that the table names.
	DataDir string
	// RunDir holds the socket for login codes. Empty for none.
	RunDir string
	// Addr serves customers and agents, AdminAddr metrics and health. An empty AdminAddr serves neither.
	Addr, AdminAddr string
	// Loopback lets webhooks go to addresses of this machine, as on a laptop.
	Loopback bool
	Source   Source
	Logger   *slog.Logger
	// Registry holds the metrics; nil for one of its own.
	Registry *prometheus.Registry
	// StorageChanged is called when the storage stops working, with why, and with nil when it works again. It may be nil.
	StorageChanged func(err error)
	// Started is called with the addresses when customers can be served. It may be nil.
	Started func(ctx context.Context, s Started)
}

// Started is a runtime that serves customers.
type Started struct {
	Tenant *tenant.Tenant
	// Addr and AdminAddr are the addresses listened on; AdminAddr is empty where none is.
	Addr, AdminAddr string
}

// Run serves until ctx ends, then finishes what is in progress. It returns nil after an orderly end.
func Run(ctx context.Context, o Options) (err error) {
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
		o.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	st, err := openStorage(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	t := tenant.New(tenant.Config{Store: st, Logger: o.Logger, Registerer: o.Registry,
		WebhookClient: events.NewClient(o.Loopback)})

	h := &health{tenant: t}
	g, ctx := errgroup.WithContext(ctx)
	s := Started{Tenant: t}
	ready := make(chan struct{})
	if s.Addr, err = listen(ctx, g, o.Addr, public(t, ctx.Done()), o.Logger); err != nil {
		return stop(g, err)
	}
	if o.AdminAddr != "" {
		if s.AdminAddr, err = listen(ctx, g, o.AdminAddr, admin(h, o.Registry), o.Logger); err != nil {
			return stop(g, err)
		}
	}
	if o.RunDir != "" {
		if err := listenSocket(ctx, g, o.RunDir, t, o.Logger); err != nil {
			return stop(g, err)
		}
	}
	g.Go(func() error { return t.Run(ctx) })
	g.Go(func() error { return h.watch(ctx, o.Logger, o.StorageChanged) })
	use := func(ctx context.Context, in table.Inputs) error {
		if err := st.use(ctx, in); err != nil {
			return err
		}
		return t.Use(ctx, in)
	}
	g.Go(func() error { return o.Source.Run(ctx, onFirst(use, func() { close(ready) })) })
	g.Go(func() error {
		select {
		case <-ready:
			o.Logger.Info("serving", "address", s.Addr, "admin", s.AdminAddr)
			if o.Started != nil {
				o.Started(ctx, s)
			}
		case <-ctx.Done():
		}
		return nil
	})
	return g.Wait()
}

// stop ends what was started when something else could not be.
func stop(g *errgroup.Group, err error) error {
	g.Go(func() error { return err })
	return g.Wait()
}

// onFirst calls then once, after the first inputs were put to use.
func onFirst(use table.Use, then func()) table.Use {
	done := false
	return func(ctx context.Context, in table.Inputs) error {
		err := use(ctx, in)
		if err == nil && !done {
			done = true
			then()
		}
		return err
	}
}

// public serves customers and agents. Streams end with end, so that none holds up the process's end.
func public(t *tenant.Tenant, end <-chan struct{}) http.Handler {
	mux := http.NewServeMux()
	web.Register(mux, t, end)
	inbox.Register(mux, t)
	mux.Handle("/", httpjson.Handler(func(_ http.ResponseWriter, r *http.Request) error {
		return &httpjson.NotFound{Method: r.Method, Path: r.URL.Path}
	}))
	return mux
}

// admin serves metrics and health. A live process is healthy; it is ready when customers can be served.
func admin(h *health, reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", h.readyz)
	return mux
}

// listen serves a handler at an address until ctx ends, and returns the address.
func listen(ctx context.Context, g *errgroup.Group, addr string, h http.Handler, log *slog.Logger) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listening at %s: %w", addr, err)
	}
	serve(ctx, g, l, h, log)
	return l.Addr().String(), nil
}

// serve serves a handler until ctx ends, and then for as long as requests in progress take, up to drain.
func serve(ctx context.Context, g *errgroup.Group, l net.Listener, h http.Handler, log *slog.Logger) {
	requests := httpjson.WithLogger(context.WithoutCancel(ctx), log)
	srv := &http.Server{
		Handler: h, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	g.Go(func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving at %s: %w", l.Addr(), err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := srv.Shutdown(wait); err != nil {
			return errors.Join(fmt.Errorf("requests at %s did not end within %s: %w", l.Addr(), drain, err), srv.Close())
		}
		return nil
	})
}
