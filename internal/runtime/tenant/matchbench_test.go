package tenant_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// BenchmarkComesOnline measures the time from an agent's coming online, while conversations wait, until the first offer
// can be read: two commits, the presence's and the offer's. Then the agent goes away and the offer back, unmeasured. The
// floor makes the same two commits in the store alone.
func BenchmarkComesOnline(b *testing.B) {
	for _, waiting := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("floor/waiting=%d", waiting), func(b *testing.B) {
			w := New(b, Options{NoTable: true})
			queueUp(b, w, waiting)
			rounds(b, func(i int) {
				email := Email(fmt.Sprintf("a%d", i%onlineAgents))
				mustUpdate(b, w, func(tx store.Tx) error {
					return tx.SetPresence(store.Presence{Email: email, State: store.Online, Until: w.Clock.Now().Add(time.Hour)})
				})
				mustUpdate(b, w, func(tx store.Tx) error { return offerTo(tx, queueID(0), email, w.Clock.Now()) })
			}, func(int) {
				mustUpdate(b, w, func(tx store.Tx) error { return takeBack(tx, queueID(0), w.Clock.Now()) })
			})
		})
		b.Run(fmt.Sprintf("runtime/waiting=%d", waiting), func(b *testing.B) {
			w := New(b, Options{NoTable: true})
			queueUp(b, w, waiting)
			w.UseTable(Table(onlineAgents, 1))
			first := w.Follow(queueID(0))
			defer first.Close()
			offered := func() bool {
				c, err := w.Conversation(b.Context(), queueID(0))
				if err != nil {
					b.Fatal(err)
				}
				return c.Offer != nil
			}
			rounds(b, func(i int) {
				w.SetState(fmt.Sprintf("a%d", i%onlineAgents), store.Online)
				for !offered() {
					<-first.C
				}
			}, func(i int) { w.SetState(fmt.Sprintf("a%d", i%onlineAgents), store.Offline) })
		})
	}
}

// onlineAgents take turns in BenchmarkComesOnline.
const onlineAgents = 200

// rounds measures do, and undoes it outside of what is measured.
func rounds(b *testing.B, do, undo func(i int)) {
	do(0) // what a start reads is no part of it
	undo(0)
	var times []time.Duration
	for i := 1; b.Loop(); i++ {
		begin := time.Now()
		do(i)
		times = append(times, time.Since(begin))
		b.StopTimer()
		undo(i)
		b.StartTimer()
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
}

func queueID(i int) string { return fmt.Sprintf("c%06d", i) }

// queueUp writes n conversations that wait, past the Tenant.
func queueUp(b testing.TB, w *World, n int) {
	b.Helper()
	for from := 0; from < n; from += 500 {
		mustUpdate(b, w, func(tx store.Tx) error {
			for i := from; i < min(from+500, n); i++ {
				at := w.Clock.Now().Add(time.Duration(i-n) * time.Millisecond)
				start := conversation.Start(conversation.Conversation{ID: queueID(i), Channel: "web", ChannelType: "Web", Language: "en"}, "", at)
				if err := tx.Create(start, []byte("hash")); err != nil {
					return err
				}
				asked, err := start.Conversation.CustomerWrites("1", Human, at)
				if err != nil {
					return err
				}
				c := asked.Conversation
				handed, err := c.HandOff(c.Epoch, c.Pending, conversation.Handoff{Route: "all", Language: "en", Summary: "s"}, nil, []string{"One moment."}, at)
				if err != nil {
					return err
				}
				for _, change := range []conversation.Change{asked, handed} {
					if err := tx.Save(change); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
}

func mustUpdate(b testing.TB, w *World, fn func(store.Tx) error) {
	b.Helper()
	if err := w.Record.Store.Update(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
}

func offerTo(tx store.Tx, id, email string, now time.Time) error {
	c, err := tx.Conversation(id)
	if err != nil {
		return err
	}
	if _, err := tx.Agents(email); err != nil {
		return err
	}
	change, err := c.MakeOffer(conversation.Offer{Agent: conversation.Person{Email: email}, Cost: 1, ExpiresAt: now.Add(OfferTimeout)}, now)
	if err != nil {
		return err
	}
	return tx.Save(change)
}

func takeBack(tx store.Tx, id string, now time.Time) error {
	c, err := tx.Conversation(id)
	if err != nil {
		return err
	}
	change, err := c.OfferExpires(now)
	if err != nil {
		return err
	}
	return tx.Save(change)
}
