package inbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/export"
	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

const (
	// defaultThreshold is that of a service level where none is asked for: 80 % in 20 s is what most centres aim at.
	defaultThreshold = 20
	// lineTimeout bounds writing one line of an export, against clients that do not read.
	lineTimeout = 30 * time.Second
)

// registerRecords adds the supervisors' part about what happened:
//
//	GET  /v1/supervisor/report?from=T&to=T&threshold=SECONDS         → {"report"}; times in RFC 3339
//	GET  /v1/supervisor/audit?actor=E&conversation=ID&from=T&to=T&after=N → {"entries", "next", "more"}
//	GET  /v1/supervisor/outbox?after=N                               → {"levels", "deadLetters", "next", "more"}
//	POST /v1/supervisor/outbox/replay {"id"} or {"destination"}      → {"replayed"}
//	POST /v1/supervisor/export {"customer"}                          → a line of JSON for each conversation
//	POST /v1/supervisor/erase {"customer"}                           → {"erased"}
//
// Whose token is no supervisor's gets a 403.
func (h *handler) registerRecords(mux *http.ServeMux) {
	for pattern, next := range map[string]agentHandler{
		"GET /v1/supervisor/report":         h.report,
		"GET /v1/supervisor/audit":          h.audit,
		"GET /v1/supervisor/outbox":         h.outbox,
		"POST /v1/supervisor/outbox/replay": h.replay,
		"POST /v1/supervisor/export":        h.export,
		"POST /v1/supervisor/erase":         h.erase,
	} {
		mux.Handle(pattern, h.supervisor(next))
	}
}

// moment reads a query parameter as a time in RFC 3339; an absent one is fallback.
func moment(r *http.Request, name string, fallback time.Time) (time.Time, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return fallback, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, &tenant.Invalid{Field: name, Message: strconv.Quote(s[:min(len(s), 64)]) + " is not a time; write it like 2026-03-02T09:00:00Z"}
	}
	return at, nil
}

func (h *handler) report(w http.ResponseWriter, r *http.Request, _ tenant.Session) error {
	to, err := moment(r, "to", h.tenant.Now())
	if err != nil {
		return err
	}
	from, err := moment(r, "from", to.Add(-24*time.Hour))
	if err != nil {
		return err
	}
	threshold, err := httpjson.Number(r, "threshold", defaultThreshold)
	if err != nil {
		return err
	}
	report, err := h.tenant.Report(r.Context(), from, to, time.Duration(min(threshold, 86400))*time.Second)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"report": report})
	return nil
}

func (h *handler) audit(w http.ResponseWriter, r *http.Request, _ tenant.Session) error {
	after, err := httpjson.Number(r, "after", 0)
	if err != nil {
		return err
	}
	f := store.AuditFilter{Actor: r.URL.Query().Get("actor"), Conversation: r.URL.Query().Get("conversation")}
	if f.From, err = moment(r, "from", time.Time{}); err != nil {
		return err
	}
	if f.To, err = moment(r, "to", time.Time{}); err != nil {
		return err
	}
	entries, err := h.tenant.AuditTrail(r.Context(), f, after, pageSize)
	if err != nil {
		return err
	}
	for _, e := range entries {
		after = e.ID
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"entries": append([]store.AuditEntry{}, entries...), "next": after, "more": len(entries) == pageSize})
	return nil
}

// level and letter are what supervisors see of the outbox: no payloads.
type level struct {
	Destination string              `json:"destination"`
	State       store.DeliveryState `json:"state"`
	Count       int                 `json:"count"`
	Oldest      time.Time           `json:"oldest"`
}

type letter struct {
	ID           int64     `json:"id"`
	Conversation string    `json:"conversation"`
	Destination  string    `json:"destination"`
	Sequence     int64     `json:"sequence"`
	Kind         string    `json:"kind"`
	Key          string    `json:"key"`
	At           time.Time `json:"at"`
	Attempts     int       `json:"attempts"`
	Error        string    `json:"error"`
	GivenUpAt    time.Time `json:"givenUpAt"`
}

func (h *handler) outbox(w http.ResponseWriter, r *http.Request, _ tenant.Session) error {
	after, err := httpjson.Number(r, "after", 0)
	if err != nil {
		return err
	}
	all, dead, err := h.tenant.Outbox(r.Context(), after, pageSize)
	if err != nil {
		return err
	}
	levels, letters := []level{}, []letter{}
	for _, l := range all {
		levels = append(levels, level(l))
	}
	for _, d := range dead {
		after = d.ID
		letters = append(letters, letter{d.ID, d.Conversation, d.Destination, d.Seq, d.Kind, d.Key, d.At, d.Attempts, d.Error, d.Ended})
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"levels": levels, "deadLetters": letters, "next": after, "more": len(dead) == pageSize})
	return nil
}

func (h *handler) replay(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	var body struct {
		ID          int64  `json:"id"`
		Destination string `json:"destination"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	if (body.ID == 0) == (body.Destination == "") {
		return &tenant.Invalid{Field: "id", Message: "give the id of one dead letter, or a destination to replay all of it"}
	}
	n, err := h.tenant.Replay(r.Context(), s, body.ID, body.Destination)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"replayed": n})
	return nil
}

// customer reads which customer a request is about. Who they are does not belong into a URL, which is logged.
func customer(w http.ResponseWriter, r *http.Request) (string, error) {
	var body struct {
		Customer string `json:"customer"`
	}
	err := httpjson.Read(w, r, &body)
	return body.Customer, err
}

// export streams what is kept of a customer. An error in the middle breaks the connection, so that nobody takes a part
// for the whole.
func (h *handler) export(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	key, err := customer(w, r)
	if err != nil {
		return err
	}
	begun := false
	out := json.NewEncoder(w)
	begin := func() {
		begun = true
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Cache-Control", "no-store")
	}
	err = h.tenant.ExportCustomer(r.Context(), s, key, func(l export.Line) error {
		if !begun {
			begin()
		}
		_ = http.NewResponseController(w).SetWriteDeadline(h.tenant.Now().Add(lineTimeout)) // a recorder has none
		return out.Encode(l)
	})
	if err != nil && begun {
		panic(http.ErrAbortHandler)
	}
	if err == nil && !begun {
		begin() // nothing is kept of them
	}
	return err
}

func (h *handler) erase(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	key, err := customer(w, r)
	if err != nil {
		return err
	}
	n, err := h.tenant.EraseCustomer(r.Context(), s, key)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"erased": n})
	return nil
}
