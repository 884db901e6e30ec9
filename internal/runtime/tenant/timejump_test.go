package tenant_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// jumps are what a clock may do at once: a machine that slept, a clock that was set, a second that came twice.
var jumps = []time.Duration{time.Second, time.Minute, time.Hour, 26 * time.Hour, 10 * 24 * time.Hour, -time.Second, -time.Minute, -time.Hour, -26 * time.Hour}

// Time jumps to and fro while people work: nothing that was taken is lost, the auditor finds nothing, and once agents are
// there nobody waits for ever. SOAK=1 plays a thousand of them.
func TestTimeJumps(t *testing.T) {
	t.Parallel()
	if os.Getenv(OnPostgres) != "" {
		return // a bubble of synctest waits for no network
	}
	games := 10
	if os.Getenv("SOAK") != "" {
		games = 1000
	}
	began := time.Now()
	for game := range games {
		if t.Failed() {
			return
		}
		if game%100 == 99 {
			t.Logf("%d of %d games, %s", game+1, games, time.Since(began).Round(time.Second))
		}
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { jump(t, rand.New(rand.NewPCG(seed, 0))) }) //nolint:gosec // a game's number
		})
	}
}

func jump(t *testing.T, random *rand.Rand) {
	table := Table(3, 2)
	table.Policy.ReturnToAI.CustomerIdle = map[v1alpha1.ChannelType]metav1.Duration{v1alpha1.ChannelTypeWeb: {Duration: 10 * time.Minute}}
	o := &office{World: New(t, Options{Table: table, PresenceLease: time.Minute}), random: random, said: map[string][]string{}}
	defer o.Stop()
	for i := range 6 {
		id, _ := o.OpenFor(t, fmt.Sprint("u", i%3))
		o.ids = append(o.ids, id)
	}
	for range 100 {
		if random.IntN(10) == 0 {
			o.seen(t)
			o.Clock.SetTime(o.Clock.Now().Add(jumps[random.IntN(len(jumps))]))
			o.seen(t)
		}
		if err := o.step(t); !mayBeTold(err) {
			t.Fatal(err)
		}
		synctest.Wait()
	}
	o.finish(t)
	for _, id := range o.ids {
		o.checkConversation(t, id)
	}
	o.checkLoads(t)
}

// seen leaves a mark in a log, from which the auditor knows that time went back.
func (o *office) seen(t *testing.T) {
	t.Helper()
	o.n++
	if _, err := o.Note(t.Context(), o.ids[0], o.AgentNamed("a0"), fmt.Sprint("n", o.n), "What time is it?"); err != nil {
		t.Fatal(err)
	}
}

func mayBeTold(err error) bool {
	var refusal *conversation.Refusal
	var invalid *tenant.Invalid
	return err == nil || errors.As(err, &refusal) || errors.As(err, &invalid)
}

// finish lets agents come and do all that waits.
func (o *office) finish(t *testing.T) {
	t.Helper()
	for range 100 {
		for i := range 3 {
			o.SetState(fmt.Sprint("a", i), store.Online)
		}
		synctest.Wait()
		waiting := 0
		for _, id := range o.ids {
			c, err := o.Conversation(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if c.Owner.Kind == conversation.OwnerQueue || c.Owner.Kind == conversation.OwnerAI && c.Pending != 0 {
				waiting++
			}
			o.serve(t, c)
		}
		if waiting == 0 {
			return
		}
		o.Clock.Step(time.Second)
	}
	for _, id := range o.ids {
		if c, err := o.Conversation(t.Context(), id); err != nil || c.Owner.Kind == conversation.OwnerQueue || c.Pending != 0 && c.Owner.Kind == conversation.OwnerAI {
			t.Errorf("%s waits at %s though everybody is there: %+v, %v", id, o.Clock.Now(), c, err)
		}
	}
}

// serve does what an agent has to do for a conversation.
func (o *office) serve(t *testing.T, c conversation.Conversation) {
	t.Helper()
	email := c.Owner.ID
	if c.Offer != nil {
		email = c.Offer.Agent.Email
	}
	a, ok, err := o.Agent(email)
	if err != nil {
		t.Fatal(err)
	}
	if c.Offer != nil {
		_, err = o.Accept(t.Context(), c.ID, a)
	}
	if ok && mayBeTold(err) {
		_, err = o.Resolve(t.Context(), c.ID, a, "done")
	}
	if !mayBeTold(err) {
		t.Fatal(err)
	}
}
