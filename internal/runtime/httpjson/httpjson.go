// Package httpjson reads requests and writes answers and errors in JSON, in one way for every HTTP API of the runtime.
package httpjson

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

// maxBody bounds a request's body: a message of tenant.MaxText bytes, every one of them escaped, and some more.
const maxBody = 6*tenant.MaxText + 4<<10

// Problem is the body of every error: {"error": {"code", "message", "field"}}.
type Problem struct {
	// Code is stable and for programs; Message is for people.
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
}

// NotFound is the error for a request that nothing serves.
type NotFound struct{ Method, Path string }

// Error makes a NotFound an error.
func (n *NotFound) Error() string {
	return "nothing is served at " + n.Method + " " + n.Path + "; see docs/http-api.md"
}

// tooLarge is the error for a body of more than maxBody bytes.
type tooLarge struct{}

func (tooLarge) Error() string {
	return fmt.Sprintf("body: has more than %d bytes; send a shorter one", maxBody)
}

// Handler is a handler whose error becomes an answer.
type Handler func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP makes a Handler an http.Handler. A Handler that returns an error must not have written anything.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		Fail(w, r, err)
	}
}

// Fail answers with an error. One that is not the caller's is logged, and its text stays inside.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	status, p := Describe(err)
	if status == http.StatusInternalServerError && r.Context().Err() == nil {
		logger(r.Context()).Error("request failed", "method", r.Method, "pattern", r.Pattern, "error", err)
	}
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	Write(w, status, struct {
		Error Problem `json:"error"`
	}{p})
}

type loggerKey struct{}

// WithLogger returns a context whose requests log to l.
func WithLogger(ctx context.Context, l *slog.Logger) context.Context {
	return context.WithValue(ctx, loggerKey{}, l)
}

func logger(ctx context.Context) *slog.Logger {
	if l, ok := ctx.Value(loggerKey{}).(*slog.Logger); ok {
		return l
	}
	return slog.Default()
}

// Describe returns the status and the body of an error.
func Describe(err error) (int, Problem) {
	var invalid *tenant.Invalid
	var refusal *conversation.Refusal
	var path *NotFound
	switch {
	case errors.Is(err, tooLarge{}):
		return http.StatusRequestEntityTooLarge, Problem{Code: "too_large", Field: "body", Message: err.Error()}
	case errors.As(err, &invalid):
		return http.StatusBadRequest, Problem{Code: "invalid", Field: invalid.Field, Message: invalid.Error()}
	case errors.As(err, &path):
		return http.StatusNotFound, Problem{Code: "not_found", Message: path.Error()}
	case errors.As(err, &refusal):
		return http.StatusConflict, Problem{Code: "refused", Message: refusal.Message}
	case errors.Is(err, tenant.ErrUnauthorized), errors.Is(err, tenant.ErrCode):
		return http.StatusUnauthorized, Problem{Code: "unauthorized", Message: err.Error()}
	case errors.Is(err, tenant.ErrForbidden), errors.Is(err, tenant.ErrNotSupervisor), errors.Is(err, tenant.ErrNotAgent):
		return http.StatusForbidden, Problem{Code: "forbidden", Message: err.Error()}
	case errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, Problem{Code: "not_found", Message: "there is no such conversation, or nothing with this id"}
	case errors.Is(err, tenant.ErrNotReady):
		return http.StatusServiceUnavailable, Problem{Code: "not_ready", Message: err.Error() + "; try again in a moment"}
	case errors.Is(err, store.ErrUnavailable):
		return http.StatusServiceUnavailable, Problem{Code: "unavailable", Message: "the database cannot be reached now; try again in a moment, a message with the same id"}
	default:
		return http.StatusInternalServerError, Problem{Code: "internal", Message: "something went wrong here; try again, and look at the runtime's log"}
	}
}

// Write answers with a value.
func Write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone
}

// Read decodes a request's body into v, a pointer to a struct. A mistake in it is an error that names the field.
func Read(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooMuch := (*http.MaxBytesError)(nil); errors.As(err, &tooMuch) {
		return tooLarge{}
	}
	if err != nil {
		return &tenant.Invalid{Field: "body", Message: "ended too early or came too slowly; send it again"}
	}
	if !utf8.Valid(body) {
		return &tenant.Invalid{Field: "body", Message: "is not valid UTF-8; encode it anew"}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return mistake(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &tenant.Invalid{Field: "body", Message: "has more after the JSON object; send one object"}
	}
	return nil
}

// mistake says what is wrong with a body that cannot be decoded, without Go's words for it.
func mistake(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		if wrong.Field == "" {
			return &tenant.Invalid{Field: "body", Message: fmt.Sprintf("is a JSON %s; send an object", wrong.Value)}
		}
		return &tenant.Invalid{Field: wrong.Field, Message: fmt.Sprintf("is a JSON %s; send a %s", wrong.Value, kind(wrong.Type))}
	}
	// encoding/json has no type for this error.
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		field, _ := strconv.Unquote(name)
		return &tenant.Invalid{Field: field, Message: "is not a field of this request; leave it out, and see docs/http-api.md"}
	}
	if errors.Is(err, io.EOF) {
		return &tenant.Invalid{Field: "body", Message: "is empty; send a JSON object"}
	}
	return &tenant.Invalid{Field: "body", Message: "is not JSON: " + err.Error()}
}

func kind(t reflect.Type) string {
	if t.Kind() == reflect.Struct {
		return "object"
	}
	return t.Kind().String()
}

// Number returns a query parameter as a number of at least zero, or fallback if it is absent.
func Number(r *http.Request, name string, fallback int64) (int64, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, &tenant.Invalid{Field: name, Message: fmt.Sprintf("%q is not a whole number of at least 0", clip(s))}
	}
	return n, nil
}

// clip shortens a value for an error message.
func clip(s string) string { return s[:min(len(s), 64)] }

// Bearer returns the token of the Authorization header, or "".
func Bearer(r *http.Request) string {
	const scheme = "Bearer "
	h := r.Header.Get("Authorization")
	if len(h) < len(scheme) || !strings.EqualFold(h[:len(scheme)], scheme) {
		return ""
	}
	return h[len(scheme):]
}
