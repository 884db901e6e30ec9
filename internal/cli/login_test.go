package cli

import "testing"

func TestVariable(t *testing.T) {
	t.Parallel()
	if got := variable("acme-model", "api.Key"); got != "HANDOFF_SECRET_ACME_MODEL_API_KEY" {
		t.Errorf("got %s", got)
	}
}
