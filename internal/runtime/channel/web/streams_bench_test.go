package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/clock"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// streams is how many customers follow their conversations.
const streams = 1000

// BenchmarkMessageToEvent measures the time from a customer's message to its event on the customer's stream, one message
// after the other, while 1,000 streams are open. The AI's answer comes before the next message, unmeasured. The floor is
// a bare server of as many streams that commits the same message to the same kind of store, and writes it to the stream.
// Both are over TCP, with the client in the same process.
func BenchmarkMessageToEvent(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		w := New(b, Options{NoTable: true})
		server := httptest.NewServer(bareStreams(b, w.Record.Store))
		b.Cleanup(server.Close)
		var all []customer
		for i := range streams {
			path := fmt.Sprint("/floor/", i)
			all = append(all, customer{id: fmt.Sprint(i), post: path, get: path})
		}
		messages(b, server, all)
	})
	b.Run("runtime", func(b *testing.B) {
		w := New(b, Options{})
		h := &handler{tenant: w.Tenant, end: make(chan struct{}), clock: clock.RealClock{}, writeTimeout: writeTimeout}
		mux := http.NewServeMux()
		h.register(mux)
		server := httptest.NewServer(mux)
		b.Cleanup(server.Close)
		var all []customer
		for range streams {
			id, token := w.OpenConversation()
			path := "/v1/conversations/" + id
			all = append(all, customer{id: id, token: token, post: path + "/messages", get: path + "/events", answered: true})
		}
		messages(b, server, all)
	})
}

// customer is one who follows a conversation, and whether it answers.
type customer struct {
	id, token, post, get string
	answered             bool
	lines                chan string
}

// messages sends b.N messages and reports how long each took to the stream.
func messages(b *testing.B, server *httptest.Server, all []customer) {
	for i := range all {
		all[i].follow(b, server)
	}
	times := make([]time.Duration, b.N)
	b.ResetTimer()
	for n := range b.N {
		c := all[n%len(all)]
		text := fmt.Sprintf("%s %d", Question, n)
		begin := time.Now()
		c.send(b, server, fmt.Sprint("m", n), text)
		c.until(b, func(e conversation.Event) bool { return e.Text == text })
		times[n] = time.Since(begin)
		if c.answered {
			c.until(b, func(e conversation.Event) bool {
				return e.Author.Kind == conversation.AuthorAI && e.Type == conversation.EventMessage
			})
		}
	}
	b.StopTimer()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
}

// follow opens the customer's stream. It ends with the benchmark.
func (c *customer) follow(b *testing.B, server *httptest.Server) {
	conn := open(b, server.Listener.Addr().String(), "GET "+c.get+" HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer "+c.token+"\r\n\r\n")
	c.lines = make(chan string, 100)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(c.lines)
		for in := bufio.NewScanner(conn); in.Scan(); {
			if data, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				c.lines <- data
			}
		}
	}()
	b.Cleanup(func() {
		_ = conn.Close()
		for range c.lines { // it may wait to hand one over
		}
		<-ended
	})
}

// until reads the stream up to an event.
func (c *customer) until(b *testing.B, is func(conversation.Event) bool) {
	for line := range c.lines {
		var e conversation.Event
		if json.Unmarshal([]byte(line), &e) == nil && is(e) {
			return
		}
	}
	b.Fatalf("the stream of %s ended", c.id)
}

func (c *customer) send(b *testing.B, server *httptest.Server, id, text string) {
	body, err := json.Marshal(map[string]string{"id": id, "text": text})
	if err != nil {
		b.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL+c.post, strings.NewReader(string(body)))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := server.Client().Do(req)
	if err != nil {
		b.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		b.Fatalf("%s: status %d", c.post, resp.StatusCode)
	}
}

// bareStreams commits a message and writes it to the stream of its conversation.
func bareStreams(b *testing.B, s store.Store) http.Handler {
	out := map[string]chan string{}
	if err := s.Update(b.Context(), func(tx store.Tx) error {
		for i := range streams {
			id := fmt.Sprint(i)
			out[id] = make(chan string, 1)
			start := conversation.Start(conversation.Conversation{ID: id, ChannelType: "Web"}, "", time.Now())
			if err := tx.Create(start, []byte("hash")); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /floor/{id}", func(rw http.ResponseWriter, r *http.Request) {
		for frame := "\n"; ; {
			_, _ = rw.Write([]byte(frame))
			_ = http.NewResponseController(rw).Flush()
			select {
			case frame = <-out[r.PathValue("id")]:
			case <-r.Context().Done():
				return
			}
		}
	})
	mux.HandleFunc("POST /floor/{id}", func(rw http.ResponseWriter, r *http.Request) {
		var body struct{ ID, Text string }
		err := json.NewDecoder(r.Body).Decode(&body)
		var change conversation.Change
		if err == nil {
			err = s.Update(r.Context(), func(tx store.Tx) error {
				c, err := tx.Conversation(r.PathValue("id"))
				if err == nil {
					change, err = c.CustomerWrites(body.ID, body.Text, time.Now())
				}
				if err != nil {
					return err
				}
				return tx.Save(change)
			})
		}
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		data, _ := json.Marshal(change.Events[0]) // as the store did
		out[r.PathValue("id")] <- "data: " + string(data) + "\n\n"
	})
	return mux
}
