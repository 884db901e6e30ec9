package web

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"k8s.io/utils/clock"

	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// BenchmarkOpenConversation measures the memory of a conversation that its customer follows, and as the floor that of
// the same connection to a handler that only waits. Heap and stacks are counted, what the kernel holds is not.
func BenchmarkOpenConversation(b *testing.B) {
	w := New(b, Options{})
	h := &handler{tenant: w.Tenant, end: make(chan struct{}), clock: clock.RealClock{}, writeTimeout: writeTimeout}
	mux := http.NewServeMux()
	h.register(mux)
	mux.HandleFunc("GET /floor", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = rw.Write([]byte("\n"))
		_ = http.NewResponseController(rw).Flush()
		<-r.Context().Done()
	})
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	measure := func(request func() string) func(b *testing.B) {
		return func(b *testing.B) {
			conns := make([]net.Conn, b.N)
			requests := make([]string, b.N)
			for i := range requests {
				requests[i] = request()
			}
			before := memory()
			for i := range conns {
				conns[i] = open(b, server.Listener.Addr().String(), requests[i])
			}
			b.ReportMetric(float64(memory()-before)/float64(b.N), "B/conversation")
			for _, c := range conns {
				_ = c.Close()
			}
		}
	}
	b.Run("stream", measure(func() string {
		id, token := w.OpenConversation()
		return "GET /v1/conversations/" + id + "/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	}))
	b.Run("floor", measure(func() string { return "GET /floor HTTP/1.1\r\nHost: x\r\n\r\n" }))
}

// open sends a request and waits for the beginning of the answer's body.
func open(b *testing.B, addr, request string) net.Conn {
	conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := conn.Write([]byte(request)); err != nil {
		b.Fatal(err)
	}
	for in := bufio.NewReaderSize(conn, 16); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if strings.TrimSpace(line) == "" {
			return conn
		}
	}
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
