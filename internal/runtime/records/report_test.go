package records_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/records"
)

var (
	t0   = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	anna = conversation.Person{Email: "anna@agents.example", Name: "Anna"}
)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

// script plays one conversation with the real state machine and returns its log.
type script struct {
	t    *testing.T
	conv conversation.Conversation
	log  []conversation.Event
}

func play(t *testing.T, id string) *script {
	s := &script{t: t}
	s.did(conversation.Start(conversation.Conversation{ID: id, ChannelType: v1alpha1.ChannelTypeWeb}, "", t0), nil)
	return s
}

func (s *script) did(c conversation.Change, err error) *script {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	s.conv, s.log = c.Conversation, append(s.log, c.Events...)
	return s
}

func (s *script) writes(sec int) *script {
	return s.did(s.conv.CustomerWrites(fmt.Sprint(s.conv.Seq), "text", at(sec)))
}

func (s *script) handoff(sec int) *script {
	return s.did(s.conv.HandOff(s.conv.Epoch, s.conv.Pending, conversation.Handoff{Reason: v1alpha1.HandoffHumanRequested}, nil, []string{"told"}, at(sec)))
}

func (s *script) takes(who conversation.Person, sec int) *script {
	return s.did(s.conv.TakeOver(who, 1, conversation.Handoff{}, nil, "told", at(sec)))
}

func (s *script) contacts() []records.Contact { return records.Contacts(s.conv.ID, s.log) }

func seconds(f *float64) string {
	if f == nil {
		return "none"
	}
	return fmt.Sprintf("%.3f", *f)
}

// Four customers: one answered in time, one late, one who waits still, one whom an agent took from the AI.
func TestReport(t *testing.T) {
	t.Parallel()
	inTime := play(t, "in time").writes(0).handoff(0).takes(anna, 10)
	inTime.did(inTime.conv.ReturnToAI(anna, "", "", at(110)))
	late := play(t, "late").writes(0).handoff(0).takes(anna, 60)
	late.did(late.conv.ReturnToAI(anna, "", "", at(160)))
	waits := play(t, "waits").writes(0).handoff(30)
	taken := play(t, "taken").writes(0).takes(anna, 200)
	var all []records.Contact
	for _, s := range []*script{inTime, late, waits, taken} {
		all = append(all, s.contacts()...)
	}
	r := records.Compute(records.Input{From: t0, To: at(400), Threshold: 20 * time.Second, Contacts: all,
		Online: []records.Presence{{Agent: anna.Email, From: t0, To: at(300)}, {Agent: "idle@agents.example", From: t0, To: at(100)}}})
	got := map[string]string{
		"queued": fmt.Sprint(r.Queued), "answered": fmt.Sprint(r.Answered), "in time": fmt.Sprint(r.AnsweredInTime),
		"abandoned": fmt.Sprint(r.Abandoned), "waiting": fmt.Sprint(r.Waiting), "taken": fmt.Sprint(r.TakenFromTheAI), "handled": fmt.Sprint(r.Handled),
		"service level": seconds(r.ServiceLevel), "abandonment": seconds(r.AbandonmentRate), "speed": seconds(r.AverageSpeedOfAnswer),
		"longest": seconds(r.LongestWait), "handling": seconds(r.AverageHandlingTime), "occupancy": seconds(r.Occupancy),
	}
	want := map[string]string{
		"queued": "3", "answered": "2", "in time": "1", "abandoned": "0", "waiting": "1", "taken": "1", "handled": "2",
		"service level": "0.333", "abandonment": "0.000", "speed": "35.000", "longest": "60.000", "handling": "100.000",
		// Anna is busy from 10 to 160 and from 200 on, of 300 s online; the other one is online for 100 s.
		"occupancy": "0.625",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a := r.Agents[0]
	if len(r.Agents) != 2 || a.Handled != 3 || a.HandlingSeconds != 400 || a.BusySeconds != 250 || a.OnlineSeconds != 300 {
		t.Errorf("agents: %+v", r.Agents)
	}
}

// Wrap-up is work too, until its end; a snooze is not.
func TestWrapUpCountsAndSnoozeDoesNot(t *testing.T) {
	t.Parallel()
	s := play(t, "c").writes(0).handoff(0).takes(anna, 10)
	s.did(s.conv.Snooze(anna, at(100), at(20)))
	s.did(s.conv.Wake(nil, at(100)))
	s.did(s.conv.ReturnToAI(anna, "", "", at(110)))
	s.log = append(s.log, conversation.Event{Type: conversation.EventWrapUp, At: at(110), Agent: &conversation.Author{ID: anna.Email}, Until: at(140)},
		conversation.Event{Type: conversation.EventWrapUpEnded, At: at(120), Agent: &conversation.Author{ID: anna.Email}})
	r := records.Compute(records.Input{From: t0, To: at(200), Threshold: time.Minute, Contacts: s.contacts()})
	if *r.AverageHandlingTime != 30 || r.Agents[0].HandlingSeconds != 30 {
		t.Errorf("handling time %v, %+v", *r.AverageHandlingTime, r.Agents)
	}
}

// A period counts what came into the queue in it; nothing at all has no figures rather than zeros.
func TestPeriods(t *testing.T) {
	t.Parallel()
	c := play(t, "c").writes(0).handoff(0).takes(anna, 10).contacts()
	r := records.Compute(records.Input{From: at(5), To: at(20), Threshold: time.Minute, Contacts: c})
	if r.Queued != 0 || r.ServiceLevel != nil || r.AverageSpeedOfAnswer != nil || r.Occupancy != nil || r.AverageHandlingTime != nil {
		t.Errorf("%+v", r)
	}
	if len(r.Agents) != 1 || r.Agents[0].HandlingSeconds != 10 {
		t.Errorf("the work in the period: %+v", r.Agents)
	}
}
