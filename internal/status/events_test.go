package status_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// life takes a Copilot through statuses and returns what each step tells, as "Type Reason".
func life(steps ...func(*v1alpha1.Copilot, *status.CopilotObservation)) [][]string {
	c := copilot()
	c.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonPending}}
	var told [][]string
	for _, step := range steps {
		o := serving()
		step(c, &o)
		next := status.Copilot(c, o, noon)
		told = append(told, words(status.CopilotEvents(c.Status.Conditions, next.Conditions)))
		c.Status = next
	}
	return told
}

func words(events []status.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Type+" "+e.Reason)
	}
	return out
}

var errQuota = errors.New("exceeded quota")

type step = func(*v1alpha1.Copilot, *status.CopilotObservation)

func serve(*v1alpha1.Copilot, *status.CopilotObservation) {}

func noAck(_ *v1alpha1.Copilot, o *status.CopilotObservation) { o.Acks = nil }

// edited is an edit that the pods have not acknowledged yet.
func edited(_ *v1alpha1.Copilot, o *status.CopilotObservation) { o.Table.Copilot.Instructions = "new" }

func missing(name string) step {
	return func(_ *v1alpha1.Copilot, o *status.CopilotObservation) {
		p := problem("Copilot", "c", v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonNotFound)
		p.Message = name
		o.Problems = []routing.Problem{p}
	}
}

func TestEventsOfCopilot(t *testing.T) {
	t.Parallel()
	refuse := func(_ *v1alpha1.Copilot, o *status.CopilotObservation) {
		o.Acks = []v1alpha1.ReplicaStatus{{Name: "p", Revision: "old", Refused: routing.Revision(o.Table), Message: "too new"}}
	}
	fail := func(_ *v1alpha1.Copilot, o *status.CopilotObservation) { o.ApplyError = errQuota }
	zero := func(_ *v1alpha1.Copilot, o *status.CopilotObservation) { o.Desired, o.Available, o.Pods = 0, 0, nil }
	down := func(_ *v1alpha1.Copilot, o *status.CopilotObservation) { o.Available = 0 }
	for name, tc := range map[string]struct {
		steps []step
		want  [][]string
	}{
		"comes up":            {[]step{noAck, serve, serve}, [][]string{nil, {"Normal Ready"}, nil}},
		"an edit goes well":   {[]step{serve, edited, edited, serve}, [][]string{{"Normal Ready"}, nil, nil, nil}},
		"a pod goes":          {[]step{serve, noAck, noAck, serve}, [][]string{{"Normal Ready"}, {"Warning WaitingForReplicas"}, nil, {"Normal Ready"}}},
		"not available":       {[]step{serve, down, serve}, [][]string{{"Normal Ready"}, {"Warning Progressing"}, {"Normal Ready"}}},
		"a reference":         {[]step{missing("a"), missing("a"), missing("b"), serve}, [][]string{{"Warning NotFound", "Normal Ready"}, nil, {"Warning NotFound"}, {"Normal Resolved"}}},
		"a table is refused":  {[]step{serve, refuse, refuse, serve}, [][]string{{"Normal Ready"}, {"Warning TableRefused"}, nil, {"Normal Ready"}}},
		"a child fails":       {[]step{serve, fail, fail, serve}, [][]string{{"Normal Ready"}, {"Warning ApplyFailed"}, nil, nil}},
		"it fails from begin": {[]step{func(c *v1alpha1.Copilot, o *status.CopilotObservation) { fail(c, o); noAck(c, o) }}, [][]string{{"Warning ApplyFailed"}}},
		"scaled to zero":      {[]step{serve, zero, zero, noAck, serve}, [][]string{{"Normal Ready"}, {"Warning ScaledToZero"}, nil, nil, {"Normal Ready"}}},
		"a mistake": {[]step{serve, func(c *v1alpha1.Copilot, o *status.CopilotObservation) {
			c.Generation++
			o.Table, o.Problems = nil, []routing.Problem{problem("Copilot", "c", v1alpha1.ConditionAccepted, v1alpha1.ReasonInvalid)}
		}, serve}, [][]string{{"Normal Ready"}, {"Warning Invalid"}, {"Normal Accepted", "Normal Ready"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if told := life(tc.steps...); !slices.EqualFunc(told, tc.want, slices.Equal) {
				t.Errorf("told %q, want %q", told, tc.want)
			}
		})
	}
}

func TestEventsOfUpgrade(t *testing.T) {
	t.Parallel()
	upgradable := func(is metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionUpgradable, Status: is, Reason: reason}}
	}
	done := upgradable(metav1.ConditionFalse, v1alpha1.ReasonUpToDate)
	there := upgradable(metav1.ConditionTrue, v1alpha1.ReasonUpgradeAvailable)
	for name, tc := range map[string]struct {
		before, after []metav1.Condition
		want          []string
	}{
		"at first": {nil, done, nil},
		"there":    {done, there, []string{"Normal UpgradeAvailable"}},
		"still":    {there, there, nil},
		"done":     {there, done, []string{"Normal UpToDate"}},
	} {
		if told := words(status.CopilotEvents(tc.before, tc.after)); !slices.Equal(told, tc.want) {
			t.Errorf("%s: told %q, want %q", name, told, tc.want)
		}
	}
}

// TestChannelFollowsItsCopilotSilently: what a Copilot goes through is told once, and not again for each Channel.
func TestChannelFollowsItsCopilotSilently(t *testing.T) {
	t.Parallel()
	ch := &v1alpha1.Channel{Spec: v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypeWeb}}
	ch.Name = "web"
	c := copilot()
	var told [][]string
	taken := func(_ *v1alpha1.Copilot, o *status.CopilotObservation) {
		o.Problems = []routing.Problem{problem("Channel", "web", v1alpha1.ConditionAccepted, v1alpha1.ReasonTaken)}
	}
	for _, step := range []step{noAck, serve, edited, serve, noAck, noAck, serve, taken, serve} {
		o := serving()
		step(c, &o)
		c.Status = status.Copilot(c, o, noon)
		next := status.Channel(ch, status.ChannelObservation{Copilot: c, Table: o.Table, Revision: routing.Revision(o.Table), Problems: o.Problems}, noon)
		told = append(told, words(status.Events(ch.Status.Conditions, next.Conditions)))
		ch.Status = next
	}
	want := [][]string{nil, {"Normal Ready"}, nil, nil, nil, nil, nil, {"Warning Taken"}, {"Normal Accepted", "Normal Ready"}}
	if !slices.EqualFunc(told, want, slices.Equal) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text  string
		whole bool
	}{
		"short":               {"no table", true},
		"as long as may be":   {strings.Repeat("x", 1000), true},
		"one byte too long":   {strings.Repeat("x", 1001), false},
		"two-byte characters": {strings.Repeat("ü", 600), false},
		"three-byte, shifted": {"x" + strings.Repeat("語", 20_000), false},
		"four-byte, shifted":  {"xyz" + strings.Repeat("😀", 300), false},
	} {
		short := status.Shorten(tc.text, 1000)
		rest, cut := strings.CutSuffix(short, "…")
		switch {
		case tc.whole && short != tc.text:
			t.Errorf("%s: became %q", name, short)
		case !tc.whole && (len(short) > 1000 || len(short) < 990 || !utf8.ValidString(short) || !cut || !strings.HasPrefix(tc.text, rest)):
			t.Errorf("%s: %d bytes became %d: %q", name, len(tc.text), len(short), short)
		}
	}
}

// The API server refuses a message above 32,768 bytes, and one that is cut inside a character.
func TestLongMessageFits(t *testing.T) {
	t.Parallel()
	p := problem("Copilot", "c", v1alpha1.ConditionAccepted, v1alpha1.ReasonInvalid)
	p.Message = "x" + strings.Repeat("語", 20_000)
	s := status.Copilot(copilot(), status.CopilotObservation{Problems: []routing.Problem{p}, Desired: 1}, noon)
	for _, c := range s.Conditions {
		if len(c.Message) > 32768 || !utf8.ValidString(c.Message) {
			t.Errorf("%s: %d bytes, valid %v", c.Type, len(c.Message), utf8.ValidString(c.Message))
		}
	}
}
