package status_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

var (
	noon  = metav1.NewTime(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	later = metav1.NewTime(noon.Add(time.Hour))
)

// table of a Copilot with one Channel.
func table() *routing.Table {
	return &routing.Table{FormatVersion: 1, Copilot: routing.Copilot{Name: "c"},
		Channels: []routing.Channel{{Name: "web", Type: v1alpha1.ChannelTypeWeb, Web: &routing.WebChannel{Token: "t"}}}}
}

func copilot() *v1alpha1.Copilot {
	return &v1alpha1.Copilot{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Copilot"},
		ObjectMeta: metav1.ObjectMeta{Name: "c", Generation: 3},
	}
}

// serving is a Copilot as it should be.
func serving() status.CopilotObservation {
	t := table()
	return status.CopilotObservation{
		Table: t, Before: true, Pods: []string{"p"}, Acks: []v1alpha1.ReplicaStatus{{Name: "p", Revision: routing.Revision(t)}},
		Desired: 1, Available: 1, RolledOut: true, Reachable: true,
	}
}

func problem(kind, name, condition, reason string) routing.Problem {
	return routing.Problem{Object: routing.Object{Kind: kind, Name: name}, Condition: condition, Reason: reason, Field: "spec.f", Message: "m"}
}

func TestCopilot(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*status.CopilotObservation)
		// want has "Type=Status/Reason" of conditions.
		want    []string
		kstatus kstatus.Status
		says    string
	}{
		"serving": {
			change:  func(*status.CopilotObservation) {},
			want:    []string{"Accepted=True/Accepted", "ResolvedRefs=True/Resolved", "Served=True/Served", "Programmed=True/Programmed", "Ready=True/Ready", "Reconciling=False/Settled", "Stalled=False/Settled"},
			kstatus: kstatus.CurrentStatus,
		},
		"a reference is missing": {
			change: func(o *status.CopilotObservation) {
				o.Problems = []routing.Problem{problem("Copilot", "c", "ResolvedRefs", "NotFound")}
			},
			want:    []string{"ResolvedRefs=False/NotFound", "Ready=True/Ready", "Stalled=False/Settled"},
			kstatus: kstatus.CurrentStatus,
			says:    "Customers are served. Something it names is missing: spec.f: m",
		},
		"a problem of another object": {
			change: func(o *status.CopilotObservation) {
				o.Problems = []routing.Problem{problem("AgentPool", "c", "Accepted", "Invalid"), problem("Copilot", "d", "Accepted", "Invalid")}
			},
			want:    []string{"Accepted=True/Accepted", "Ready=True/Ready"},
			kstatus: kstatus.CurrentStatus,
		},
		"a part is not served": {
			change: func(o *status.CopilotObservation) {
				o.Problems = []routing.Problem{problem("Copilot", "c", "Served", "NotServed")}
			},
			want:    []string{"Accepted=True/Accepted", "Served=False/NotServed", "Ready=True/Ready"},
			kstatus: kstatus.CurrentStatus,
		},
		"not accepted": {
			change: func(o *status.CopilotObservation) {
				o.Table, o.Problems = nil, []routing.Problem{problem("Copilot", "c", "Accepted", "NobodyToHandOffTo")}
			},
			want:    []string{"Accepted=False/NobodyToHandOffTo", "Programmed=False/NotAccepted", "Ready=False/NotAccepted", "Reconciling=False/Settled", "Stalled=True/NotAccepted"},
			kstatus: kstatus.FailedStatus,
			says:    "still served by the routing table from before",
		},
		"not accepted from the start": {
			change: func(o *status.CopilotObservation) {
				o.Table, o.Before, o.Problems = nil, false, []routing.Problem{problem("Copilot", "c", "Accepted", "Invalid")}
			},
			want:    []string{"Ready=False/NotAccepted"},
			kstatus: kstatus.FailedStatus,
			says:    "spec.f: m",
		},
		"no pod yet": {
			change:  func(o *status.CopilotObservation) { o.Pods, o.Acks, o.Available, o.RolledOut = nil, nil, 0, false },
			want:    []string{"Programmed=False/WaitingForReplicas", "Ready=False/WaitingForReplicas", "Reconciling=True/Progressing", "Stalled=False/Settled"},
			kstatus: kstatus.InProgressStatus,
			says:    "0 of 1 replicas",
		},
		"one of two pods acknowledged": {
			change:  func(o *status.CopilotObservation) { o.Pods = []string{"p", "q"} },
			want:    []string{"Programmed=False/WaitingForReplicas"},
			kstatus: kstatus.InProgressStatus,
			says:    "1 of 2 replicas",
		},
		"an older table": {
			change:  func(o *status.CopilotObservation) { o.Acks[0].Revision = "older" },
			want:    []string{"Programmed=False/WaitingForReplicas"},
			kstatus: kstatus.InProgressStatus,
		},
		"only a gone pod acknowledged": {
			change:  func(o *status.CopilotObservation) { o.Pods = []string{"q"} },
			want:    []string{"Programmed=False/WaitingForReplicas"},
			kstatus: kstatus.InProgressStatus,
		},
		"refused": {
			change: func(o *status.CopilotObservation) {
				o.Acks[0] = v1alpha1.ReplicaStatus{Name: "p", Revision: "older", Refused: routing.Revision(o.Table), Message: "too new"}
			},
			want:    []string{"Programmed=False/TableRefused", "Ready=False/TableRefused", "Stalled=True/TableRefused"},
			kstatus: kstatus.FailedStatus,
			says:    "too new",
		},
		"refused an older one": {
			change:  func(o *status.CopilotObservation) { o.Acks[0].Refused = "older" },
			want:    []string{"Programmed=True/Programmed", "Ready=True/Ready"},
			kstatus: kstatus.CurrentStatus,
		},
		"without its storage": {
			change: func(o *status.CopilotObservation) {
				o.Acks[0].StorageError = "the database is away"
			},
			want:    []string{"Programmed=True/Programmed", "Ready=False/StorageUnavailable", "Reconciling=True/Progressing", "Stalled=False/Settled"},
			kstatus: kstatus.InProgressStatus,
			says:    "1 of 1 replicas cannot use the storage and tell customers to try again: the database is away",
		},
		"a gone pod was without its storage": {
			change: func(o *status.CopilotObservation) {
				o.Acks = append(o.Acks, v1alpha1.ReplicaStatus{Name: "q", StorageError: "the database is away"})
			},
			want:    []string{"Ready=True/Ready"},
			kstatus: kstatus.CurrentStatus,
		},
		"acknowledged but not available": {
			change:  func(o *status.CopilotObservation) { o.Available = 0 },
			want:    []string{"Programmed=True/Programmed", "Ready=False/Progressing", "Reconciling=True/Progressing"},
			kstatus: kstatus.InProgressStatus,
			says:    "0 of 1",
		},
		"ready and rolling out": {
			change:  func(o *status.CopilotObservation) { o.RolledOut = false },
			want:    []string{"Ready=True/Ready", "Reconciling=True/Progressing"},
			kstatus: kstatus.InProgressStatus,
		},
		"a pod cannot start": {
			change: func(o *status.CopilotObservation) {
				o.Acks, o.Available, o.RolledOut, o.Troubles = nil, 0, false, []string{"no node takes it: make room"}
			},
			want:    []string{"Programmed=False/PodFailing", "Ready=False/PodFailing", "Reconciling=True/PodFailing", "Stalled=False/Settled"},
			kstatus: kstatus.InProgressStatus,
			says:    "no node takes it: make room",
		},
		"a pod that acknowledged crashes": {
			change: func(o *status.CopilotObservation) {
				o.Available, o.Troubles = 0, []string{"its container ended", "no node takes it"}
			},
			want:    []string{"Programmed=True/Programmed", "Ready=False/PodFailing"},
			kstatus: kstatus.InProgressStatus,
			says:    "its container ended; and another: no node takes it.",
		},
		"a new pod cannot start while an old one serves": {
			change: func(o *status.CopilotObservation) {
				o.RolledOut, o.Troubles = false, []string{"its image cannot be pulled"}
			},
			want:    []string{"Programmed=True/Programmed", "Ready=True/Ready", "Reconciling=True/PodFailing"},
			kstatus: kstatus.InProgressStatus,
		},
		"a child cannot be written while customers are served": {
			change:  func(o *status.CopilotObservation) { o.ApplyError = errors.New("Role x: timeout") },
			want:    []string{"Programmed=True/Programmed", "Ready=True/Ready", "Reconciling=True/ApplyFailed", "Stalled=False/Settled"},
			kstatus: kstatus.InProgressStatus,
		},
		"the table cannot be written": {
			change: func(o *status.CopilotObservation) {
				o.ApplyError, o.Acks[0].Revision = errors.New("RoutingTable x: quota"), "older"
			},
			want:    []string{"Programmed=False/WaitingForReplicas", "Ready=False/ApplyFailed", "Reconciling=True/ApplyFailed", "Stalled=False/Settled"},
			kstatus: kstatus.InProgressStatus,
			says:    "RoutingTable x: quota",
		},
		"the Deployment cannot be written": {
			change: func(o *status.CopilotObservation) {
				o.ApplyError, o.Pods, o.Acks, o.Available, o.RolledOut = errors.New("Deployment x: no"), nil, nil, 0, false
			},
			want:    []string{"Ready=False/ApplyFailed", "Reconciling=True/ApplyFailed"},
			kstatus: kstatus.InProgressStatus,
			says:    "Deployment x: no",
		},
		"the Service cannot be written": {
			change:  func(o *status.CopilotObservation) { o.ApplyError, o.Reachable = errors.New("Service x: taken"), false },
			want:    []string{"Programmed=True/Programmed", "Ready=False/ApplyFailed", "Reconciling=True/ApplyFailed", "Stalled=False/Settled"},
			kstatus: kstatus.InProgressStatus,
			says:    "Service x: taken",
		},
		"no Service yet": {
			change:  func(o *status.CopilotObservation) { o.Reachable = false },
			want:    []string{"Ready=False/Progressing", "Reconciling=True/Progressing"},
			kstatus: kstatus.InProgressStatus,
			says:    "no Service",
		},
		"a child cannot be written, and the table was refused": {
			change: func(o *status.CopilotObservation) {
				o.ApplyError = errors.New("Role x: timeout")
				o.Acks[0] = v1alpha1.ReplicaStatus{Name: "p", Revision: "older", Refused: routing.Revision(o.Table), Message: "too new"}
			},
			want:    []string{"Ready=False/TableRefused", "Stalled=True/TableRefused"},
			kstatus: kstatus.FailedStatus,
			says:    "too new",
		},
		"scaled to zero": {
			change:  func(o *status.CopilotObservation) { o.Desired, o.Available, o.Pods, o.Acks = 0, 0, nil, nil },
			want:    []string{"Ready=False/ScaledToZero", "Stalled=True/ScaledToZero"},
			kstatus: kstatus.FailedStatus,
			says:    "spec.runtime.replicas",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := serving()
			tc.change(&o)
			c := copilot()
			c.Status = status.Copilot(c, o, noon)
			expect(t, c.Status.CommonStatus, tc.want, tc.says)
			expectKstatus(t, c, tc.kstatus)
		})
	}
}

// expect asserts conditions, and that all of the status speaks of generation 3.
func expect(t *testing.T, s v1alpha1.CommonStatus, want []string, says string) {
	t.Helper()
	if s.ObservedGeneration != 3 {
		t.Errorf("observedGeneration is %d", s.ObservedGeneration)
	}
	var have []string
	for _, c := range s.Conditions {
		have = append(have, c.Type+"="+string(c.Status)+"/"+c.Reason)
		if c.ObservedGeneration != 3 || c.LastTransitionTime.IsZero() || c.Message == "" {
			t.Errorf("incomplete: %+v", c)
		}
	}
	for _, w := range want {
		if !slices.Contains(have, w) {
			t.Errorf("want %s, have %v", w, have)
		}
	}
	if m := meta.FindStatusCondition(s.Conditions, "Ready").Message; !strings.Contains(m, says) {
		t.Errorf("the message of Ready lacks %q: %s", says, m)
	}
}

func expectKstatus(t *testing.T, o any, want kstatus.Status) {
	t.Helper()
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		t.Fatal(err)
	}
	have, err := kstatus.Compute(&unstructured.Unstructured{Object: raw})
	if err != nil {
		t.Fatal(err)
	}
	if have.Status != want {
		t.Errorf("kstatus is %s (%s), want %s", have.Status, have.Message, want)
	}
}

func TestTransitionTimeMovesWithTheStatusOnly(t *testing.T) {
	t.Parallel()
	c := copilot()
	c.Status = status.Copilot(c, serving(), noon)
	o := serving()
	o.Available = 0
	c.Status = status.Copilot(c, o, later)
	for kind, want := range map[string]metav1.Time{"Ready": later, "Reconciling": later, "Accepted": noon, "Programmed": noon} {
		if have := meta.FindStatusCondition(c.Status.Conditions, kind).LastTransitionTime; !have.Equal(&want) {
			t.Errorf("%s moved at %s, want %s", kind, have, want)
		}
	}
}

func TestProblemsAreSpeltOutAndBounded(t *testing.T) {
	t.Parallel()
	message := func(text string) string {
		o := serving()
		for i := range 8 {
			p := problem("Copilot", "c", "ResolvedRefs", "NotFound")
			p.Field, p.Message = "spec.x"+strings.Repeat("y", i), text
			o.Problems = append(o.Problems, p, p)
		}
		return meta.FindStatusCondition(status.Copilot(copilot(), o, noon).Conditions, "ResolvedRefs").Message
	}
	want := "spec.x: m; spec.xy: m; spec.xyy: m; spec.xyyy: m; spec.xyyyy: m; and 3 more"
	if have := message("m"); have != want {
		t.Errorf("want %q, have %q", want, have)
	}
	if n := len(message(strings.Repeat("long ", 5000))); n != 32768 {
		t.Errorf("the API server takes 32768 characters, and the message has %d", n)
	}
}
