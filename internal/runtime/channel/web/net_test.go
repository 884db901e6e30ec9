package web

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// dialWithoutReading serves a handler, sends it a request and reads nothing of the answer.
func dialWithoutReading(t *testing.T, h http.Handler, request string) net.Conn {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	return conn
}
