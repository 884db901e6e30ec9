package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	toxi "github.com/Shopify/toxiproxy/v2/client"
	"github.com/rs/zerolog"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/storetest"
)

// proxied is a server behind a proxy that the test disturbs.
func proxied(t *testing.T, server *postgrestest.Server) (*toxiproxy.Proxy, string) {
	t.Helper()
	log := zerolog.Nop()
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), log), "postgres", "127.0.0.1:0", fmt.Sprintf("127.0.0.1:%d", server.Port))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	_, port, err := net.SplitHostPort(proxy.Listen)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "127.0.0.1:" + port
	return proxy, u.String()
}

func toxic(t *testing.T, proxy *toxiproxy.Proxy, stream, kind string, attributes toxi.Attributes) (remove func()) {
	t.Helper()
	body := fmt.Sprintf(`{"name":"x","type":%q,"stream":%q,"attributes":%s}`, kind, stream, jsonOf(t, attributes))
	if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := proxy.Toxics.RemoveToxic(context.Background(), "x"); err != nil {
			t.Error(err)
		}
	}
}

// Cut off, and the network swallowing everything: an error in time, nothing half done, and the same store goes on.
func TestCutOff(t *testing.T) {
	t.Parallel()
	proxy, dsn := proxied(t, postgrestest.Shared(t))
	s := openPostgres(t, store.PostgresOptions{DSN: dsn, Schema: newSchema(), Timeout: 10 * time.Second})
	s.SetSilence(100 * time.Millisecond)
	create(t, s, 1)
	ear := storetest.Listen(t, s)
	before := works(t, s)
	proxy.Stop()
	wantAway(t, s.Update(t.Context(), func(tx store.Tx) error { return writeTo(tx, "c0") }))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	ear.Until("a new start of listening after a cut", func(w store.Wake) bool { return w.Reread })
	works(t, s)
	ear.Until("a message after the cut", storetest.About("c0"))
	heal := toxic(t, proxy, "downstream", "timeout", toxi.Attributes{"timeout": 0})
	wantAway(t, s.Update(soon(t), func(tx store.Tx) error { return writeTo(tx, "c0") }))
	heal()
	ear.Until("a new start of listening after a silence", func(w store.Wake) bool { return w.Reread })
	if after := works(t, s); after != before+2 {
		t.Errorf("the log went from %d to %d with two messages", before, after)
	}
	ear.Until("a message after the silence", storetest.About("c0"))
}

// The answer to the commit is lost: the error says that nobody knows, and the transaction is not run again.
func TestCommitWithoutAnswer(t *testing.T) {
	t.Parallel()
	proxy, dsn := proxied(t, postgrestest.Shared(t))
	s := openPostgres(t, store.PostgresOptions{DSN: dsn, Schema: newSchema(), Timeout: 5 * time.Second})
	var heal func()
	calls := 0
	if err := s.Update(t.Context(), func(tx store.Tx) error { // so that the statements are prepared
		_, err := tx.Loads()
		return errors.Join(err, tx.Touch("b@x.example", t0))
	}); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		calls++
		_, err := tx.Loads() // which begins the transaction: the next that is sent is the write, with the commit
		heal = toxic(t, proxy, "downstream", "timeout", toxi.Attributes{"timeout": 0})
		return errors.Join(err, tx.Touch("a@x.example", t0))
	})
	heal()
	wantAway(t, err)
	if calls != 1 || !strings.Contains(fmt.Sprint(err), "outcome is unknown") {
		t.Errorf("%v after %d calls", err, calls)
	}
	if err := s.View(t.Context(), func(r store.Reader) error {
		loads, err := r.Loads()
		if len(loads) != 2 {
			t.Errorf("what the server committed is not there: %v", loads)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// A slow network makes a slow store, not a wrong one.
func TestSlow(t *testing.T) {
	t.Parallel()
	proxy, dsn := proxied(t, postgrestest.Shared(t))
	s := openPostgres(t, store.PostgresOptions{DSN: dsn, Schema: newSchema(), Timeout: time.Minute})
	create(t, s, 1)
	heal := toxic(t, proxy, "downstream", "latency", toxi.Attributes{"latency": 20, "jitter": 20})
	defer heal()
	for range 5 {
		works(t, s)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
