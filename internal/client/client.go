// Package client speaks the runtime's HTTP APIs as a customer and as an agent. The demo, the tests on a real cluster and
// the checkers of long proofs use it.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
)

// Error is an answer that is not a success.
type Error struct {
	Status  int
	Problem httpjson.Problem
}

// Error describes the answer.
func (e *Error) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Problem.Message) }

// Event is a log entry as it comes over the wire, or a piece of an answer in progress (Type "piece", no Seq).
type Event struct {
	conversation.Event
	Payload *decide.Payload `json:"payload,omitempty"`
	Offset  int             `json:"offset,omitempty"`
}

// conn is where requests go, with whose token.
type conn struct {
	base, token string
	http        *http.Client
}

// do sends in as JSON (nil for none) and decodes the answer into out (nil for none).
func (c conn) do(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("decoding the answer to %s %s: %w", method, path, err)
	}
	return nil
}

// send sends in as JSON (nil for none). The caller closes the answer, which is a success.
func (c conn) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encoding the body of %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		defer func() { _ = resp.Body.Close() }()
		return nil, failure(resp)
	}
	return resp, nil
}

func failure(resp *http.Response) error {
	var body struct {
		Error httpjson.Problem `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		body.Error.Message = resp.Status + ", and no JSON; is that a runtime of this release?"
	}
	return &Error{Status: resp.StatusCode, Problem: body.Error}
}

// Customer is one customer's end of a conversation.
type Customer struct {
	conn
	// ID of the conversation.
	ID string
}

// Open begins a conversation on the Channel of a token.
func Open(ctx context.Context, hc *http.Client, base, channelToken string, who conversation.Customer) (*Customer, error) {
	c := &Customer{conn: conn{base: base, http: hc}}
	var out struct{ ID, Token string }
	err := c.do(ctx, http.MethodPost, "/v1/conversations", map[string]any{"token": channelToken, "customer": who}, &out)
	c.ID, c.token = out.ID, out.Token
	return c, err
}

func (c *Customer) path(rest string) string { return "/v1/conversations/" + c.ID + rest }

// Say sends a message under an id of the customer's own; the same id sends it once, however often it is repeated.
func (c *Customer) Say(ctx context.Context, id, text string) (Event, error) {
	var out struct{ Event Event }
	err := c.do(ctx, http.MethodPost, c.path("/messages"), map[string]string{"id": id, "text": text}, &out)
	return out.Event, err
}

// Events returns all events after a sequence number, as the customer sees them.
func (c *Customer) Events(ctx context.Context, after int64) ([]Event, error) {
	return c.pages(ctx, c.path("/events"), after)
}

// pages reads a log to its end.
func (c conn) pages(ctx context.Context, path string, after int64) ([]Event, error) {
	var all []Event
	for {
		var page struct {
			Events []Event
			Next   int64
			More   bool
		}
		if err := c.do(ctx, http.MethodGet, path+"?after="+strconv.FormatInt(after, 10), nil, &page); err != nil {
			return all, err
		}
		all, after = append(all, page.Events...), page.Next
		if !page.More {
			return all, nil
		}
	}
}

// Agent is a signed-in agent.
type Agent struct{ conn }

// SignIn redeems a one-time login code.
func SignIn(ctx context.Context, hc *http.Client, base, code string) (*Agent, error) {
	a := &Agent{conn{base: base, http: hc}}
	var out struct{ Token string }
	if err := a.do(ctx, http.MethodPost, "/v1/agent/session", map[string]string{"code": code}, &out); err != nil {
		return nil, err
	}
	if out.Token == "" {
		return nil, fmt.Errorf("the answer of %s has no token; is that a runtime of this release?", base)
	}
	a.token = out.Token
	return a, nil
}

// Token is the agent's bearer token.
func (a *Agent) Token() string { return a.token }

// At returns the same agent at another address.
func (a *Agent) At(base string) *Agent { return &Agent{conn{base: base, token: a.token, http: a.http}} }

// SetPresence says online, away or offline.
func (a *Agent) SetPresence(ctx context.Context, state string) error {
	return a.do(ctx, http.MethodPut, "/v1/agent/presence", map[string]string{"state": state}, nil)
}

// Mine returns the conversations that the agent owns or is offered.
func (a *Agent) Mine(ctx context.Context) ([]conversation.Conversation, error) {
	var out struct{ Conversations []conversation.Conversation }
	err := a.do(ctx, http.MethodGet, "/v1/agent/mine", nil, &out)
	return out.Conversations, err
}

// Waiting returns how many conversations wait without an offer.
func (a *Agent) Waiting(ctx context.Context) (int, error) {
	var out struct{ Waiting int }
	err := a.do(ctx, http.MethodGet, "/v1/agent/queue", nil, &out)
	return out.Waiting, err
}

// Conversation returns a conversation's state.
func (a *Agent) Conversation(ctx context.Context, id string) (conversation.Conversation, error) {
	var out struct{ Conversation conversation.Conversation }
	err := a.do(ctx, http.MethodGet, "/v1/agent/conversations/"+id, nil, &out)
	return out.Conversation, err
}

// Log returns all events of a conversation after a sequence number, as agents see them.
func (a *Agent) Log(ctx context.Context, id string, after int64) ([]Event, error) {
	return a.pages(ctx, "/v1/agent/conversations/"+id+"/events", after)
}

// Move makes a transition: accept, takeover, resolve or return.
func (a *Agent) Move(ctx context.Context, id, transition string) error {
	return a.do(ctx, http.MethodPost, "/v1/agent/conversations/"+id+"/"+transition, nil, nil)
}

// Reply sends the customer a message, Note leaves one for agents; once per messageID.
func (a *Agent) Reply(ctx context.Context, id, messageID, text string) error {
	return a.do(ctx, http.MethodPost, "/v1/agent/conversations/"+id+"/replies", map[string]string{"id": messageID, "text": text}, nil)
}

// Note leaves a note that only agents see, once per messageID.
func (a *Agent) Note(ctx context.Context, id, messageID, text string) error {
	return a.do(ctx, http.MethodPost, "/v1/agent/conversations/"+id+"/notes", map[string]string{"id": messageID, "text": text}, nil)
}
