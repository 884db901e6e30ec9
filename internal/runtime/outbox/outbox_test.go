package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/outbox"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is a destination that a test answers for.
type receiver struct{ calls chan *call }

// call is one attempt, which ends with what is sent to answer.
type call struct {
	store.Delivery
	answer chan error
}

func (r *receiver) Send(ctx context.Context, d store.Delivery) (string, error) {
	c := &call{d, make(chan error, 1)}
	select {
	case r.calls <- c:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case err := <-c.answer:
		return "remote-" + d.Key, err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// next waits for the next attempt.
func (r *receiver) next(t *testing.T) *call {
	t.Helper()
	select {
	case c := <-r.calls:
		return c
	case <-time.After(Patience):
		t.Fatal("nothing is delivered")
		return nil
	}
}

// world is a store with a clock, receivers, and a Dispatcher between them.
type world struct {
	t         *testing.T
	store     store.Store
	clock     *Clock
	receivers map[string]*receiver
	registry  *prometheus.Registry
	// limits are those that jitter was asked for; it takes all but a nanosecond of each.
	mu     sync.Mutex
	limits []time.Duration
}

func newWorld(t *testing.T, destinations ...string) *world {
	t.Helper()
	w := &world{t: t, clock: NewClock(), receivers: map[string]*receiver{}, registry: prometheus.NewRegistry()}
	s, err := store.OpenSQLite(t.Context(), t.TempDir(), w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w.store = s
	for _, d := range destinations {
		w.receivers[d] = &receiver{make(chan *call)}
	}
	return w
}

// dispatch runs a Dispatcher over a store until the test ends or the result is called, which waits for its end.
func (w *world) dispatch(s store.Store) (d *outbox.Dispatcher, stop func()) {
	d = outbox.New(outbox.Config{Store: s, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Registerer: w.registry,
		Lookup: func(name string) outbox.Sender {
			if r := w.receivers[name]; r != nil {
				return r
			}
			return nil
		},
		Jitter: func(limit time.Duration) time.Duration {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.limits = append(w.limits, limit)
			return limit
		}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- d.Run(ctx) }()
	go func() {
		_ = s.Listen(ctx, func(wake store.Wake) {
			if wake.Outbox || wake.Reread {
				d.Kick()
			}
		})
		ended <- nil
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				w.t.Error(err)
			}
		}
	})
	w.t.Cleanup(stop)
	return d, stop
}

// send puts messages for a destination into the outbox, in a conversation that is begun if need be.
func (w *world) send(id, destination string, kinds ...string) {
	w.t.Helper()
	err := w.store.Update(w.t.Context(), func(tx store.Tx) error {
		if _, err := tx.Conversation(id); errors.Is(err, store.ErrNotFound) {
			start := conversation.Start(conversation.Conversation{ID: id}, "", w.clock.Now())
			if err := tx.Create(start, []byte(id)); err != nil {
				return err
			}
		}
		for _, kind := range kinds {
			m := store.Message{Conversation: id, Destination: destination, Kind: kind, Payload: json.RawMessage(`[]`), At: w.clock.Now()}
			if err := tx.Enqueue(m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// await waits until the messages of a conversation are in these states.
func (w *world) await(id string, want ...store.DeliveryState) []store.Delivery {
	w.t.Helper()
	for timeout := time.After(Patience); ; {
		var got []store.DeliveryState
		var all []store.Delivery
		err := w.store.View(w.t.Context(), func(r store.Reader) (err error) {
			all, err = r.Deliveries(id)
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, d := range all {
			got = append(got, d.State)
		}
		if cmp.Equal(got, want) {
			return all
		}
		select {
		case <-time.After(time.Millisecond):
		case <-timeout:
			w.t.Fatalf("the messages are %v, want %v", got, want)
		}
	}
}

const (
	pending   = store.DeliveryPending
	delivered = store.DeliveryDone
	dead      = store.DeliveryDead
)

// The messages of one conversation to one destination go one after the other, each with the next number and a key of
// its own; those of others do not wait for them.
func TestInOrderForEachConversationAndDestination(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "webhook/a", "webhook/b")
	for _, id := range []string{"c1", "c2"} {
		for to := range w.receivers {
			w.send(id, to, "one", "two", "three")
		}
	}
	w.dispatch(w.store)
	keys := map[string]bool{}
	for round := int64(1); round <= 3; round++ {
		var open []*call
		for _, to := range []string{"webhook/a", "webhook/b"} {
			open = append(open, w.receivers[to].next(t), w.receivers[to].next(t)) // one of each conversation at once
		}
		for _, c := range open {
			if c.Seq != round || keys[c.Key] {
				t.Errorf("message %d with key %s comes where %d belongs", c.Seq, c.Key, round)
			}
			keys[c.Key] = true
			c.answer <- nil
		}
	}
	for _, d := range w.await("c1", delivered, delivered, delivered, delivered, delivered, delivered) {
		if len(d.Payload) != 0 || d.Remote == "" {
			t.Errorf("a delivered message keeps %q, and became %q", d.Payload, d.Remote)
		}
	}
}

// A destination that does not answer, with more messages than it may have at once, delays no other.
func TestOneDestinationsTroubleDelaysNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "webhook/silent", "webhook/well")
	for i := range 20 {
		w.send(fmt.Sprint("c", i), "webhook/silent", "event")
	}
	w.dispatch(w.store)
	held := []*call{w.receivers["webhook/silent"].next(t)}
	for range 7 {
		held = append(held, w.receivers["webhook/silent"].next(t))
	}
	for i := range 20 {
		w.send(fmt.Sprint("d", i), "webhook/well", "event")
	}
	for range 20 {
		w.receivers["webhook/well"].next(t).answer <- nil
	}
	select {
	case <-w.receivers["webhook/silent"].calls:
		t.Error("more than 8 at once to one destination")
	default:
	}
	for _, c := range held {
		c.answer <- nil
	}
	for range 12 {
		w.receivers["webhook/silent"].next(t).answer <- nil
	}
	w.await("c19", delivered)
}

// What fails is tried again after a part of a time that doubles, under the same key.
func TestRetriesWithFullJitter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "webhook/a")
	w.send("c", "webhook/a", "event")
	w.dispatch(w.store)
	first := w.receivers["webhook/a"].next(t)
	c := first
	for _, wait := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
		c.answer <- errors.New("status 500")
		w.clock.AwaitTimer(t, w.clock.Now().Add(wait))
		w.clock.Step(wait)
		if c = w.receivers["webhook/a"].next(t); c.Key != first.Key {
			t.Errorf("tried again under key %s, first %s", c.Key, first.Key)
		}
	}
	c.answer <- &outbox.Later{Err: errors.New("status 429"), After: time.Minute}
	w.clock.AwaitTimer(t, w.clock.Now().Add(time.Minute+2*time.Second))
	w.clock.Step(time.Minute + 2*time.Second)
	w.receivers["webhook/a"].next(t).answer <- nil
	if d := w.await("c", delivered)[0]; d.Attempts != 5 {
		t.Errorf("%d attempts", d.Attempts)
	}
	if want := []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 2 * time.Second}; !cmp.Equal(w.limits, want) {
		t.Errorf("waits are below %v, want %v", w.limits, want)
	}
}

// slow is a store whose next read takes a minute once it is armed.
type slow struct {
	store.Store
	clock *Clock
	armed chan struct{}
}

func (s slow) View(ctx context.Context, fn func(store.Reader) error) error {
	err := s.Store.View(ctx, fn)
	select {
	case <-s.armed:
		s.clock.Step(time.Minute)
	default:
	}
	return err
}

// What becomes due while it is looked for what is due is tried without waiting for anything more.
func TestDueWhileLookingForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "webhook/a")
	s := slow{w.store, w.clock, make(chan struct{}, 1)}
	w.send("c", "webhook/a", "event")
	w.dispatch(s)
	c := w.receivers["webhook/a"].next(t)
	s.armed <- struct{}{}
	c.answer <- errors.New("status 500")
	w.receivers["webhook/a"].next(t).answer <- nil
	w.await("c", delivered)
}

// After a dead letter the next goes on, with its number; a replayed one goes under its own.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "webhook/a")
	w.send("c", "webhook/a", "one", "two", "three")
	w.dispatch(w.store)
	one := w.receivers["webhook/a"].next(t)
	one.answer <- &outbox.Permanent{Err: errors.New("status 410")}
	two := w.receivers["webhook/a"].next(t)
	if two.Seq != 2 {
		t.Errorf("message %d follows on the dead letter", two.Seq)
	}
	// Two is still under way: the replayed one comes next, and then three.
	w.await("c", dead, pending, pending)
	var letters []store.Delivery
	if err := w.store.Update(t.Context(), func(tx store.Tx) (err error) {
		if letters, err = tx.DeadLetters(0, 10); err != nil {
			return err
		}
		return tx.Replay(letters[0].ID)
	}); err != nil {
		t.Fatal(err)
	}
	if len(letters) != 1 || letters[0].Error != "status 410" || letters[0].Kind != "one" {
		t.Errorf("dead letters: %+v", letters)
	}
	two.answer <- nil
	again := w.receivers["webhook/a"].next(t)
	if again.Key != one.Key || again.Seq != 1 || again.Attempts != 1 {
		t.Errorf("replayed: %+v", again.Delivery)
	}
	again.answer <- nil
	w.receivers["webhook/a"].next(t).answer <- nil
	w.await("c", delivered, delivered, delivered)
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return tx.Replay(letters[0].ID) }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("replayed twice: %v", err)
	}
}

// A message that is too old at an attempt that fails is given up; what nothing is sent to is given up at once.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "webhook/a")
	w.send("c", "webhook/a", "event")
	w.send("d", "helpdesk/none", "event")
	w.dispatch(w.store)
	w.await("d", dead)
	w.receivers["webhook/a"].next(t).answer <- errors.New("refused")
	w.clock.AwaitTimer(t, w.clock.Now().Add(2*time.Second))
	w.clock.Step(outbox.GiveUpAfter)
	w.receivers["webhook/a"].next(t).answer <- errors.New("refused\x00\xff")
	if d := w.await("c", dead)[0]; d.Error != "refused" || d.Ended.IsZero() {
		t.Errorf("%+v", d)
	}
	got := map[string]float64{}
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{
		"handoff_outbox_attempts_total webhook/a failed": 1, "handoff_outbox_attempts_total webhook/a dead": 1, "handoff_outbox_attempts_total helpdesk/none dead": 1,
		"handoff_outbox_messages webhook/a dead": 1, "handoff_outbox_messages helpdesk/none dead": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// dying is a store whose process is killed: nothing is written any more.
type dying struct {
	store.Store
	killed chan struct{}
}

func (s dying) Update(ctx context.Context, fn func(store.Tx) error) error {
	select {
	case <-s.killed:
		return errors.New("killed")
	default:
		return s.Store.Update(ctx, fn)
	}
}

// A process that is killed after it sent and before it wrote that down sends again, under the same key: at least once.
func TestKilledBetweenSendAndMark(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "webhook/a")
	w.send("c", "webhook/a", "one", "two")
	first := dying{w.store, make(chan struct{})}
	_, stop := w.dispatch(first)
	sent := w.receivers["webhook/a"].next(t)
	close(first.killed)
	sent.answer <- nil
	stop()
	w.await("c", pending, pending)

	w.registry = prometheus.NewRegistry()
	w.dispatch(w.store)
	w.clock.AwaitTimer(t, w.clock.Now().Add(2*outbox.SendTimeout)) // the lease
	w.clock.Step(2 * outbox.SendTimeout)
	again := w.receivers["webhook/a"].next(t)
	if again.Key != sent.Key || again.Seq != 1 {
		t.Errorf("sent %s, then %s", sent.Key, again.Key)
	}
	again.answer <- nil
	w.receivers["webhook/a"].next(t).answer <- nil
	w.await("c", delivered, delivered)
}

// An attempt that ends after another replica took it over, because the lease ran out, does not undo what came of that.
func TestLateEndOfAnAttemptIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "webhook/a")
	w.send("c", "webhook/a", "one")
	claim := func() (d store.Delivery) {
		err := w.store.Update(t.Context(), func(tx store.Tx) error {
			all, err := tx.ClaimOutbox("webhook/a", 10, time.Second)
			if len(all) == 1 {
				d = all[0]
			}
			return err
		})
		if err != nil || d.ID == 0 {
			t.Fatal(d, err)
		}
		return d
	}
	slow := claim()
	w.clock.Step(time.Second)
	fast := claim()
	for _, end := range []func(tx store.Tx) error{
		func(tx store.Tx) error { return tx.Retry(slow, "timeout", w.clock.Now()) },
		func(tx store.Tx) error { return tx.Delivered(fast, "r1") },
		func(tx store.Tx) error { return tx.GiveUp(slow, "timeout") },
	} {
		if err := w.store.Update(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	if d := w.await("c", delivered)[0]; d.Remote != "r1" || d.Error != "" {
		t.Errorf("%+v", d)
	}
}
