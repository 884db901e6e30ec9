package client

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status     int
		answer     string
		want, fail string
	}{
		"good":        {200, `{"token":"tok","expiresAt":"2026-01-02T03:04:05Z"}`, "tok", ""},
		"used up":     {401, `{"error":{"message":"sign in again"}}`, "", "sign in again"},
		"not ours":    {404, `<html>`, "", "is that a runtime"},
		"without one": {200, `{}`, "", "has no token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != "/v1/agent/session" {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
			}))
			defer server.Close()
			var got string
			agent, err := SignIn(t.Context(), http.DefaultClient, server.URL, "code")
			if agent != nil {
				got = agent.Token()
			}
			if got != c.want || (c.fail == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.fail)) {
				t.Errorf("got %q, %v; want %q, %q", got, err, c.want, c.fail)
			}
		})
	}
}
