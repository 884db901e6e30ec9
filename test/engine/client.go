package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/server"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// Status is an answer that is not a success.
type Status struct {
	Code int
	// Retry is the header Retry-After.
	Retry string
	Body  string
}

// Error makes a Status an error.
func (s *Status) Error() string { return fmt.Sprintf("status %d: %s", s.Code, s.Body) }

// Customer is one customer's conversation.
type Customer struct{ ID, Token string }

// Do sends a request with a bearer token and a JSON body, both of which may be absent, and decodes the answer into out
// unless that is nil. An answer that is not a success is a *Status.
func (r *Replica) Do(ctx context.Context, method, path, token string, body, out any) error {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL()+path, payload)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return &Status{Code: resp.StatusCode, Retry: resp.Header.Get("Retry-After"), Body: string(data)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// Open begins a conversation at the Channel of the table.
func (r *Replica) Open(ctx context.Context) (c Customer, err error) {
	err = r.Do(ctx, http.MethodPost, "/v1/conversations", "", map[string]string{"token": tenanttest.Token}, &c)
	return c, err
}

// Say sends a customer's message under an id of its own.
func (r *Replica) Say(ctx context.Context, c Customer, id, text string) (e conversation.Event, err error) {
	out := struct{ Event *conversation.Event }{&e}
	err = r.Do(ctx, http.MethodPost, "/v1/conversations/"+c.ID+"/messages", c.Token, map[string]string{"id": id, "text": text}, &out)
	return e, err
}

// SignIn returns a token of an agent of the table, named as tenanttest does. It is good for every replica.
func (r *Replica) SignIn(ctx context.Context, agent string) (token string, err error) {
	code, err := server.RequestLogin(ctx, filepath.Join(r.fleet.dir, r.name), tenanttest.Email(agent))
	if err != nil {
		return "", err
	}
	var out struct{ Token string }
	err = r.Do(ctx, http.MethodPost, "/v1/agent/session", "", map[string]string{"code": code.Code}, &out)
	return out.Token, err
}

// Presence sets an agent's presence: online, away or offline.
func (r *Replica) Presence(ctx context.Context, token, state string) error {
	return r.Do(ctx, http.MethodPut, "/v1/agent/presence", token, map[string]string{"state": state}, nil)
}

// Move makes a transition without a body: accept, takeover, resolve or return.
func (r *Replica) Move(ctx context.Context, token, id, transition string) (c conversation.Conversation, err error) {
	out := struct{ Conversation *conversation.Conversation }{&c}
	err = r.Do(ctx, http.MethodPost, "/v1/agent/conversations/"+id+"/"+transition, token, nil, &out)
	return c, err
}

// Transfer sends an agent's conversation back to a pool's queue, with a note.
func (r *Replica) Transfer(ctx context.Context, token, id, pool, note string) (c conversation.Conversation, err error) {
	out := struct{ Conversation *conversation.Conversation }{&c}
	body := map[string]any{"to": map[string]string{"pool": pool}, "note": note}
	err = r.Do(ctx, http.MethodPost, "/v1/agent/conversations/"+id+"/transfer", token, body, &out)
	return c, err
}

// Mine returns what an agent owns or is offered.
func (r *Replica) Mine(ctx context.Context, token string) (all []conversation.Conversation, err error) {
	out := struct{ Conversations *[]conversation.Conversation }{&all}
	err = r.Do(ctx, http.MethodGet, "/v1/agent/mine", token, nil, &out)
	return all, err
}

// Reply sends an agent's message under an id of its own.
func (r *Replica) Reply(ctx context.Context, token, id, clientID, text string) error {
	return r.Do(ctx, http.MethodPost, "/v1/agent/conversations/"+id+"/replies", token, map[string]string{"id": clientID, "text": text}, nil)
}

// Read returns a conversation as agents see it.
func (r *Replica) Read(ctx context.Context, token, id string) (c conversation.Conversation, err error) {
	out := struct{ Conversation *conversation.Conversation }{&c}
	err = r.Do(ctx, http.MethodGet, "/v1/agent/conversations/"+id, token, nil, &out)
	return c, err
}

// Log returns the whole log of a conversation as agents see it.
func (r *Replica) Log(ctx context.Context, token, id string) (all []conversation.Event, err error) {
	for more, after := true, int64(0); more; {
		var page struct {
			Events []conversation.Event
			Next   int64
			More   bool
		}
		path := fmt.Sprintf("/v1/agent/conversations/%s/events?after=%d", id, after)
		if err := r.Do(ctx, http.MethodGet, path, token, nil, &page); err != nil {
			return nil, err
		}
		all, after, more = append(all, page.Events...), page.Next, page.More
	}
	return all, nil
}

// Frame is one event of a customer's stream.
type Frame struct{ ID, Name, Data string }

// Piece is a part of an answer that is being said, as docs/http-api.md describes it.
type Piece struct {
	Epoch, AnswerTo int64
	Offset          int
	Text            string
}

// Piece decodes a frame named "piece".
func (f Frame) Piece() (p Piece, err error) {
	err = json.Unmarshal([]byte(f.Data), &p)
	return p, err
}

// Event decodes a frame of the log.
func (f Frame) Event() (e conversation.Event, err error) {
	err = json.Unmarshal([]byte(f.Data), &e)
	return e, err
}

// Follow opens a customer's stream behind an event. The channel is closed at its end, or when ctx ends.
func (r *Replica) Follow(ctx context.Context, c Customer, after int64) (<-chan Frame, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/v1/conversations/%s/events?after=%d", r.URL(), c.ID, after), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := r.client.Do(req) //nolint:bodyclose // by who reads it, below: the linter does not look into goroutines
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return nil, &Status{Code: resp.StatusCode, Retry: resp.Header.Get("Retry-After"), Body: string(body)}
	}
	frames := make(chan Frame, 1000)
	go func() {
		defer close(frames)
		defer resp.Body.Close()
		readFrames(ctx, resp.Body, frames)
	}()
	return frames, nil
}

func readFrames(ctx context.Context, body io.Reader, out chan<- Frame) {
	var f Frame
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case lines.Text() == "" && f != (Frame{}):
			select {
			case out <- f:
			case <-ctx.Done():
				return
			}
			f = Frame{}
		case name == "id":
			f.ID = value
		case name == "event":
			f.Name = value
		case name == "data":
			f.Data = value
		}
	}
}
