package table_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// wire records what a runtime asks of the API server.
type wire struct {
	mu sync.Mutex
	// requests counts "verb resource" and "verb resource/subresource".
	requests map[string]int
	// closed gets "resource/name" when a watch ends.
	closed chan string
}

// record returns config with its requests recorded.
func record(config *rest.Config) (*wire, *rest.Config) {
	w := &wire{requests: map[string]int{}, closed: make(chan string, 100)}
	recorded := rest.CopyConfig(config)
	recorded.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) { return w.roundTrip(next, r) })
	})
	return w, recorded
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (w *wire) roundTrip(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	// .../namespaces/NAMESPACE/RESOURCE[/NAME[/SUBRESOURCE]]
	_, path, _ := strings.Cut(r.URL.Path, "/namespaces/")
	parts := strings.Split(path, "/")[1:]
	resource := parts[0]
	if len(parts) == 3 {
		resource += "/" + parts[2]
	}
	verb := strings.ToLower(r.Method)
	watching := r.URL.Query().Get("watch") != ""
	switch {
	case watching:
		verb = "watch"
	case verb == "get" && len(parts) == 1:
		verb = "list"
	}
	w.mu.Lock()
	w.requests[verb+" "+resource]++
	w.mu.Unlock()
	response, err := next.RoundTrip(r)
	if err == nil && watching {
		_, name, _ := strings.Cut(r.URL.Query().Get("fieldSelector"), "metadata.name=")
		response.Body = &closing{ReadCloser: response.Body, closed: func() { w.closed <- resource + "/" + name }}
	}
	return response, err
}

func (w *wire) count(request string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests[request]
}

// nextClosed returns the "resource/name" of the next watch that ended.
func (w *wire) nextClosed(t *testing.T) string {
	t.Helper()
	select {
	case name := <-w.closed:
		return name
	case <-time.After(patience):
		t.Fatal("no watch ended")
	}
	return ""
}

// closing tells once that a body was closed.
type closing struct {
	io.ReadCloser
	once   sync.Once
	closed func()
}

func (c *closing) Close() error {
	c.once.Do(c.closed)
	return c.ReadCloser.Close()
}

// kinds returns the different requests, sorted.
func (w *wire) kinds() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.requests))
}
