package tenanttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// ErrKilled is what the store of a killed process answers.
var ErrKilled = errors.New("the process was killed")

// Schedule decides who of many goroutines goes on: at its yield points each waits until it is chosen, one at a time, by a
// random source. It runs inside a synctest bubble, which tells when all of them wait. The same seed makes the same choices
// as far as the runtime gives goroutines the same way between two of them; Trace says what they were.
type Schedule struct {
	rand *rand.Rand

	mu     sync.Mutex
	free   bool
	parked []*point
	trace  []string
}

// point is a goroutine that waits.
type point struct {
	what string
	goOn chan struct{}
	// of is the process that it belongs to, or nil.
	of *Process
}

// NewSchedule makes the Schedule of a seed.
func NewSchedule(seed uint64) *Schedule {
	return &Schedule{rand: rand.New(rand.NewPCG(seed, 0))}
}

// Yield waits until the caller is chosen. what is shown in the trace.
func (s *Schedule) Yield(what string) { s.yield(what, nil) }

func (s *Schedule) yield(what string, of *Process) {
	p := &point{what, make(chan struct{}), of}
	s.mu.Lock()
	if s.free {
		s.mu.Unlock()
		return
	}
	s.parked = append(s.parked, p)
	s.mu.Unlock()
	<-p.goOn
}

// tick is how far the bubble's time goes on at once, where goroutines wait for it.
const tick = 100 * time.Millisecond

// Run chooses until nobody waits at a yield point any more, also not after a while. One of the choices is that time
// passes. It calls between when all wait.
func (s *Schedule) Run(between func()) {
	for idle := false; ; {
		synctest.Wait()
		between()
		p, waiting := s.choose()
		switch {
		case p != nil:
			idle = false
			close(p.goOn)
		case !waiting && idle:
			return
		default:
			idle = !waiting
			time.Sleep(tick)
		}
	}
}

// choose returns who goes on, or nil if time does, and whether anybody waits.
func (s *Schedule) choose() (p *point, waiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.parked) == 0 {
		return nil, false
	}
	slices.SortStableFunc(s.parked, func(a, b *point) int { return strings.Compare(a.what, b.what) })
	i := s.rand.IntN(len(s.parked) + 1)
	if i == len(s.parked) {
		s.trace = append(s.trace, "time passes")
		return nil, true
	}
	p = s.parked[i]
	s.parked = slices.Delete(s.parked, i, i+1)
	s.trace = append(s.trace, p.what)
	return p, true
}

// Free lets everybody go on, now and later.
func (s *Schedule) Free() {
	s.mu.Lock()
	s.free = true
	s.mu.Unlock()
	s.release(func(*point) bool { return true })
}

// release lets those go on who fit.
func (s *Schedule) release(fits func(*point) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = slices.DeleteFunc(s.parked, func(p *point) bool {
		if !fits(p) {
			return false
		}
		close(p.goOn)
		return true
	})
}

// Trace is what was chosen, in order.
func (s *Schedule) Trace() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.trace, "\n")
}

// Process is a store with yield points before each transaction, before its commit and after it. Kill makes it that of a
// process that is killed: a transaction that has not committed never does, and no other begins.
type Process struct {
	store.Store
	schedule *Schedule
	// running are the transactions under way.
	running sync.WaitGroup
	mu      sync.Mutex
	killed  bool
}

// Wrap puts yield points around a store.
func (s *Schedule) Wrap(st store.Store) *Process { return &Process{Store: st, schedule: s} }

// Kill ends the process. When it returns no transaction of it is open.
func (p *Process) Kill() {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	p.schedule.release(func(at *point) bool { return at.of == p })
	p.running.Wait()
}

func (p *Process) dead() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed {
		return ErrKilled
	}
	return nil
}

func (p *Process) yield(when string) error {
	if err := p.dead(); err != nil {
		return err
	}
	p.schedule.yield(when+" "+caller(), p)
	return p.dead()
}

// begin is the first yield point of a transaction, of which end must be called.
func (p *Process) begin(when string) (end func(), err error) {
	p.mu.Lock()
	if p.killed {
		p.mu.Unlock()
		return func() {}, ErrKilled
	}
	p.running.Add(1)
	p.mu.Unlock()
	return p.running.Done, p.yield(when)
}

// caller names the method of the Tenant that uses the store.
func caller() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(4, pcs[:])])
	for {
		f, more := frames.Next()
		if _, name, found := strings.Cut(f.Function, "runtime/tenant."); found && !strings.Contains(name, ").change") {
			return name
		}
		if !more {
			return ""
		}
	}
}

// Update runs a transaction between yield points.
func (p *Process) Update(ctx context.Context, fn func(store.Tx) error) error {
	end, err := p.begin("begin")
	defer end()
	if err != nil {
		return err
	}
	err = p.Store.Update(ctx, func(tx store.Tx) error {
		return errors.Join(fn(tx), p.yield("commit"))
	})
	return errors.Join(err, p.yield("end"))
}

// View reads between yield points.
func (p *Process) View(ctx context.Context, fn func(store.Reader) error) error {
	end, err := p.begin("view")
	defer end()
	if err != nil {
		return err
	}
	err = p.Store.View(ctx, fn)
	return errors.Join(err, p.yield("viewed"))
}

// Voice is a stand-in for a language model that says a text piece by piece, each when the Schedule has it speak. It is
// the transport of a Tenant's HTTP client.
type Voice struct {
	Schedule *Schedule
	// Pieces of the next answer.
	Pieces func() []string
}

// RoundTrip answers a request.
func (v Voice) RoundTrip(r *http.Request) (*http.Response, error) {
	v.Schedule.Yield("model is asked")
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	pieces := v.Pieces()
	body := &speech{ctx: r.Context(), schedule: v.Schedule}
	for _, p := range pieces {
		body.chunks = append(body.chunks, chunk(p, ""))
	}
	body.chunks = append(body.chunks, chunk("", "stop")+"data: [DONE]\n\n")
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: body, ContentLength: -1,
	}, nil
}

type speech struct {
	ctx      context.Context
	schedule *Schedule
	chunks   []string
	rest     string
}

// Read gives the next piece.
func (s *speech) Read(b []byte) (int, error) {
	if s.rest == "" {
		if len(s.chunks) == 0 {
			return 0, io.EOF
		}
		s.schedule.Yield(fmt.Sprintf("model speaks, %d to go", len(s.chunks)))
		if err := s.ctx.Err(); err != nil {
			return 0, err
		}
		s.rest, s.chunks = s.chunks[0], s.chunks[1:]
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Close ends the answer.
func (s *speech) Close() error { return nil }
