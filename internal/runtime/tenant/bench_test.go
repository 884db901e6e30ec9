package tenant_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

const customers = 200

// BenchmarkMessageToAnswer measures the time from a customer's message to the answer that a follower can read, for 200
// conversations at once, each message after the answer before.
func BenchmarkMessageToAnswer(b *testing.B) {
	w := New(b, Options{})
	ids := make([]string, customers)
	followers := make([]*tenant.Follower, customers)
	for i := range ids {
		ids[i], _ = w.OpenConversation()
		followers[i] = w.Follow(ids[i])
		defer followers[i].Close()
	}
	b.ResetTimer()
	times := together(b, func(customer, n int) {
		id, f := ids[customer], followers[customer]
		after := w.Send(id, fmt.Sprint(n), Question).Seq
		for {
			events, err := w.Log(b.Context(), id, after, 10)
			if err != nil {
				b.Error(err)
				return
			}
			if slices.ContainsFunc(events, func(e conversation.Event) bool { return e.AnswerTo == after }) {
				return
			}
			<-f.C
		}
	})
	report(b, times)
}

// BenchmarkFloor is what the same two commits, a message's and an answer's, cost in the store alone.
func BenchmarkFloor(b *testing.B) {
	w := New(b, Options{NoTable: true})
	ids := make([]string, customers)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
		start := conversation.Start(conversation.Conversation{ID: ids[i], ChannelType: "Web"}, "", w.Clock.Now())
		if err := w.Record.Store.Update(b.Context(), func(tx store.Tx) error { return tx.Create(start, []byte("hash")) }); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	report(b, together(b, func(customer, n int) {
		for _, move := range []func(c conversation.Conversation) (conversation.Change, error){
			func(c conversation.Conversation) (conversation.Change, error) {
				return c.CustomerWrites(fmt.Sprint(n), Question, w.Clock.Now())
			},
			func(c conversation.Conversation) (conversation.Change, error) {
				return c.AIAnswers(1, c.Pending, conversation.Answer{Text: Answer, Understood: true}, w.Clock.Now())
			},
		} {
			err := w.Record.Store.Update(b.Context(), func(tx store.Tx) error {
				c, err := tx.Conversation(ids[customer])
				if err != nil {
					return err
				}
				change, err := move(c)
				if err != nil {
					return err
				}
				return tx.Save(change)
			})
			if err != nil {
				b.Error(err)
			}
		}
	}))
}

// together lets every customer do something b.N times, all at once, and returns how long each time took.
func together(b *testing.B, do func(customer, n int)) []time.Duration {
	times := make([]time.Duration, customers*b.N)
	var wg sync.WaitGroup
	for i := range customers {
		wg.Go(func() {
			for n := range b.N {
				begin := time.Now()
				do(i, n)
				times[i*b.N+n] = time.Since(begin)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	return times
}

func report(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(len(times))/b.Elapsed().Seconds(), "turns/s")
}
