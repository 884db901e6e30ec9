package chaos

import (
	"context"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/test/chaos/traffic"
)

// kills of a proof at random moments; SOAK is set by `make soak`.
var kills = map[bool]int{false: 5, true: 50}[os.Getenv("SOAK") != ""]

const (
	// moment is the longest time between a restart and the next kill.
	moment = 600 * time.Millisecond
	// patience bounds a proof.
	patience = 15 * time.Minute
)

// TestKilled kills a runtime that answers from knowledge.
func TestKilled(t *testing.T) { prove(t, false) }

// TestKilledWhileSpeaking kills a runtime that answers through a slow model, while agents take conversations over in the
// middle of its answers.
func TestKilledWhileSpeaking(t *testing.T) { prove(t, true) }

func prove(t *testing.T, speaking bool) {
	t.Parallel()
	table, configMaps := compile(t)
	if speaking {
		useSlowModel(t, table)
	}
	c := startChild(t, table, configMaps)
	agents, capacities := c.signIn(table)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	report, err := Prove(ctx, c, Options{
		Traffic: traffic.Options{Base: c.base, ChannelToken: table.Channels[0].Web.Token, Agents: agents,
			Customers: 12, Conversations: 24, Takeovers: speaking, Seed: seed},
		Capacities: capacities, Kills: kills, Moment: moment,
	})
	t.Log(report)
	if err != nil {
		t.Fatal(err)
	}
	demand(t, report, speaking)
}

// demand fails the test for what was found, and for a run in which too little happened to prove anything.
func demand(t *testing.T, r *Report, speaking bool) {
	t.Helper()
	if len(r.Violations) > 0 {
		t.Errorf("%d violations", len(r.Violations))
	}
	if r.Found < r.Planted || r.Planted == 0 {
		t.Errorf("the checker found %d of %d planted faults", r.Found, r.Planted)
	}
	if r.Kills <= kills || r.Repeated == 0 || r.Handoffs == 0 || r.Assignments == 0 {
		t.Errorf("too little happened to prove anything: %s", r)
	}
	if speaking && r.Interrupted == 0 {
		t.Error("no answer was interrupted")
	}
}
