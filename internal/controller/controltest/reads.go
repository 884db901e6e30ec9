package controltest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Reads carries out an operator's GETs, lists and watches by way of a transport. What is answered is JSON.
type Reads func(*http.Request, http.RoundTripper) (*http.Response, error)

// plainJSON asks for JSON alone.
func plainJSON(request *http.Request) *http.Request {
	accept := slices.DeleteFunc(strings.Split(request.Header.Get("Accept"), ","), func(kind string) bool {
		return !strings.HasPrefix(strings.TrimSpace(kind), "application/json")
	})
	out := request.Clone(request.Context())
	out.Header.Set("Accept", strings.Join(append(accept, "application/json"), ","))
	return out
}

func isWatch(r *http.Request) bool { return r.URL.Query().Has("watch") }

// isMany says whether the request is for a collection, which is what informers ask for.
func isMany(r *http.Request) bool {
	return isWatch(r) || !strings.Contains(object(r.URL.Path), "/") && strings.Contains(r.URL.Path, "/namespaces/")
}

// expired is how an API server ends a watch whose next events it no longer has. The informer lists again, and what
// happened in between reaches the handlers as one change of each object.
const expired = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",` +
	`"message":"too old resource version","reason":"Expired","code":410}}` + "\n"

// tap passes the frames of a watch on until end is closed or lose says that the one at hand is lost; then the watch expires.
func tap(response *http.Response, end <-chan struct{}, lose func() bool) *http.Response {
	from := response.Body
	out, in := io.Pipe()
	frames := make(chan []byte)
	gone := make(chan struct{})
	go func() {
		defer close(frames)
		for r := bufio.NewReader(from); ; {
			frame, err := r.ReadBytes('\n')
			if err != nil {
				return
			}
			select {
			case frames <- frame:
			case <-gone:
				return
			}
		}
	}()
	go func() {
		defer func() { _ = in.Close() }()
		defer func() { _ = from.Close() }()
		defer close(gone)
		for {
			select {
			case <-end:
				_, _ = io.WriteString(in, expired)
				return
			case frame, ok := <-frames:
				if !ok {
					return
				}
				if lose() {
					_, _ = io.WriteString(in, expired)
					return
				}
				if _, err := in.Write(frame); err != nil {
					return
				}
			}
		}
	}()
	response.Body = out
	return response
}

// Eyes are reads that can be shut: then every watch expires, and no list or watch is answered until they open again.
type Eyes struct {
	mu   sync.Mutex
	open chan struct{}
	shut chan struct{}
}

// NewEyes are open.
func NewEyes() *Eyes {
	e := &Eyes{open: make(chan struct{}), shut: make(chan struct{})}
	close(e.open)
	return e
}

// Shut has the operator see nothing of what happens.
func (e *Eyes) Shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open = make(chan struct{})
	close(e.shut)
}

// Open has it see what is there now.
func (e *Eyes) Open() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shut = make(chan struct{})
	close(e.open)
}

// Read is a Reads.
func (e *Eyes) Read(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	if !isMany(r) {
		return next.RoundTrip(r)
	}
	e.mu.Lock()
	open := e.open
	e.mu.Unlock()
	select {
	case <-open:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	response, err := next.RoundTrip(r)
	if err != nil || !isWatch(r) {
		return response, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return tap(response, e.shut, func() bool { return false }), nil
}

// lostPerWatch bounds how many events of a kind are lost, since an informer waits longer after each.
const lostPerWatch = 2

// Lossy are reads that lose some events: about one in four, at most two of each kind.
func Lossy(seed uint64) Reads {
	var mu sync.Mutex
	chance := rand.New(rand.NewPCG(seed, 0))
	lost := map[string]int{}
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err != nil || !isWatch(r) {
			return response, err
		}
		kind := watched(r.URL)
		return tap(response, nil, func() bool {
			mu.Lock()
			defer mu.Unlock()
			if lost[kind] >= lostPerWatch || chance.IntN(4) > 0 {
				return false
			}
			lost[kind]++
			return true
		}), nil
	}
}

// Snapshot is what an operator's watches were about at one time, as another API server that lags behind would tell.
type Snapshot struct {
	lists map[string][]byte
	// Now is closed when what it lags behind may be seen.
	now chan struct{}
}

// Snapshot takes one.
func (o *Operator) Snapshot() *Snapshot {
	o.world.Helper()
	s := &Snapshot{lists: map[string][]byte{}, now: make(chan struct{})}
	o.wire.mu.Lock()
	defer o.wire.mu.Unlock()
	for name, u := range o.wire.watches {
		for _, form := range []string{"", metadata} {
			s.lists[name+form] = o.world.listed(o.world.Context(), u, form)
		}
	}
	return s
}

// CatchUp lets the operator see what has happened since.
func (s *Snapshot) CatchUp() { close(s.now) }

// Read is a Reads: lists are those of the snapshot, where old says that this resource lags, and watches tell what
// happened after it as soon as CatchUp was called.
func (s *Snapshot) Read(old func(resource string) bool) Reads {
	return func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		form := ""
		if strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadata") {
			form = metadata
		}
		body, known := s.lists[watched(r.URL)+form]
		if !isMany(r) || !known || !old(resourceOf(r.URL.Path).Resource) {
			return next.RoundTrip(r)
		}
		switch {
		case r.URL.Query().Has("sendInitialEvents"):
			return reply(r, http.StatusUnprocessableEntity, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`), nil
		case !isWatch(r):
			select {
			case <-s.now:
				return next.RoundTrip(r)
			default:
				return reply(r, http.StatusOK, string(body)), nil
			}
		}
		select {
		case <-s.now:
			return next.RoundTrip(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

func reply(request *http.Request, code int, body string) *http.Response {
	return &http.Response{
		StatusCode: code, Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), Request: request,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}
