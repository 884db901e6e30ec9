package controltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// Request of an operator that was to change something.
type Request struct {
	Method string
	// What is the object, and its subresource if any: "deployments/bikes-handoff", "copilots/bikes/status".
	What string
	// Code is what the API server answered, 0 as long as it was not asked.
	Code int
}

// String is such as "PATCH services/x".
func (r Request) String() string { return r.Method + " " + r.What }

// Fault is what befalls a write.
type Fault int

// The faults. With all but the first two the API server has done the write.
const (
	None Fault = iota
	// KillBefore ends the operator, as kill -9 does, before the API server has the write.
	KillBefore
	// KillAfter ends it before it has the answer.
	KillAfter
	// Conflict answers 409.
	Conflict
	// TooManyRequests answers 429, without saying when to try again.
	TooManyRequests
	// Timeout answers 504.
	Timeout
	// Reset answers nothing: the connection breaks.
	Reset
)

// Plan says what befalls the n-th write, from 1 on.
type Plan func(n int, r Request) Fault

// At is a Plan of one fault.
func At(n int, f Fault) Plan {
	return func(i int, _ Request) Fault {
		if i == n {
			return f
		}
		return None
	}
}

var errKilled = errors.New("connect: connection refused (the operator was killed)")

// wire is everything between one operator and the API server: it notes what is asked, and does what the Plan says.
type wire struct {
	loops  *loops
	decode runtime.Decoder
	plan   Plan
	// answers, if set, stands between the operator and its reads, see Setup.Reads.
	answers Reads
	killed  chan struct{}
	kill    func()

	mu      sync.Mutex
	writes  []*Request
	reads   []string
	watches map[string]url.URL
	own     map[string]bool
}

func newWire(scheme *runtime.Scheme, plan Plan) *wire {
	if plan == nil {
		plan = At(0, None)
	}
	w := &wire{
		decode: serializer.NewCodecFactory(scheme).UniversalDeserializer(), plan: plan,
		killed: make(chan struct{}), watches: map[string]url.URL{}, own: map[string]bool{},
	}
	w.kill = sync.OnceFunc(func() { close(w.killed) })
	return w
}

func (w *wire) dead() bool {
	select {
	case <-w.killed:
		return true
	default:
		return false
	}
}

// over is the wire on top of a transport. An operator has several.
func (w *wire) over(next http.RoundTripper) http.RoundTripper { return &transport{w, next} }

type transport struct {
	wire *wire
	next http.RoundTripper
}

// RoundTrip passes the request on, unless the operator is dead or the plan says otherwise.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.wire.dead() {
		return nil, errKilled
	}
	what := object(request.URL.Path)
	if request.Method == http.MethodGet {
		return t.wire.read(request, what, t.next)
	}
	if what == "" {
		return t.next.RoundTrip(request)
	}
	return t.wire.write(request, what, t.next)
}

// object is the part of a path behind the namespace; empty for Events and Leases, which are written at any time.
func object(path string) string {
	_, what, _ := strings.Cut(path, "/namespaces/")
	_, what, _ = strings.Cut(what, "/")
	if strings.HasPrefix(what, "events") || strings.HasPrefix(what, "leases") {
		return ""
	}
	return what
}

func (w *wire) read(request *http.Request, what string, next http.RoundTripper) (*http.Response, error) {
	w.mu.Lock()
	if strings.Contains(what, "/") {
		w.reads = append(w.reads, "GET "+what)
	}
	if request.URL.Query().Has("watch") {
		w.watches[watched(request.URL)] = *request.URL
	}
	w.mu.Unlock()
	if w.answers != nil {
		return w.answers(plainJSON(request), next)
	}
	return next.RoundTrip(request)
}

// watched names a watch without where it begins.
func watched(u *url.URL) string {
	q := u.Query()
	return u.Path + "?" + url.Values{"labelSelector": q["labelSelector"], "fieldSelector": q["fieldSelector"]}.Encode()
}

func (w *wire) write(request *http.Request, what string, next http.RoundTripper) (*http.Response, error) {
	w.loops.wrote(request.Context())
	r := &Request{Method: request.Method, What: what}
	w.mu.Lock()
	w.writes = append(w.writes, r)
	n := len(w.writes)
	w.mu.Unlock()
	fault := w.plan(n, *r)
	if fault == KillBefore {
		w.kill()
		return nil, errKilled
	}
	// What is on its way arrives, whatever becomes of its sender. So it is known what was written.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(request.Context()), patience)
	defer cancel()
	response, err := next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err := w.note(r, response); err != nil {
		return nil, err
	}
	if fault == KillAfter {
		w.kill()
	}
	if w.dead() {
		return nil, errKilled
	}
	return fault.answer(request, response)
}

// note keeps the code, and the version that the write made. It leaves the body readable.
func (w *wire) note(r *Request, response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	version := ""
	if o, _, err := w.decode.Decode(body, nil, nil); err == nil {
		if m, err := meta.Accessor(o); err == nil {
			version = m.GetResourceVersion()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r.Code = response.StatusCode
	w.own[version] = true
	return nil
}

// answer is what the operator is told instead of the API server's response.
func (f Fault) answer(request *http.Request, response *http.Response) (*http.Response, error) {
	code, reason := 0, ""
	switch f {
	case Conflict:
		code, reason = http.StatusConflict, "Conflict"
	case TooManyRequests:
		code, reason = http.StatusTooManyRequests, "TooManyRequests"
	case Timeout:
		code, reason = http.StatusGatewayTimeout, "Timeout"
	case Reset:
		return nil, errors.New("read: connection reset by peer")
	default:
		return response, nil
	}
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"planted","reason":%q,"code":%d}`, reason, code)
	return reply(request, code, body), nil
}

// Log are the writes so far, in order; Events and Leases are not among them.
func (o *Operator) Log() []Request {
	o.wire.mu.Lock()
	defer o.wire.mu.Unlock()
	out := make([]Request, len(o.wire.writes))
	for i, r := range o.wire.writes {
		out[i] = *r
	}
	return out
}

// Writes are the writes so far as text, such as "PATCH services/x".
func (o *Operator) Writes() []string {
	var out []string
	for _, r := range o.Log() {
		out = append(out, r.String())
	}
	return out
}

// Reads are the GETs of single objects so far, such as "GET secrets/x".
func (o *Operator) Reads() []string {
	o.wire.mu.Lock()
	defer o.wire.mu.Unlock()
	return append([]string(nil), o.wire.reads...)
}

// Killed is closed when a planned fault has ended the operator, or Kill has.
func (o *Operator) Killed() <-chan struct{} { return o.wire.killed }

// Kill cuts the operator off from the API server in the middle of whatever it does, and ends it.
func (o *Operator) Kill() {
	o.wire.kill()
	o.Stop()
}
