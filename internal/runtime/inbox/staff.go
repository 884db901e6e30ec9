package inbox

import (
	"net/http"

	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
)

// member is an agent as supervisors see them.
type member struct {
	agent
	Pools    []string       `json:"pools"`
	Presence store.Presence `json:"presence"`
	Units    int            `json:"units"`
	Capacity int            `json:"capacity"`
}

func (h *handler) staff(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	staff, err := h.tenant.Staff(r.Context(), s)
	if err != nil {
		return err
	}
	out := make([]member, len(staff))
	for i, m := range staff {
		out[i] = member{agentOf(m.Agent), m.Pools, m.Presence, m.Units, m.Agent.Capacity}
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"agents": out})
	return nil
}

func (h *handler) setAway(w http.ResponseWriter, r *http.Request, s tenant.Session) error {
	var body struct {
		State  store.PresenceState `json:"state"`
		Reason string              `json:"reason"`
	}
	if err := httpjson.Read(w, r, &body); err != nil {
		return err
	}
	p, err := h.tenant.SetAgentAway(r.Context(), s, r.PathValue("email"), body.State, body.Reason)
	if err != nil {
		return err
	}
	httpjson.Write(w, http.StatusOK, map[string]any{"presence": p})
	return nil
}
