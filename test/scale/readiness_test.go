package scale_test

import (
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// patience ends a measurement that hangs.
const patience = 10 * time.Minute

// kinds are those that users write. Each of their objects has to become Ready.
var kinds = []client.Object{&v1alpha1.Copilot{}, &v1alpha1.Channel{}, &v1alpha1.HandoffPolicy{}, &v1alpha1.AgentPool{}}

// readiness knows which objects of kinds are Ready in the generation that is current.
type readiness struct {
	mu      sync.Mutex
	ready   map[any]bool
	count   int
	changed chan struct{}
}

func followReadiness(b *testing.B, informers cache.Cache) *readiness {
	b.Helper()
	r := &readiness{ready: map[any]bool{}, changed: make(chan struct{}, 1)}
	for _, kind := range kinds {
		follow(b, informers, kind, r.see)
	}
	return r
}

func (r *readiness) see(o client.Object) {
	status := controltest.StatusOf(o)
	is := status.ObservedGeneration == o.GetGeneration() && meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ready[o.GetUID()] == is {
		return
	}
	r.ready[o.GetUID()] = is
	if is {
		r.count++
	} else {
		r.count--
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// wait returns when n objects are Ready.
func (r *readiness) wait(b *testing.B, n int) {
	b.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		count := r.count
		r.mu.Unlock()
		if count >= n {
			return
		}
		select {
		case <-r.changed:
		case <-deadline:
			b.Fatalf("%d of %d objects are Ready after %s", count, n, patience)
		}
	}
}
