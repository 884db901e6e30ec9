package table

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

const (
	// ackTimeout bounds one request that reports this replica's revision. A shutdown waits for it.
	ackTimeout = 5 * time.Second
	// leaveTimeout bounds taking the report away on shutdown, so that an API server that is away does not delay it.
	leaveTimeout = 2 * time.Second
)

// report is this replica's entry in the RoutingTable's status as of a resourceVersion; nil for none.
type report struct {
	entry           *v1alpha1.ReplicaStatus
	resourceVersion string
}

// acker keeps this replica's entry in the RoutingTable's status as it should be. It sends nothing while the entry is so.
type acker struct {
	// apply writes the entry, or removes it if nil, and returns the resulting resourceVersion.
	apply func(context.Context, *v1alpha1.ReplicaStatus) (string, error)
	log   *slog.Logger
	wake  chan struct{}

	// tried says that the entry may be there whatever is known: a request that failed may have been carried out.
	tried bool

	mu      sync.Mutex
	desired *v1alpha1.ReplicaStatus
	// storageError is part of the entry, too.
	storageError string
	// observed is nil while no RoutingTable is known to exist.
	observed *report
	applied  *report
}

func newAcker(log *slog.Logger, apply func(context.Context, *v1alpha1.ReplicaStatus) (string, error)) *acker {
	return &acker{apply: apply, log: log, wake: make(chan struct{}, 1)}
}

// want sets what the entry should be.
func (a *acker) want(entry v1alpha1.ReplicaStatus) {
	a.mu.Lock()
	a.desired = &entry
	a.mu.Unlock()
	poke(a.wake)
}

// storage sets why the storage cannot be used; empty where it can.
func (a *acker) storage(problem string) {
	a.mu.Lock()
	a.storageError = problem
	a.mu.Unlock()
	poke(a.wake)
}

// observe tells what the entry is; nil for no RoutingTable.
func (a *acker) observe(r *report) {
	a.mu.Lock()
	a.observed = r
	a.mu.Unlock()
	poke(a.wake)
}

// run reports until ctx ends, then takes the entry away.
func (a *acker) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			a.leave(ctx)
			return
		case <-a.wake:
			a.settle(ctx)
		}
	}
}

// settle applies the wanted entry, trying on until it holds or ctx ends.
func (a *acker) settle(ctx context.Context) {
	backoff := reconnectBackoff()
	for entry := a.due(); entry != nil && ctx.Err() == nil; entry = a.due() {
		if a.send(ctx, entry) == nil {
			continue
		}
		retry := time.NewTimer(backoff.Step())
		select {
		case <-ctx.Done():
			retry.Stop()
			return
		case <-a.wake:
			retry.Stop()
		case <-retry.C:
		}
	}
}

// send applies the entry. The end of ctx does not interrupt it, lest it be carried out after leave.
func (a *acker) send(ctx context.Context, entry *v1alpha1.ReplicaStatus) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTimeout)
	defer cancel()
	a.tried = true
	version, err := a.apply(ctx, entry)
	if err != nil {
		a.log.WarnContext(ctx, "cannot report the table's revision, trying on", "revision", entry.Revision, "error", err)
		return err
	}
	a.mu.Lock()
	a.applied = &report{entry: entry, resourceVersion: version}
	a.mu.Unlock()
	a.log.InfoContext(ctx, "reported the table's revision", "revision", entry.Revision, "refused", entry.Refused, "storageError", entry.StorageError)
	return nil
}

// due returns the entry to apply, or nil if the newest known state of the RoutingTable has it.
func (a *acker) due() *v1alpha1.ReplicaStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.desired == nil || a.observed == nil {
		return nil
	}
	want := *a.desired
	want.StorageError = a.storageError
	if now := a.newest().entry; now != nil && *now == want {
		return nil
	}
	return &want
}

// newest returns the newer of what was seen and what was written: a watch may lag behind our own write.
func (a *acker) newest() *report {
	if a.applied == nil {
		return a.observed
	}
	order, err := resourceversion.CompareResourceVersion(a.observed.resourceVersion, a.applied.resourceVersion)
	if err != nil || order >= 0 {
		return a.observed
	}
	return a.applied
}

// leave takes the entry away: a replica that is gone serves nothing.
func (a *acker) leave(ctx context.Context) {
	a.mu.Lock()
	present := a.observed != nil && (a.tried || a.newest().entry != nil)
	a.mu.Unlock()
	if !present {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	if _, err := a.apply(ctx, nil); err != nil {
		a.log.WarnContext(ctx, "cannot take this replica's entry away, the operator will", "error", err)
	}
}

// poke wakes the reader of c without waiting for it.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
