package web

import (
	"math"
	"net/http"
)

// place is a place in the queue, from one on. WaitSeconds is an estimate, and absent where there is none.
type place struct {
	Position    int `json:"position"`
	WaitSeconds int `json:"waitSeconds,omitempty"`
}

// place returns where the customer of a conversation stands, or nil if they do not wait.
func (h *handler) place(r *http.Request, id string) (*place, error) {
	s, waits, err := h.tenant.Standing(r.Context(), id)
	if err != nil || !waits {
		return nil, err
	}
	return &place{s.Position, int(math.Ceil(s.Wait.Seconds()))}, nil
}
