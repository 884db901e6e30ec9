package inbox

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

// resolve takes a disposition; a request without a body has none.
func (h *handler) resolve(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	var body struct {
		Disposition string `json:"disposition"`
	}
	if r.ContentLength != 0 {
		if err := httpjson.Read(w, r, &body); err != nil {
			return err
		}
	}
	return h.move(func(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error) {
		return h.tenant.Resolve(ctx, id, a, body.Disposition)
	})(w, r, s)
}

func (h *handler) snooze(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	var body struct {
		Until string `json:"until"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	until, err := time.Parse(time.RFC3339, body.Until)
	if err != nil {
		return &tenant.Invalid{Field: "until", Message: fmt.Sprintf("%.64q is no time; give one such as 2026-03-02T09:00:00Z", body.Until)}
	}
	return h.move(func(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error) {
		return h.tenant.Snooze(ctx, id, a, until)
	})(w, r, s)
}

func (h *handler) transfer(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	var body struct {
		To   conversation.Target `json:"to"`
		Note string              `json:"note"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	return h.move(func(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error) {
		return h.tenant.Transfer(ctx, id, a, body.To, body.Note)
	})(w, r, s)
}

func (h *handler) merge(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	var body struct {
		Into string `json:"into"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	return h.move(func(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error) {
		return h.tenant.Merge(ctx, id, body.Into, a, s.Supervisor)
	})(w, r, s)
}

func (h *handler) reassign(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	var body struct {
		To    conversation.OwnerKind `json:"to"`
		Agent string                 `json:"agent"`
		Pool  string                 `json:"pool"`
		Note  string                 `json:"note"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	return h.move(func(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error) {
		return h.tenant.Reassign(ctx, id, a, tenant.Reassignment{To: body.To, Agent: body.Agent, Pool: body.Pool, Note: body.Note})
	})(w, r, s)
}
