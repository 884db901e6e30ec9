package copilot

import (
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	// firstBackoff is the wait before the second attempt where the server names none, doubled for each one after.
	firstBackoff = 250 * time.Millisecond
	// maxAttempts keeps a customer from waiting for the whole timeout at each message while the server is down.
	maxAttempts = 4
	// maxBody bounds what a server can make us read: an answer of 4 MiB is none.
	maxBody = 4 << 20
)

// retrier repeats a request while the server is busy, failing or unreachable and its context allows the next wait. It
// acts before the first byte of a body is handed on, never after. go-openai has no retries and hides Retry-After, so
// this is done below it.
type retrier struct {
	client *http.Client
}

// Do implements openai.HTTPDoer. When no more attempt fits before the deadline it returns the last response or error at
// once. The body of the response returned is bounded.
func (r retrier) Do(req *http.Request) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := r.client.Do(req)
		wait, again := retryAfter(resp, err, firstBackoff<<(attempt-1))
		if !again || attempt == maxAttempts || !sleep(req, wait) {
			return bounded(resp), err
		}
		if resp != nil {
			_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
			_ = resp.Body.Close()
		}
		if req.GetBody != nil {
			if req.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// retryAfter says whether an attempt is worth repeating and how long to wait before: what the server says, or the
// backoff with half of it random, so that tenants do not come back all at once.
func retryAfter(resp *http.Response, err error, backoff time.Duration) (time.Duration, bool) {
	jittered := backoff/2 + rand.N(backoff/2)
	if err != nil {
		var untrusted *tls.CertificateVerificationError
		return jittered, !errors.As(err, &untrusted)
	}
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < 500 {
		return 0, false
	}
	header := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(header, 64); err == nil && seconds >= 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second)), true
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at)), true
	}
	return jittered, true
}

// sleep waits, and reports false at once if the request's deadline comes first.
func sleep(req *http.Request, wait time.Duration) bool {
	if deadline, ok := req.Context().Deadline(); ok && time.Until(deadline) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-req.Context().Done():
		return false
	}
}

func bounded(resp *http.Response) *http.Response {
	if resp != nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxBody), resp.Body}
	}
	return resp
}
