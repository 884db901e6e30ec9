package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/utils/clock"

	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a World with the customers' API in front of it.
type site struct {
	*World
	url    string
	client *http.Client
	end    chan struct{}
	h      *handler
}

func newSite(t *testing.T, o Options) *site {
	t.Helper()
	w := New(t, o)
	s := &site{World: w, end: make(chan struct{})}
	s.h = &handler{tenant: w.Tenant, end: s.end, clock: clock.RealClock{}, writeTimeout: writeTimeout}
	mux := http.NewServeMux()
	s.h.register(mux)
	server := httptest.NewServer(mux)
	s.url, s.client = server.URL, server.Client()
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return s
}

// do sends a request and returns the status, the headers and the body.
func (s *site) do(t *testing.T, method, path, token, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience) // a stream that should have been refused does not end
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(data)
}

// frame is one event of a stream; a comment has only Comment.
type frame struct{ ID, Name, Data, Comment string }

func (f frame) event(t *testing.T) event {
	t.Helper()
	var e event
	if err := json.Unmarshal([]byte(f.Data), &e); err != nil {
		t.Fatalf("%v in %s", err, f.Data)
	}
	return e
}

func (f frame) piece(t *testing.T) piece {
	t.Helper()
	var p piece
	if err := json.Unmarshal([]byte(f.Data), &p); err != nil {
		t.Fatalf("%v in %s", err, f.Data)
	}
	return p
}

// stream is a follower of a conversation.
type stream struct {
	t      *testing.T
	frames chan frame
	cancel context.CancelFunc
}

// follow opens a stream, which is closed at the test's end.
func (s *site) follow(t *testing.T, id, token, query string, header ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/conversations/"+id+"/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("stream: %s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	st := &stream{t: t, frames: make(chan frame, 10_000), cancel: cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(st.frames)
		defer resp.Body.Close()
		parse(resp.Body, st.frames)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return st
}

func parse(r io.Reader, out chan<- frame) {
	var f frame
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		if line == "" {
			if f != (frame{}) {
				out <- f
			}
			f = frame{}
			continue
		}
		switch name, value, _ := strings.Cut(line, ": "); name {
		case "":
			f.Comment = value
		case "id":
			f.ID = value
		case "event":
			f.Name = value
		case "data":
			f.Data = value
		}
	}
}

// next waits for the next frame; false means that the stream has ended.
func (st *stream) next() (frame, bool) {
	st.t.Helper()
	select {
	case f, ok := <-st.frames:
		return f, ok
	case <-time.After(Patience):
		st.t.Fatal("the stream is silent")
		return frame{}, false
	}
}

// until reads up to the frame that fits, and returns all that were read.
func (st *stream) until(what string, fits func(frame) bool) []frame {
	st.t.Helper()
	var all []frame
	for {
		f, ok := st.next()
		if !ok {
			st.t.Fatalf("the stream ended before %s, after %v", what, all)
		}
		all = append(all, f)
		if fits(f) {
			return all
		}
	}
}

func named(name string) func(frame) bool { return func(f frame) bool { return f.Name == name } }

func (st *stream) untilSeq(seq int64) []frame {
	st.t.Helper()
	return st.until(fmt.Sprintf("event %d", seq), func(f frame) bool { return f.ID == strconv.FormatInt(seq, 10) })
}
