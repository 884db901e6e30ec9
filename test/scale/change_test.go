package scale_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/opencopilot/handoff-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/apply"
)

const (
	// measured is how many tenants have the runtime's own table source. Their pools take turns in being changed.
	measured = 20
	// pace is from one measured change to the next. What follows an acknowledgement, such as the writes of statuses, is
	// over by then.
	pace = 100 * time.Millisecond
	// longest is how long a series takes at most, however slow its changes are.
	longest = 2 * time.Minute
	// otherChanges is how many pools of other tenants change in a second of the busy measurement.
	otherChanges = 50
)

// changer changes AgentPools and waits until the pod acknowledged the table that comes of it.
type changer struct {
	b        *testing.B
	users    client.Client
	copilots int
	count    atomic.Int64

	mu sync.Mutex
	// revision that each namespace's pod serves, and who waits for another one.
	revision map[string]string
	waiting  map[string]chan struct{}
}

func newChanger(b *testing.B, c *cluster, s *standIn, copilots int) *changer {
	b.Helper()
	ch := &changer{b: b, users: c.client(b, usersAgent), copilots: copilots, revision: map[string]string{}, waiting: map[string]chan struct{}{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	for namespace, p := range s.pods {
		ch.revision[namespace] = p.table.Spec.Revision
	}
	s.acknowledged = ch.see
	return ch
}

func (c *changer) see(t *v1alpha1.RoutingTable) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revision[t.Namespace] == t.Spec.Revision {
		return
	}
	c.revision[t.Namespace] = t.Spec.Revision
	if w := c.waiting[t.Namespace]; w != nil {
		delete(c.waiting, t.Namespace)
		close(w)
	}
}

// change gives the pool of a namespace a value that it has not had before.
func (c *changer) change(namespace string) error {
	pool := &v1alpha1.AgentPool{}
	pool.Namespace, pool.Name = namespace, "support"
	body := fmt.Sprintf(`{"spec":{"assignment":{"wrapUp":"%ds"}}}`, 60+c.count.Add(1))
	if err := c.users.Patch(context.Background(), pool, client.RawPatch(types.MergePatchType, []byte(body))); err != nil {
		return fmt.Errorf("change the pool of %s: %w", namespace, err)
	}
	return nil
}

// latency is from sending one change to seeing it acknowledged.
func (c *changer) latency(namespace string) time.Duration {
	c.b.Helper()
	acknowledged := make(chan struct{})
	c.mu.Lock()
	c.waiting[namespace] = acknowledged
	c.mu.Unlock()
	start := time.Now()
	must(c.b, c.change(namespace))
	select {
	case <-acknowledged:
	case <-time.After(patience):
		c.b.Fatalf("the change of the pool of %s is not acknowledged", namespace)
	}
	return time.Since(start)
}

// measure changes pools of the tenants from first on, n times or as often as the longest series lets it, while others of the later tenants change each second.
func (c *changer) measure(first, n, others int) series {
	c.b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	var out series
	if others > 0 {
		background.Go(func() { out.others = c.disturb(ctx, first+measured, others) })
	}
	turn := time.NewTicker(pace)
	defer turn.Stop()
	start := time.Now()
	for i := 0; i < n && time.Since(start) < longest; i++ {
		<-turn.C
		out.latencies = append(out.latencies, c.latency(namespace(first+i%min(measured, c.copilots-first))))
	}
	cancel()
	background.Wait()
	out.seconds = time.Since(start).Seconds()
	return out
}

// disturb changes perSecond pools a second until ctx ends, one after another of the tenants from first on, and returns how
// many it changed. A change that finds all earlier ones still under way is left out: an API server that is too slow would
// only become slower, as one object that several change at once does.
func (c *changer) disturb(ctx context.Context, first, perSecond int) int {
	var running sync.WaitGroup
	var made atomic.Int64
	due := make(chan int)
	for range parallel {
		running.Go(func() {
			for i := range due {
				if err := c.change(namespace(first + i%(c.copilots-first))); err != nil {
					c.b.Error(err)
				}
				made.Add(1)
			}
		})
	}
	turn := time.NewTicker(time.Second / time.Duration(perSecond))
	defer turn.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		<-turn.C
		select {
		case due <- i:
		default:
		}
	}
	close(due)
	running.Wait()
	return int(made.Load())
}

// series of measured changes, with how many others there were in its seconds.
type series struct {
	latencies
	others  int
	seconds float64
}

// rate is how many others were made in a second.
func (s series) rate() string { return fmt.Sprintf("%.0f/s", float64(s.others)/s.seconds) }

// latencies of a series.
type latencies []time.Duration

// percentile is the latency that p of a hundred do not exceed.
func (l latencies) percentile(p int) time.Duration {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// chain is the floor of a change: plain writes behind watches, without an operator. A pool's change has a table with
// another revision applied, which the stand-in acknowledges as before.
func chain(b *testing.B, c *cluster, informers cache.Cache, s *standIn) {
	b.Helper()
	plain := c.client(b, "floor")
	seen := map[string]int64{}
	follow(b, informers, &v1alpha1.AgentPool{}, func(o client.Object) {
		before, known := seen[o.GetNamespace()]
		seen[o.GetNamespace()] = o.GetGeneration()
		if !known || before == o.GetGeneration() {
			return
		}
		s.mu.Lock()
		t := s.pods[o.GetNamespace()].table
		s.mu.Unlock()
		go func() {
			intent, err := ac.ExtractRoutingTable(t, apply.Manager)
			if err == nil {
				intent.Spec.WithRevision(fmt.Sprintf("floor-%d", o.GetGeneration()))
				err = plain.Apply(context.Background(), intent, client.FieldOwner(apply.Manager), client.ForceOwnership)
			}
			if err != nil {
				b.Errorf("floor: apply the table of %s: %v", o.GetNamespace(), err)
			}
		}()
	})
}
