package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Piece is the Type of an Event that is a part of an answer in progress.
const Piece conversation.EventType = "piece"

// reconnect is how long Follow waits before it tries again, as browsers do.
const reconnect = 200 * time.Millisecond

// maxLine bounds one line of a stream.
const maxLine = 1 << 20

// ErrStop ends Follow when its callback returns it.
var ErrStop = errors.New("stop following")

// Follow calls fn for every event after a sequence number, and for pieces, as they come, until ctx ends or fn returns an
// error. It survives a lost connection and a restarted server: it goes on after the last event it got.
func (c *Customer) Follow(ctx context.Context, after int64, fn func(Event) error) error {
	for {
		err := c.follow(ctx, &after, fn)
		var answer *Error
		switch {
		case errors.Is(err, ErrStop):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &answer) && answer.Status < http.StatusInternalServerError:
			return err
		}
		var cb *callbackError
		if errors.As(err, &cb) {
			return cb.error
		}
		select {
		case <-time.After(reconnect):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// callbackError is an error of the caller's function.
type callbackError struct{ error }

func (c *Customer) follow(ctx context.Context, after *int64, fn func(Event) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+c.path("/events"), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", strconv.FormatInt(*after, 10))
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return failure(resp)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxLine)
	var name string
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			name = value
		case "data":
			e := Event{}
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				return fmt.Errorf("decoding a %s event: %w", name, err)
			}
			e.Type = conversation.EventType(name)
			if e.Seq > 0 {
				*after = e.Seq
			}
			if err := fn(e); errors.Is(err, ErrStop) {
				return err
			} else if err != nil {
				return &callbackError{err}
			}
		}
	}
	return lines.Err()
}
