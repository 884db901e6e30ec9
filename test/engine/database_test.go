package engine_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/test/engine"
)

// database is a server behind a proxy that the test disturbs.
type database struct {
	*testing.T
	*postgrestest.Server
	proxy *toxiproxy.Proxy
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{T: t, Server: postgrestest.Start(t, "max_connections=60")}
	d.proxy = toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "postgres", "127.0.0.1:0",
		fmt.Sprintf("127.0.0.1:%d", d.Port))
	if err := d.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.proxy.Stop)
	return d
}

// through is the DSN that leads through the proxy.
func (d *database) through() string {
	d.Helper()
	_, port, err := net.SplitHostPort(d.proxy.Listen)
	if err != nil {
		d.Fatal(err)
	}
	return d.At(must[int](d.T)(strconv.Atoi(port)))
}

func (d *database) start() {
	d.Helper()
	if err := d.Start(); err != nil {
		d.Fatal(err)
	}
}

// toxic disturbs what the server answers.
func (d *database) toxic(kind, attributes string) (heal func()) {
	d.Helper()
	body := fmt.Sprintf(`{"name":"x","type":%q,"stream":"downstream","attributes":%s}`, kind, attributes)
	if _, err := d.proxy.Toxics.AddToxicJson(strings.NewReader(body)); err != nil {
		d.Fatal(err)
	}
	return func() {
		if err := d.proxy.Toxics.RemoveToxic(context.Background(), "x"); err != nil {
			d.Error(err)
		}
	}
}

// usurp takes all connections of the server, also those that the fleet has, and holds them.
func (d *database) usurp() (heal func()) {
	d.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	dsn := d.DSN() + "&application_name=usurper"
	first := must[*pgx.Conn](d.T)(pgx.Connect(ctx, dsn))
	var taking sync.WaitGroup
	for range 8 { // who the fleet's replicas race for what is free
		taking.Go(func() {
			var held []*pgx.Conn
			for ctx.Err() == nil {
				if conn, err := pgx.Connect(ctx, dsn); err == nil {
					held = append(held, conn)
				}
			}
			for _, conn := range held {
				_ = conn.Close(context.Background())
			}
		})
	}
	taking.Go(func() {
		for ctx.Err() == nil {
			_, _ = first.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE backend_type = 'client backend' AND application_name <> 'usurper'`) // it ends with ctx
			<-time.After(50 * time.Millisecond)
		}
		_ = first.Close(context.Background())
	})
	return func() {
		cancel()
		taking.Wait()
	}
}

// faults are what happens to a database under a running fleet.
var faults = []struct {
	name string
	// away: customers are told to try again while it lasts.
	away bool
	do   func(d *database) (heal func())
}{
	{"restarted", true, func(d *database) func() { d.Stop(); return d.start }},
	{"crashed", true, func(d *database) func() { d.Crash(d.T); return d.start }},
	{"cut off", true, func(d *database) func() {
		d.proxy.Stop()
		return func() {
			if err := d.proxy.Start(); err != nil {
				d.Error(err)
			}
		}
	}},
	{"silent", true, func(d *database) func() { return d.toxic("timeout", `{"timeout":0}`) }},
	{"slow", false, func(d *database) func() { return d.toxic("latency", `{"latency":30,"jitter":30}`) }},
	{"out of connections", true, (*database).usurp},
	{"without LISTEN", false, func(d *database) func() {
		d.Exec(d.T, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`)
		return func() {}
	}},
}

// PostgreSQL is restarted, lost, cut off, silent, slow, out of connections and without its notifications, while customers
// and agents use three replicas. They are told to try again, the same processes serve again when it is over, and what
// anybody was told is done is there.
func TestDatabaseFaults(t *testing.T) {
	t.Parallel()
	rounds := soak(t, "FAULT_ROUNDS", 1, 15)
	d := newDatabase(t)
	f := engine.New(t, engine.Options{Table: stormy(t), Replicas: 3, DSN: d.through()})
	s := must[*engine.Storm](t)(engine.NewStorm(t.Context(), f))
	next, stop, ended := make(chan int), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(next)
		for i := 0; ; i++ {
			select {
			case next <- i:
			case <-stop:
				return
			}
		}
	}()
	go func() {
		defer close(ended)
		s.Run(t.Context(), 20, next)
	}()
	began := time.Now()
	d.until(s, "conversations", func() bool { return s.Done.Load() > 3 })
	for round := range rounds {
		for _, fault := range faults {
			if !t.Failed() {
				d.suffer(s, fault.name, fault.away, fault.do)
				auditedAt(t, f, d.DSN(), &s.Promises)
			}
		}
		t.Logf("round %d of %d: %d conversations, %d of \"try again\", %s", round+1, rounds, s.Done.Load(), s.Unavailable.Load(), time.Since(began).Round(time.Second))
	}
	close(stop)
	<-ended
	fair(t, s)
	for _, c := range auditedAt(t, f, d.DSN(), &s.Promises).Waiting() {
		t.Errorf("somebody waits in %s: %+v", c.ID, c)
	}
	t.Logf("%d faults, %d conversations, %d taken over, %d of \"try again\", %d connections cut, in %s", rounds*len(faults), s.Done.Load(),
		s.Taken.Load(), s.Unavailable.Load(), s.Cut.Load(), time.Since(began).Round(time.Second))
}

// suffer lets a fault happen until it is noticed and healed, and waits until conversations come to their end again.
func (d *database) suffer(s *engine.Storm, name string, away bool, do func(*database) func()) {
	d.Helper()
	began, told := time.Now(), s.Unavailable.Load()
	s.Lost.Add(1)
	heal := do(d)
	done := s.Done.Load()
	if away {
		d.until(s, name+": a request that is told to try again", func() bool { return s.Unavailable.Load() >= told+3 })
	} else {
		d.until(s, name+": conversations all the same", func() bool { return s.Done.Load() >= done+5 })
	}
	heal()
	s.Lost.Add(1)
	done = s.Done.Load()
	healed := time.Now()
	d.until(s, name+": conversations again", func() bool { return s.Done.Load() >= done+10 })
	d.Logf("%s for %s: %d of \"try again\"; 10 conversations %s later", name, healed.Sub(began).Round(time.Millisecond),
		s.Unavailable.Load()-told, time.Since(healed).Round(time.Millisecond))
}

func (d *database) until(s *engine.Storm, what string, ok func() bool) {
	d.Helper()
	for end := time.Now().Add(engine.Patience); !ok(); {
		if time.Now().After(end) {
			fair(d.T, s)
			d.Fatalf("no %s", what)
		}
		<-time.After(20 * time.Millisecond) // nothing tells
	}
}
