package status_test

import (
	"testing"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

func TestChannel(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kind    v1alpha1.ChannelType
		before  []metav1.Condition
		change  func(*status.ChannelObservation)
		want    []string
		kstatus kstatus.Status
		says    string
	}{
		"served": {
			change:  func(*status.ChannelObservation) {},
			want:    []string{"Accepted=True/Accepted", "ResolvedRefs=True/Resolved", "Served=True/Served", "Programmed=True/Programmed", "Ready=True/Ready"},
			kstatus: kstatus.CurrentStatus,
		},
		"no Copilot": {
			change: func(o *status.ChannelObservation) {
				o.Copilot, o.Table = nil, nil
				o.Problems = []routing.Problem{problem("Channel", "web", "ResolvedRefs", "NotFound")}
			},
			want:    []string{"Accepted=True/Accepted", "ResolvedRefs=False/NotFound", "Ready=False/NotFound", "Stalled=False/Settled"},
			kstatus: kstatus.InProgressStatus,
			says:    `"c" does not exist`,
		},
		"taken": {
			change: func(o *status.ChannelObservation) {
				o.Table = &routing.Table{}
				o.Problems = []routing.Problem{problem("Channel", "web", "Accepted", "Taken")}
			},
			want:    []string{"Accepted=False/Taken", "Ready=False/NotAccepted", "Stalled=True/NotAccepted"},
			kstatus: kstatus.FailedStatus,
			says:    "spec.f: m",
		},
		"phone": {
			kind: v1alpha1.ChannelTypePhone,
			change: func(o *status.ChannelObservation) {
				o.Table = &routing.Table{}
				o.Problems = []routing.Problem{problem("Channel", "web", "Served", "NotServed")}
			},
			want:    []string{"Accepted=True/Accepted", "Served=False/NotServed", "Ready=False/NotServed", "Stalled=True/NotServed"},
			kstatus: kstatus.FailedStatus,
			says:    "spec.f: m",
		},
		"the table is newer than the Copilot's status": {
			change:  func(o *status.ChannelObservation) { o.Table.Copilot.Instructions = "new" },
			want:    []string{"Programmed=False/WaitingForReplicas", "Ready=False/WaitingForReplicas", "Reconciling=True/Progressing"},
			kstatus: kstatus.InProgressStatus,
		},
		"the Copilot has no table": {
			change:  func(o *status.ChannelObservation) { o.Table = nil },
			want:    []string{"Accepted=True/Accepted", "Programmed=False/CopilotNotReady", "Ready=False/CopilotNotReady"},
			kstatus: kstatus.InProgressStatus,
		},
		"the Copilot's pod is down": {
			change: func(o *status.ChannelObservation) {
				down := serving()
				down.Available = 0
				o.Copilot.Status = status.Copilot(o.Copilot, down, noon)
			},
			want:    []string{"Programmed=True/Programmed", "Ready=False/CopilotNotReady"},
			kstatus: kstatus.InProgressStatus,
			says:    "0 of 1",
		},
		"an edit of the Copilot that leads nowhere": {
			change: func(o *status.ChannelObservation) {
				zero := serving()
				zero.Desired, zero.Available, zero.Pods = 0, 0, nil
				o.Copilot.Status = status.Copilot(o.Copilot, zero, noon)
			},
			before:  []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady}},
			want:    []string{"Ready=False/CopilotNotReady", "Reconciling=True/Progressing"},
			kstatus: kstatus.InProgressStatus,
			says:    "0 replicas",
		},
		"nobody looked at the Copilot yet": {
			change:  func(o *status.ChannelObservation) { o.Copilot.Status.Conditions = nil },
			want:    []string{"Programmed=False/WaitingForReplicas"},
			kstatus: kstatus.InProgressStatus,
			says:    "not looked at",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := copilot()
			c.Status = status.Copilot(c, serving(), noon)
			o := status.ChannelObservation{Copilot: c, Table: table(), Token: "t", Address: "http://c"}
			tc.change(&o)
			if o.Table != nil {
				o.Revision = routing.Revision(o.Table)
			}
			ch := &v1alpha1.Channel{
				TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Channel"},
				ObjectMeta: metav1.ObjectMeta{Name: "web", Generation: 3},
				Spec:       v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypeWeb, CopilotRef: v1alpha1.LocalRef{Name: "c"}},
			}
			if tc.kind != "" {
				ch.Spec.Type = tc.kind
			}
			ch.Status.Conditions = tc.before
			ch.Status = status.Channel(ch, o, noon)
			expect(t, ch.Status.CommonStatus, tc.want, tc.says)
			expectKstatus(t, ch, tc.kstatus)
			if carried := o.Table != nil && len(o.Table.Channels) == 1; (ch.Status.Address != "") != carried {
				t.Errorf("the address is %q, and the Channel is in the table: %v", ch.Status.Address, carried)
			}
		})
	}
}

func TestPolicyAndPool(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		copilots []string
		problems []routing.Problem
		want     []string
		shared   string
		kstatus  kstatus.Status
		says     string
	}{
		"in use": {
			copilots: []string{"c"},
			want:     []string{"Accepted=True/Accepted", "ResolvedRefs=True/Resolved", "Served=True/Served", "Ready=True/Ready"},
			shared:   "SharedAcrossCopilots=False/NotShared", kstatus: kstatus.CurrentStatus, says: "Copilot c",
		},
		"unused": {
			want:   []string{"Accepted=True/Accepted", "Ready=True/Unused"},
			shared: "SharedAcrossCopilots=False/NotShared", kstatus: kstatus.CurrentStatus,
		},
		"shared": {
			copilots: []string{"a", "b", "c", "d", "e", "f", "g"},
			want:     []string{"Ready=True/Ready"},
			shared:   "SharedAcrossCopilots=True/Shared", kstatus: kstatus.CurrentStatus, says: "a, b, c, d, e and 2 more",
		},
		"invalid": {
			copilots: []string{"c"},
			problems: []routing.Problem{problem("HandoffPolicy", "x", "Accepted", "Invalid"), problem("AgentPool", "x", "Accepted", "Invalid")},
			want:     []string{"Accepted=False/Invalid", "Ready=False/NotAccepted", "Stalled=True/NotAccepted"},
			shared:   "SharedAcrossCopilots=False/NotShared", kstatus: kstatus.FailedStatus, says: "spec.f: m",
		},
		"names what is missing": {
			copilots: []string{"c"},
			problems: []routing.Problem{problem("HandoffPolicy", "x", "ResolvedRefs", "NotFound"), problem("AgentPool", "x", "ResolvedRefs", "NotFound")},
			want:     []string{"ResolvedRefs=False/NotFound", "Ready=False/NotFound", "Reconciling=True/Progressing", "Stalled=False/Settled"},
			shared:   "SharedAcrossCopilots=False/NotShared", kstatus: kstatus.InProgressStatus,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := status.UseObservation{Copilots: tc.copilots, Problems: tc.problems}
			name := metav1.ObjectMeta{Name: "x", Generation: 3}
			policy := &v1alpha1.HandoffPolicy{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "HandoffPolicy"}, ObjectMeta: name}
			policy.Status = status.HandoffPolicy(policy, o, noon)
			expect(t, policy.Status.CommonStatus, tc.want, tc.says)
			expectKstatus(t, policy, tc.kstatus)

			pool := &v1alpha1.AgentPool{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AgentPool"}, ObjectMeta: name}
			pool.Spec.Agents = make([]v1alpha1.Agent, 2)
			pool.Status = status.AgentPool(pool, o, noon)
			expect(t, pool.Status.CommonStatus, append([]string{tc.shared}, tc.want...), tc.says)
			expectKstatus(t, pool, tc.kstatus)
			if pool.Status.Agents != 2 {
				t.Errorf("%d agents", pool.Status.Agents)
			}
		})
	}
}
