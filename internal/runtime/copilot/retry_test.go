package copilot

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// transport is a server's end of an http.Client, in the fake time of synctest.
type transport func(attempt int, r *http.Request) (*http.Response, error)

// attempt is a request as the transport saw it: how long after the first, and its body.
type attempt struct {
	at   time.Duration
	body string
}

func do(t *testing.T, timeout time.Duration, serve transport) (*http.Response, []attempt, error) {
	t.Helper()
	var seen []attempt
	began := time.Now()
	client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, attempt{at: time.Since(began), body: string(body)})
		return serve(len(seen), r)
	})}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://model.example/", strings.NewReader("question"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := retrier{client: client}.Do(req)
	return resp, seen, err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func reply(status int, retryAfter string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {retryAfter}}, Body: io.NopCloser(strings.NewReader("body"))}
}

// TestRetryAfter has the server name a wait in seconds and as a date: the next attempt comes exactly then, with the same
// body.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		resp, seen, err := do(t, time.Minute, func(attempt int, _ *http.Request) (*http.Response, error) {
			switch attempt {
			case 1:
				return reply(429, "2"), nil
			case 2:
				return reply(503, time.Now().Add(10*time.Second).UTC().Format(http.TimeFormat)), nil
			}
			return reply(200, ""), nil
		})
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("response %v, error %v", resp, err)
		}
		if want := []attempt{{0, "question"}, {2 * time.Second, "question"}, {12 * time.Second, "question"}}; len(seen) != 3 ||
			seen[0] != want[0] || seen[1] != want[1] || seen[2] != want[2] {
			t.Errorf("attempts %v, want %v", seen, want)
		}
	})
}

// TestRetryAfterDeadline has the server name a wait beyond the deadline: its response is returned at once.
func TestRetryAfterDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		resp, seen, err := do(t, 5*time.Second, func(int, *http.Request) (*http.Response, error) { return reply(429, "6"), nil })
		if err != nil || resp.StatusCode != 429 || len(seen) != 1 || time.Since(began) != 0 {
			t.Errorf("response %v, error %v, %d attempts, after %s", resp, err, len(seen), time.Since(began))
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "body" || err != nil {
			t.Errorf("body %q, error %v", body, err)
		}
	})
}

// TestRetryUnreachable has connections fail: attempts come further and further apart, and the last error is returned.
func TestRetryUnreachable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("connection reset")
		_, seen, err := do(t, time.Minute, func(int, *http.Request) (*http.Response, error) { return nil, broken })
		if !errors.Is(err, broken) || len(seen) != maxAttempts {
			t.Fatalf("error %v, %d attempts", err, len(seen))
		}
		for i := 1; i < len(seen); i++ {
			most := firstBackoff << (i - 1)
			if wait := seen[i].at - seen[i-1].at; wait < most/2 || wait > most {
				t.Errorf("wait %d is %s, want between %s and %s", i, wait, most/2, most)
			}
		}
	})
}

// TestRetryCanceled ends the request while the next attempt is waited for.
func TestRetryCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		client := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return reply(503, "60"), nil })}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://model.example/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if resp, err := (retrier{client: client}).Do(req); err != nil || resp.StatusCode != 503 || time.Since(began) != time.Second {
			t.Errorf("response %v, error %v, after %s", resp, err, time.Since(began))
		}
	})
}
