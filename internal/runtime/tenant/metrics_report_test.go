package tenant_test

import (
	"math"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// day plays contacts and looks at the metrics as Prometheus does, every ten seconds.
type day struct {
	*World
	t *testing.T
	// online and working are sums over the looks.
	online, working float64
}

func (d *day) pass(seconds int) {
	d.t.Helper()
	const every = 10
	for range seconds / every {
		m := metrics(d.t, d.World)
		d.online += m["handoff_agents_online"]
		d.working += m["handoff_agents_working"]
		d.Clock.Step(every * time.Second)
	}
}

func (d *day) give(id string, r tenant.Reassignment) {
	d.t.Helper()
	d.Do(d.Reassign(d.t.Context(), id, boss.Agent, r))
}

func (d *day) resolve(id, agent string) {
	d.t.Helper()
	d.Do(d.Resolve(d.t.Context(), id, d.AgentNamed(agent), ""))
}

// play has contacts of every ending, with a snooze, two agents for one contact, two contacts of one agent, wrap-ups that end
// early, and an agent who goes away while working.
func (d *day) play() {
	d.t.Helper()
	gone, postponed := wait(d.World), wait(d.World)
	d.Do(d.GiveContact(d.t.Context(), postponed, "ada@example.org", ""))
	d.pass(60)
	d.give(gone, tenant.Reassignment{To: conversation.OwnerAI})
	d.give(postponed, tenant.Reassignment{To: conversation.OwnerNobody})

	d.SetState("a0", store.Online)
	d.pass(50)
	snoozed := accepted(d.t, d.World, "a0")
	d.pass(100)
	d.Do(d.Snooze(d.t.Context(), snoozed, d.AgentNamed("a0"), d.Clock.Now().Add(time.Hour)))
	d.pass(200)
	d.Do(d.Wake(d.t.Context(), snoozed, d.AgentNamed("a0")))
	d.pass(30)
	beside := accepted(d.t, d.World, "a0")
	d.pass(20)
	d.resolve(snoozed, "a0")
	d.pass(40)
	d.Do(d.EndWrapUp(d.t.Context(), snoozed, d.AgentNamed("a0")))

	d.SetState("a1", store.Online)
	taken, _ := d.OpenConversation()
	d.Do(d.TakeOver(d.t.Context(), taken, d.AgentNamed("a1")))
	d.pass(70)
	d.resolve(taken, "a1")
	d.give(beside, tenant.Reassignment{To: conversation.OwnerAgent, Agent: Email("a1")})
	d.pass(110)
	d.SetState("a1", store.Away)
	d.pass(60)
	d.resolve(beside, "a1")
	d.pass(30)
	d.Do(d.EndWrapUp(d.t.Context(), beside, d.AgentNamed("a1")))
	d.Do(d.EndWrapUp(d.t.Context(), taken, d.AgentNamed("a1")))
	d.pass(100)
	d.SetState("a0", store.Offline)
	d.SetState("a1", store.Offline)
	d.pass(10)
}

// The quotients of docs/operations.md are the figures of the report.
func TestMetricsAgreeWithTheReport(t *testing.T) {
	t.Parallel()
	table := Table(2, 2)
	table.Pools[0].WrapUp = metav1.Duration{Duration: time.Hour}
	d := &day{World: New(t, Options{Table: table}), t: t}
	begin := d.Clock.Now()
	d.play()
	r, err := d.Report(t.Context(), begin, d.Clock.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if r.Answered != 2 || r.TakenFromTheAI != 1 || r.Abandoned != 1 || r.Queued != 4 || r.Waiting != 0 || *r.Occupancy == 0 || *r.Occupancy == 1 {
		t.Fatalf("the day was not played as it was meant: %+v", r)
	}
	d.Stop() // every change has been observed
	m := metrics(t, d.World)
	ended := func(endings ...conversation.Ending) (n float64) {
		for _, e := range endings {
			n += m["handoff_contacts_total "+string(e)]
		}
		return n
	}
	handled := ended(conversation.EndAnswered, conversation.EndTakenFromAI)
	for what, of := range map[string]struct{ report, metrics float64 }{
		"queued":                {float64(r.Queued), ended(conversation.Endings...) - ended(conversation.EndTakenFromAI)},
		"answered":              {float64(r.Answered), ended(conversation.EndAnswered)},
		"taken from the AI":     {float64(r.TakenFromTheAI), ended(conversation.EndTakenFromAI)},
		"handled":               {float64(r.Handled), handled},
		"abandonment rate":      {*r.AbandonmentRate, ended(conversation.EndAbandoned) / (ended(conversation.Endings...) - ended(conversation.EndTakenFromAI))},
		"average handling time": {*r.AverageHandlingTime, m["handoff_handling_seconds_total"] / handled},
		"occupancy":             {*r.Occupancy, d.working / d.online},
	} {
		if !(math.Abs(of.report-of.metrics) < 1e-9) {
			t.Errorf("%s: %v in the report, %v by the metrics", what, of.report, of.metrics)
		}
	}
}
