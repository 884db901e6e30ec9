package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/opencopilot/handoff-operator/internal/runtime/httpjson"
)

// RequestLogin asks the runtime that runs with a run directory for a one-time login code of an agent.
func RequestLogin(ctx context.Context, runDir, agent string) (code LoginCode, err error) {
	body, err := json.Marshal(map[string]string{"agent": agent})
	if err != nil {
		return code, fmt.Errorf("encoding the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://runtime/login", bytes.NewReader(body))
	if err != nil {
		return code, fmt.Errorf("asking for a login code: %w", err)
	}
	resp, err := socketClient(runDir).Do(req)
	if err != nil {
		return code, fmt.Errorf("no runtime answers in %s: %w", runDir, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		var problem struct {
			Error httpjson.Problem `json:"error"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
			return code, fmt.Errorf("the runtime refused with status %d", resp.StatusCode)
		}
		return code, fmt.Errorf("the runtime refused: %s", problem.Error.Message)
	}
	if err := json.NewDecoder(resp.Body).Decode(&code); err != nil {
		return code, fmt.Errorf("reading the login code: %w", err)
	}
	return code, nil
}
