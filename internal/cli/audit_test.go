package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/cli"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// commandLine runs a command line and returns what it printed.
func commandLine(args ...string) (string, error) {
	var out bytes.Buffer
	c := cli.New("test")
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(context.Background())
	return out.String(), err
}

// The command reads a store in use, a backup of it and an exported log, and fails where a violation was planted in it.
func TestAudit(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log.ndjson")
	w := tenanttest.New(t, tenanttest.Options{})
	id, _ := w.OpenConversation()
	w.AwaitAnswer(id, w.Send(id, "1", tenanttest.Question).Seq)
	for _, args := range [][]string{{"--data", w.Dir, "--save", log}, {"--log", log}} {
		if out, err := commandLine(append([]string{"audit"}, args...)...); err != nil || !strings.Contains(out, "1 conversations") || !strings.Contains(out, "no violation") {
			t.Errorf("%v: %s %v", args, out, err)
		}
	}
	w.Stop()
	db, err := sql.Open("sqlite", filepath.Join(w.Dir, "handoff.db"))
	must(t, err)
	_, err = db.ExecContext(t.Context(), `UPDATE events SET body = replace(body, '"epoch":1', '"epoch":3') WHERE seq = 3`)
	must(t, err)
	must(t, db.Close())
	out, err := commandLine("audit", "--data", w.Dir)
	if err == nil || !strings.Contains(out, "one-owner: conversation "+id+", 3:") || !strings.Contains(err.Error(), "in 1 conversations") {
		t.Errorf("%s %v", out, err)
	}
}

func TestAuditSaysWhatIsWrongWithItsFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"--data", "x", "--log", "y"}, {"--dsn", "x"}, {"--data", filepath.Join(t.TempDir(), "none")}, {"--log", filepath.Join(t.TempDir(), "none")}} {
		if out, err := commandLine(append([]string{"audit"}, args...)...); err == nil {
			t.Errorf("%v: %s", args, out)
		}
	}
}
