// Package inbox is the agents' HTTP API: signing in, presence, the queue and the work on conversations.
package inbox

import (
	"context"
	"net/http"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

// pageSize bounds the entries of one answer.
const pageSize = 200

type handler struct{ tenant *tenant.Tenant }

// Register adds the API to a mux:
//
//	GET  /agent/login?code=CODE             → {"token", "expiresAt", "agent"}; a code works once
//	POST /v1/agent/session {"code"}         → the same
//	GET  /v1/agent/me                       → {"agent", "presence", "expiresAt"}
//	PUT  /v1/agent/presence {"state", "reason"?}  online | busy | away | offline → {"presence"}
//	POST /v1/agent/heartbeat                → {"presence"}; every other request is as good
//	GET  /v1/agent/queue?skip=N             → {"waiting", "conversations"}, longest waiting first
//	GET  /v1/agent/mine                     → {"presence", "conversations", "wrapUps"}: owned by me or offered to me; my wrap-ups
//	GET  /v1/agent/conversations/{id}                → {"conversation"}
//	GET  /v1/agent/conversations/{id}/events?after=N → {"events", "next", "more"}
//	POST /v1/agent/conversations/{id}/{accept,decline,takeover,return,wake,endwrapup} → {"conversation"}; accept, takeover
//	     and endwrapup may be repeated
//	POST /v1/agent/conversations/{id}/resolve {"disposition"?}  → {"conversation"}
//	POST /v1/agent/conversations/{id}/snooze {"until"}          → {"conversation"}
//	POST /v1/agent/conversations/{id}/transfer {"to", "note"?}  → {"conversation"}
//	POST /v1/agent/conversations/{id}/merge {"into"}            → {"conversation"}: the one that goes on
//	POST /v1/agent/conversations/{id}/{replies,notes} {"id", "text"} → {"event"}
//	POST /v1/supervisor/conversations/{id}/reassign {"to", "agent"?, "pool"?, "note"?} → {"conversation"}
//	GET  /v1/supervisor/agents              → {"agents"}
//	PUT  /v1/supervisor/agents/{email}/presence {"state", "reason"?}  busy | away | offline → {"presence"}
//
// All but the first two want "Authorization: Bearer <token>". Errors have the form of httpjson.Problem; a transition
// that the conversation's owner does not allow is a 409.
func Register(mux *http.ServeMux, t *tenant.Tenant) {
	h := &handler{t}
	mux.Handle("GET /agent/login", httpjson.Handler(h.login))
	mux.Handle("HEAD /agent/login", httpjson.Handler(h.preview))
	mux.Handle("POST /v1/agent/session", httpjson.Handler(h.session))
	for pattern, next := range map[string]agentHandler{
		"GET /v1/agent/me":                            h.me,
		"PUT /v1/agent/presence":                      agentOnly(h.presence),
		"POST /v1/agent/heartbeat":                    agentOnly(h.heartbeat),
		"POST /v1/agent/conversations/{id}/endwrapup": agentOnly(h.move(t.EndWrapUp)),
		"GET /v1/agent/queue":                         h.queue,
		"GET /v1/agent/mine":                          h.mine,
		"GET /v1/agent/conversations/{id}":            h.get,
		"GET /v1/agent/conversations/{id}/events":     h.events,
		"POST /v1/agent/conversations/{id}/accept":    agentOnly(h.move(t.Accept)),
		"POST /v1/agent/conversations/{id}/takeover":  agentOnly(h.move(t.TakeOver)),
		"POST /v1/agent/conversations/{id}/decline":   agentOnly(h.move(t.Decline)),
		"POST /v1/agent/conversations/{id}/resolve":   agentOnly(h.resolve),
		"POST /v1/agent/conversations/{id}/snooze":    agentOnly(h.snooze),
		"POST /v1/agent/conversations/{id}/wake":      agentOnly(h.move(t.Wake)),
		"POST /v1/agent/conversations/{id}/transfer":  agentOnly(h.transfer),
		"POST /v1/agent/conversations/{id}/merge":     h.merge,
		"POST /v1/agent/conversations/{id}/return":    agentOnly(h.move(t.ReturnToAI)),
		"POST /v1/agent/conversations/{id}/replies":   agentOnly(h.write(t.Reply)),
		"POST /v1/agent/conversations/{id}/notes":     agentOnly(h.write(t.Note)),
	} {
		mux.Handle(pattern, h.signedIn(next))
	}
	mux.Handle("POST /v1/supervisor/conversations/{id}/reassign", h.supervisor(h.reassign))
	mux.Handle("GET /v1/supervisor/agents", h.supervisor(h.staff))
	mux.Handle("PUT /v1/supervisor/agents/{email}/presence", h.supervisor(h.setAway))
	h.registerRecords(mux)
}

type agentHandler func(w http.ResponseWriter, r *http.Request, s tenant.Session) error

// signedIn lets a request through that has an agent's token.
func (h *handler) signedIn(next agentHandler) httpjson.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, err := h.tenant.SignedIn(r.Context(), httpjson.Bearer(r))
		if err != nil {
			return err
		}
		h.tenant.Hear(r.Context(), s)
		return next(w, r, s)
	}
}

// supervisor lets a signed-in supervisor through.
func (h *handler) supervisor(next agentHandler) httpjson.Handler {
	return h.signedIn(func(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
		if !s.Supervisor {
			return tenant.ErrNotSupervisor
		}
		return next(w, r, s)
	})
}

// agentOnly lets an agent of a pool through: a supervisor in none reads, and works with the supervisors' endpoints.
func agentOnly(next agentHandler) agentHandler {
	return func(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
		if !s.InPool {
			return tenant.ErrNotAgent
		}
		return next(w, r, s)
	}
}

// agent is an agent as agents see each other.
type agent struct {
	Email string `json:"email"`
	Name  string `json:"name"`
}

func agentOf(a routing.Agent) agent { return agent{Email: a.Email, Name: a.DisplayName} }

func (h *handler) login(w http.ResponseWriter, r *http.Request) error {
	return h.redeem(w, r, r.URL.Query().Get("code"))
}

// preview answers programs that look where a link leads: it must not use the code up.
func (h *handler) preview(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handler) session(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Code string `json:"code"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	return h.redeem(w, r, body.Code)
}

func (h *handler) redeem(w http.ResponseWriter, r *http.Request, code string) error {
	token, s, err := h.tenant.Redeem(r.Context(), code)
	if err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	httpjson.Write(w, http.StatusOK, struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expiresAt"`
		Agent     agent     `json:"agent"`
	}{token, s.ExpiresAt, agentOf(s.Agent)})
	return nil
}

func (h *handler) me(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	p, err := h.tenant.Presence(r.Context(), s.Agent.Email)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"agent": agentOf(s.Agent), "inPool": s.InPool, "supervisor": s.Supervisor,
		"presence": p, "expiresAt": s.ExpiresAt})
	return nil
}

// presence sets an agent's presence, which ends with their token at the latest.
func (h *handler) presence(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	var body struct {
		State  store.PresenceState `json:"state"`
		Reason string              `json:"reason"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	p, err := h.tenant.SetPresence(r.Context(), s.Agent, body.State, body.Reason, s.ExpiresAt)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"presence": p})
	return nil
}

// heartbeat says that an agent's client is there, and learns what became of the presence meanwhile.
func (h *handler) heartbeat(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	p, err := h.tenant.Heartbeat(r.Context(), s.Agent, s.ExpiresAt)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"presence": p})
	return nil
}

func (h *handler) queue(w http.ResponseWriter, r *http.Request, _ tenant.Session) error {
	skip, err := httpjson.Number(r, "skip", 0)
	if err != nil {
		return err
	}
	list, waiting, err := h.tenant.Queue(r.Context(), int(skip), pageSize)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"waiting": waiting, "conversations": nonNil(list)})
	return nil
}

func (h *handler) mine(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	list, wrapUps, err := h.tenant.Mine(r.Context(), s.Agent.Email)
	if err != nil {
		return err
	}
	p, err := h.tenant.Presence(r.Context(), s.Agent.Email)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"presence": p, "conversations": nonNil(list), "wrapUps": append([]store.WrapUp{}, wrapUps...)})
	return nil
}

// nonNil makes an empty list [] and not null.
func nonNil(list []conversation.Conversation) []conversation.Conversation {
	return append([]conversation.Conversation{}, list...)
}

func (h *handler) get(w http.ResponseWriter, r *http.Request, _ tenant.Session) error {
	c, err := h.tenant.Conversation(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"conversation": c})
	return nil
}

func (h *handler) events(w http.ResponseWriter, r *http.Request, _ tenant.Session) error {
	after, err := httpjson.Number(r, "after", 0)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if _, err := h.tenant.Conversation(r.Context(), id); err != nil {
		return err
	}
	events, err := h.tenant.Log(r.Context(), id, after, pageSize)
	if err != nil {
		return err
	}
	next := after
	if len(events) > 0 {
		next = events[len(events)-1].Seq
	}
	httpjson.Write(w, http.StatusOK, map[string]any{
		"events": append([]conversation.Event{}, events...), "next": next, "more": len(events) == pageSize})
	return nil
}

// move serves a transition without a body.
func (h *handler) move(do func(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error)) agentHandler {
	return func(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
		c, err := do(r.Context(), r.PathValue("id"), s.Agent)
		if err != nil {
			return err
		}
		httpjson.Write(w, http.StatusOK, map[string]any{"conversation": c})
		return nil
	}
}

// write serves a text under an id of its sender's.
func (h *handler) write(do func(ctx context.Context, id string, a routing.Agent, clientID, text string) (conversation.Event, error)) agentHandler {
	return func(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
		var body struct {
			ID   string `json:"id"`
			Text string `json:"text"`
		}
		if err := httpjson.Read(w, r, &body); err != nil {
			return err
		}
		e, err := do(r.Context(), r.PathValue("id"), s.Agent, body.ID, body.Text)
		if err != nil {
			return err
		}
		httpjson.Write(w, http.StatusOK, map[string]any{"event": e})
		return nil
	}
}
