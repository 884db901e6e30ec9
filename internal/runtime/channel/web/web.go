// Package web is the customers' HTTP API of Web channels: conversations, messages, and events as JSON or as a stream.
package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

// pageSize bounds the events of one answer.
const pageSize = 200

type handler struct {
	tenant *tenant.Tenant
	// end ends the streams when it is closed.
	end   <-chan struct{}
	clock clock.WithTicker
	// writeTimeout cuts a client that does not read.
	writeTimeout time.Duration
}

// Register adds the API to a mux; its streams end when end is closed:
//
//	POST /v1/conversations                {"token", "customer"?, "language"?} → 201 {"id", "token", "conversation"}
//	GET  /v1/conversations/{id}           → {"conversation"}
//	POST /v1/conversations/{id}/messages  {"id", "text"} → 202 {"event"}
//	POST /v1/conversations/{id}/leave     → {"conversation"}; the customer goes away
//	POST /v1/conversations/{id}/return    → {"conversation"}; they are back
//	POST /v1/conversations/{id}/contact   {"email"?, "phone"?} → {"conversation"}; how to reach them
//	GET  /v1/conversations/{id}/events    ?after=SEQ → {"events", "next", "more"}, or a stream (see stream.go)
//
// All but the first want "Authorization: Bearer <token of the conversation>". A browser's Origin must be one of the
// Channel's allowedOrigins. Errors have the form of httpjson.Problem.
func Register(mux *http.ServeMux, t *tenant.Tenant, end <-chan struct{}) {
	h := &handler{tenant: t, end: end, clock: clock.RealClock{}, writeTimeout: writeTimeout}
	h.register(mux)
}

func (h *handler) register(mux *http.ServeMux) {
	mux.Handle("OPTIONS /v1/conversations", httpjson.Handler(h.preflight))
	mux.Handle("OPTIONS /v1/conversations/", httpjson.Handler(h.preflight))
	mux.Handle("POST /v1/conversations", httpjson.Handler(h.open))
	mux.Handle("GET /v1/conversations/{id}", httpjson.Handler(h.authorized(h.get)))
	mux.Handle("POST /v1/conversations/{id}/messages", httpjson.Handler(h.authorized(h.say)))
	mux.Handle("POST /v1/conversations/{id}/leave", httpjson.Handler(h.authorized(h.move(h.tenant.Leave))))
	mux.Handle("POST /v1/conversations/{id}/return", httpjson.Handler(h.authorized(h.move(h.tenant.ComeBack))))
	mux.Handle("POST /v1/conversations/{id}/contact", httpjson.Handler(h.authorized(h.contact)))
	mux.Handle("GET /v1/conversations/{id}/events", httpjson.Handler(h.authorized(h.events)))
}

// state is a conversation as its customer sees it.
type state struct {
	ID       string                 `json:"id"`
	Owner    conversation.OwnerKind `json:"owner"`
	Language string                 `json:"language"`
	// Seq is the number of the last event.
	Seq int64 `json:"seq"`
	// GoesOnIn is the conversation that goes on for this one, if another does: the same token opens it.
	GoesOnIn string `json:"goesOnIn,omitempty"`
	// Contact is how the customer can be reached, once they were asked or said so.
	Contact *conversation.Contact `json:"contact,omitempty"`
	// Queue is where the customer stands who waits for a human.
	Queue *place `json:"queue,omitempty"`
}

// visit is a request with a conversation's token.
type visit struct {
	conv   conversation.Conversation
	access tenant.Access
}

func stateOf(c conversation.Conversation) state {
	return state{ID: c.ID, Owner: c.Owner.Kind, Language: c.Language, Seq: c.Seq, GoesOnIn: c.MergedInto, Contact: c.Contact}
}

func (h *handler) open(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Token    string                `json:"token"`
		Customer conversation.Customer `json:"customer"`
		Language string                `json:"language"`
	}
	tb, err := h.tenant.Table()
	if err != nil {
		return err
	}
	readable(w, r, tb)
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	if ch := tb.ChannelByToken(body.Token); ch != nil {
		if err := checkOrigin(r, ch); err != nil {
			return err
		}
	}
	c, token, err := h.tenant.Open(r.Context(), tenant.NewConversation{ChannelToken: body.Token, Customer: body.Customer, Language: body.Language})
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusCreated, map[string]any{"id": c.ID, "token": token, "conversation": stateOf(c)})
	return nil
}

// authorized lets a request through that has the conversation's token and comes from an allowed origin.
func (h *handler) authorized(next func(http.ResponseWriter, *http.Request, visit) error) httpjson.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		tb, err := h.tenant.Table()
		if err != nil {
			return err
		}
		readable(w, r, tb)
		id := r.PathValue("id")
		access, err := h.tenant.Authorize(r.Context(), id, httpjson.Bearer(r))
		if err != nil {
			return err
		}
		c, err := h.tenant.Conversation(r.Context(), id)
		if err != nil {
			return err
		}
		if err := checkOrigin(r, channel(tb, c.Channel)); err != nil {
			return err
		}
		return next(w, r, visit{c, access})
	}
}

// channel returns the table's Channel of a name, or nil if it was removed since.
func channel(tb *routing.Table, name string) *routing.Channel {
	for i := range tb.Channels {
		if tb.Channels[i].Name == name && tb.Channels[i].Type == v1alpha1.ChannelTypeWeb {
			return &tb.Channels[i]
		}
	}
	return nil
}

func (h *handler) get(w http.ResponseWriter, r *http.Request, v visit) error {
	out := stateOf(v.conv)
	if v.access.From > 0 {
		out.Contact = nil // it may be another person's
	}
	var err error
	if out.Queue, err = h.place(r, v.conv.ID); err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"conversation": out})
	return nil
}

// move serves what a customer does beside writing.
func (h *handler) move(do func(ctx context.Context, id string) (conversation.Conversation, error)) func(http.ResponseWriter, *http.Request, visit) error {
	return func(w http.ResponseWriter, r *http.Request, v visit) error {
		c, err := do(r.Context(), v.conv.ID)
		if err != nil {
			return err
		}
		return h.get(w, r, visit{c, v.access})
	}
}

func (h *handler) contact(w http.ResponseWriter, r *http.Request, v visit) error {
	var body struct {
		Email string `json:"email"`
		Phone string `json:"phone"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	return h.move(func(ctx context.Context, id string) (conversation.Conversation, error) {
		return h.tenant.GiveContact(ctx, id, body.Email, body.Phone)
	})(w, r, v)
}

func (h *handler) say(w http.ResponseWriter, r *http.Request, v visit) error {
	var body struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	e, err := h.tenant.Say(r.Context(), v.access.Of, body.ID, body.Text)
	if err != nil {
		return err
	}
	id := v.conv.ID
	if v.conv.Owner.Kind == conversation.OwnerNobody {
		if id, err = h.tenant.GoesOn(r.Context(), id); err != nil {
			return err
		}
	}
	shown, _ := v.access.Shows(e) // it is theirs
	httpjson.Write(w, http.StatusAccepted, map[string]any{"conversation": id, "event": eventOf(id, shown)})
	return nil
}

func (h *handler) events(w http.ResponseWriter, r *http.Request, v visit) error {
	c := v.conv
	after, err := httpjson.Number(r, "after", 0)
	if err != nil {
		return err
	}
	streams := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	if streams {
		if after, err = start(r, after); err != nil {
			return err
		}
	}
	after = max(after, v.access.From)
	if after > c.Seq {
		return &tenant.Invalid{Field: "after", Message: fmt.Sprintf("is %d, but the last event is %d; follow from there", after, c.Seq)}
	}
	if streams {
		return h.stream(w, r, v, after)
	}
	events, next, more, err := h.tenant.Events(r.Context(), c.ID, after, pageSize)
	if err != nil {
		return err
	}
	out := make([]event, 0, len(events))
	for _, e := range events {
		if e, ok := v.access.Shows(e); ok {
			out = append(out, eventOf(c.ID, e))
		}
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"events": out, "next": next, "more": more})
	return nil
}

// preflight answers a browser's question before a cross-origin request. It has no token yet, so an origin that any
// Channel allows may ask; the request itself is held to its own Channel.
func (h *handler) preflight(w http.ResponseWriter, r *http.Request) error {
	tb, err := h.tenant.Table()
	if err != nil {
		return err
	}
	if !readable(w, r, tb) {
		return &originError{r.Header.Get("Origin")}
	}
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readable lets a browser read the answer, also one that is an error, if any Channel allows its page.
func readable(w http.ResponseWriter, r *http.Request, tb *routing.Table) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.ContainsFunc(tb.Channels, func(ch routing.Channel) bool { return allows(&ch, origin) }) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	return true
}

// checkOrigin lets a browser through only from the Channel's allowedOrigins. A request without Origin is no browser's.
func checkOrigin(r *http.Request, ch *routing.Channel) error {
	origin := r.Header.Get("Origin")
	if origin == "" || ch != nil && allows(ch, origin) {
		return nil
	}
	return &originError{origin}
}

func allows(ch *routing.Channel, origin string) bool {
	return ch.Web != nil && slices.Contains(ch.Web.AllowedOrigins, origin)
}

// originError is what a page that may not use the Channel gets.
type originError struct{ origin string }

func (e *originError) Error() string {
	return "the origin " + e.origin + " is not allowed; add it to spec.web.allowedOrigins of the Channel"
}

// Unwrap makes the answer a 403.
func (e *originError) Unwrap() error { return tenant.ErrForbidden }
