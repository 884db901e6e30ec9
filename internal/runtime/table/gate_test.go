package table_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

// gate stands between a runtime and the API server. While it is shut, connections are refused and open ones are cut,
// as when the API server is gone.
type gate struct {
	t       *testing.T
	target  string
	address string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	wg       sync.WaitGroup
}

// newGate returns an open gate and config through it.
func newGate(t *testing.T, config *rest.Config) (*gate, *rest.Config) {
	t.Helper()
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{t: t, target: target.Host, address: "127.0.0.1:0", conns: map[net.Conn]bool{}}
	if target.Host == "" {
		g.target = config.Host
	}
	g.open()
	t.Cleanup(func() {
		g.shut()
		g.wg.Wait()
	})
	through := rest.CopyConfig(config)
	through.Host = "https://" + g.address
	return g, through
}

func (g *gate) open() {
	g.t.Helper()
	listener, err := new(net.ListenConfig).Listen(g.t.Context(), "tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	g.listener, g.address = listener, listener.Addr().String()
	g.mu.Unlock()
	g.wg.Go(func() { g.accept(listener) })
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener == nil {
		return
	}
	_ = g.listener.Close()
	g.listener = nil
	for c := range g.conns {
		_ = c.Close()
	}
}

func (g *gate) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", g.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		if !g.track(listener, client, server) {
			return
		}
		g.wg.Go(func() { g.pipe(client, server) })
		g.wg.Go(func() { g.pipe(server, client) })
	}
}

// track remembers connections to cut, unless the gate was shut meanwhile.
func (g *gate) track(listener net.Listener, conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		if g.listener != listener {
			_ = c.Close()
			continue
		}
		g.conns[c] = true
	}
	return g.listener == listener
}

func (g *gate) pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
	g.mu.Lock()
	delete(g.conns, to)
	delete(g.conns, from)
	g.mu.Unlock()
}
