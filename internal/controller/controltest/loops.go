package controltest

import (
	"context"
	"fmt"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// selfCaused is how often in a row a reconcile may write although all that changed since the one before was written by
// the operator itself. Once is usual: what it wrote is there, and the status says so. One more is for a cache that
// showed the half of it.
const selfCaused = 2

// loops finds reconciles that repeat without cause. Each of these is one:
//
//   - an object is reconciled although no watch has delivered any change since it was last reconciled without an error:
//     a poll, a resync, a requeue;
//   - its reconcile writes again and again although nobody but the operator changes anything: it wakes itself.
type loops struct {
	wire     *wire
	complain func(format string, args ...any)

	mu    sync.Mutex
	clock int
	// dealing are the events that a handler is at, dealt those it is done with, in that order.
	dealing map[*event]bool
	dealt   []*event
	// lastError of any reconcile, to tell what an operator tries again and again.
	lastError error
	// writes of a reconcile that runs, by its id.
	writes map[string]int
	last   map[string]*pass
}

// event is a change that a watch delivered to a handler, which put something into a queue, if at all, between from and to.
type event struct {
	from, to      int
	what, version string
	gone          bool
}

// pass is one reconcile of one object.
type pass struct {
	// asked is when it was first asked for: a change that was dealt with later may be the cause of the next one, since
	// nobody can tell whether the object had left the queue by then. began is when it had.
	asked, began int
	failed       bool
	// alone is how many in a row wrote with no cause but the operator's own writes.
	alone int
}

func newLoops(w *wire, complain func(string, ...any)) *loops {
	return &loops{wire: w, complain: complain, dealing: map[*event]bool{}, writes: map[string]int{}, last: map[string]*pass{}}
}

// deal notes that a handler deals with a change.
func (l *loops) deal(what, version string, gone bool, handle func()) {
	l.mu.Lock()
	l.clock++
	e := &event{from: l.clock, what: what, version: version, gone: gone}
	l.dealing[e] = true
	l.mu.Unlock()
	handle()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	e.to = l.clock
	delete(l.dealing, e)
	l.dealt = append(l.dealt, e)
}

// wrote notes that the reconcile which ctx belongs to writes.
func (l *loops) wrote(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes[string(controller.ReconcileIDFromContext(ctx))]++
}

// judged is a reconciler that the detector watches.
type judged struct {
	next  reconcile.Reconciler
	queue *queue
}

// Reconcile reconciles, and judges whether there was a cause.
func (j *judged) Reconcile(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
	loops := j.queue.activity.loops
	p := &pass{asked: j.queue.asked(r), began: loops.tick()}
	result, err := j.next.Reconcile(ctx, r)
	p.failed = err != nil
	loops.failed(err)
	loops.end(ctx, j.queue.controller+" "+r.String(), p)
	return result, err
}

func (l *loops) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.lastError = err
	}
}

func (l *loops) lastFailure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastError
}

// tick is the time, of which no two are the same.
func (l *loops) tick() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock++
	return l.clock
}

func (l *loops) end(ctx context.Context, who string, p *pass) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := string(controller.ReconcileIDFromContext(ctx))
	wrote := l.writes[id]
	delete(l.writes, id)
	before := l.last[who]
	l.last[who] = p
	if before == nil || before.failed || p.failed {
		return
	}
	cause, foreign := l.between(before.asked, p.began)
	switch {
	case cause == "":
		l.complain("controller %s was reconciled again although nothing has changed since", who)
	case foreign:
	case wrote == 0:
		p.alone = before.alone
	case before.alone >= selfCaused:
		l.complain("controller %s wakes itself: it has written %d times in a row with no cause but the operator's own writes, at last %s",
			who, before.alone+1, cause)
	default:
		p.alone = before.alone + 1
	}
}

// between returns the last change that may have put something into a queue between two times, and whether one was made by
// somebody else. The operator's deletions count as somebody else's: what is gone bears no version of its making.
func (l *loops) between(from, to int) (last string, foreign bool) {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	judge := func(e *event) {
		if e.from > to {
			return
		}
		if last == "" {
			last = fmt.Sprintf("%s at version %s", e.what, e.version)
		}
		foreign = foreign || e.gone || !l.wire.own[e.version]
	}
	for e := range l.dealing {
		judge(e)
	}
	for i := len(l.dealt) - 1; i >= 0 && l.dealt[i].to > from; i-- {
		judge(l.dealt[i])
	}
	return last, foreign
}
