package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/storetest"
)

// The writer's network is cut at any moment, between commits and their announcements too: a listener whose own network
// is whole hears of everything that was committed.
func TestEveryCommitIsTold(t *testing.T) {
	t.Parallel()
	server, schema := postgrestest.Shared(t), newSchema()
	reader := openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: schema})
	proxy, dsn := proxied(t, server)
	writer := openPostgres(t, store.PostgresOptions{DSN: dsn, Schema: schema, Timeout: time.Minute})
	const n = 60
	create(t, reader, n)
	ear := storetest.Listen(t, reader)
	var writing sync.WaitGroup
	for i := range n {
		id := fmt.Sprint("c", i)
		writing.Go(func() { _ = writer.Update(t.Context(), func(tx store.Tx) error { return writeTo(tx, id) }) }) // the log tells
		if i%10 == 5 {
			<-time.After(rand.N(3 * time.Millisecond)) // anywhere in what is written
			proxy.Stop()
			if err := proxy.Start(); err != nil {
				t.Fatal(err)
			}
		}
	}
	writing.Wait()
	heard := map[string]bool{}
	for i := range n {
		id := fmt.Sprint("c", i)
		if seqOf(t, reader, id) == 2 || heard[id] {
			continue // it was not committed
		}
		for _, w := range ear.Until("of "+id, func(w store.Wake) bool { return w.Reread || storetest.About(id)(w) }) {
			for _, id := range w.Conversations {
				heard[id] = true
			}
		}
	}
}

// The listener's connection is cut again and again while others write: without another word it knows the newest state.
func TestCutListenerMissesNothing(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	s := openPostgres(t, store.PostgresOptions{DSN: server.DSN(), Schema: newSchema()})
	create(t, s, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	seen := make(chan int64, 10_000)
	listening.Go(func() {
		_ = s.Listen(ctx, func(store.Wake) { seen <- seqOf(t, s, "c0") }) // ends with ctx
	})
	defer listening.Wait()
	defer cancel()
	<-seen
	const messages, cuts = 100, 10
	for i := range messages {
		if i%(messages/cuts) == 0 {
			server.Exec(t, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`)
		}
		if err := s.Update(t.Context(), func(tx store.Tx) error { return writeTo(tx, "c0") }); err != nil {
			t.Fatal(err)
		}
	}
	for timeout := time.After(storetest.Patience); ; {
		select {
		case seq := <-seen:
			if seq == messages+2 {
				return
			}
		case <-timeout:
			t.Fatalf("the listener does not know of the last message")
		}
	}
}
