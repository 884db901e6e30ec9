package status_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// The messages are those of Kubernetes 1.36: pkg/kubelet/images, pkg/scheduler, pkg/controller/replicaset.
func TestPodTrouble(t *testing.T) {
	t.Parallel()
	waiting := func(reason, message string) *corev1.Pod {
		return pod(corev1.ContainerStatus{State: corev1.ContainerState{
			Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}})
	}
	own := &v1alpha1.Runtime{Image: "example/x:1"}
	for name, tc := range map[string]struct {
		spec *v1alpha1.Runtime
		pods []*corev1.Pod // each has the same trouble
		want []string      // what it says; nothing if there is none
		not  string        // what it leaves out
	}{
		"starts": {pods: []*corev1.Pod{{}, waiting("ContainerCreating", ""), waiting("PodInitializing", ""), running()}},
		"image": {
			spec: own,
			pods: []*corev1.Pod{
				waiting("ErrImagePull", `failed to resolve "example/x:1": not found`),
				waiting("ImagePullBackOff", `Back-off pulling image "example/x:1": ErrImagePull: failed to resolve "example/x:1": not found`),
			},
			want: []string{`image "example/x:1" cannot be pulled (failed to resolve "example/x:1": not found)`, "spec.runtime.image", "imagePullSecrets"},
			not:  "Back-off",
		},
		"image without a reason": {
			spec: own,
			pods: []*corev1.Pod{waiting("ErrImageNeverPull", "")},
			want: []string{`image "example/x:1" cannot be pulled: set spec.runtime.image`},
		},
		"the operator's image": {
			pods: []*corev1.Pod{waiting("ErrImagePull", "not found")},
			want: []string{`image "example/x:1" cannot be pulled (not found): it is the operator's`, "chart value runtimeImage", "--runtime-image", "set spec.runtime.imagePullSecrets"},
			not:  "set spec.runtime.image to",
		},
		"the operator's image, other things are set": {
			spec: &v1alpha1.Runtime{Upgrade: "Manual"},
			pods: []*corev1.Pod{waiting("ErrImagePull", "not found")},
			want: []string{"chart value runtimeImage"},
		},
		"configuration": {
			pods: []*corev1.Pod{waiting("CreateContainerConfigError", `secret "proxy" not found`)},
			want: []string{`secret "proxy" not found`, "spec.runtime.podTemplate"},
		},
		"no node": {
			pods: []*corev1.Pod{{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
				Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
				Message: "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found.",
			}}}}},
			want: []string{"no node takes it (0/3 nodes are available: 3 Insufficient memory): make room", "spec.runtime.resources"},
			not:  "preemption",
		},
		"crash loop": {
			pods: []*corev1.Pod{
				pod(ended(corev1.ContainerStateTerminated{ExitCode: 1, Message: "x\nerror: open the store: disk I/O error\n"})),
				again(waiting("CrashLoopBackOff", "back-off 10s restarting failed container=runtime pod=c-handoff-5d4f-abcde"),
					corev1.ContainerStateTerminated{ExitCode: 1, Message: "error: open the store: disk I/O error"}),
				again(waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container=runtime pod=c-handoff-5d4f-fghij"),
					corev1.ContainerStateTerminated{ExitCode: 1, Message: `{"time":"2026-03-02T12:00:00Z","level":"ERROR","msg":"open the store","error":"disk I/O error"}`}),
				again(starting(), corev1.ContainerStateTerminated{ExitCode: 1, Message: "open the store: disk I/O error"}),
			},
			want: []string{"exit code 1 (open the store: disk I/O error)", "kubectl logs --previous"},
			not:  "back-off",
		},
		"panic": {
			pods: []*corev1.Pod{pod(ended(corev1.ContainerStateTerminated{ExitCode: 2, Message: "panic: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:7\nexit status 2\n"}))},
			want: []string{"exit code 2 (panic: index out of range)"},
			not:  "goroutine",
		},
		"memory": {
			pods: []*corev1.Pod{again(waiting("CrashLoopBackOff", ""), corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"})},
			want: []string{"out of memory", "raise spec.runtime.resources.limits.memory"},
		},
		"serves after a crash": {pods: []*corev1.Pod{again(running(), corev1.ContainerStateTerminated{ExitCode: 1})}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			have := status.PodTrouble(tc.pods[0], tc.spec)
			for _, p := range tc.pods[1:] {
				if other := status.PodTrouble(p, tc.spec); other != have {
					t.Errorf("the same trouble in two ways:\n%s\n%s", have, other)
				}
			}
			expectText(t, have, tc.want, tc.not)
		})
	}
}

// Whatever an attempt says, another that fails alike makes the same of it, and nobody reads a secret there.
func TestLastWords(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		says []string // the container's words in each attempt
		want string   // what is made of them
	}{
		"nothing": {[]string{"", "\n \n"}, "exit code 1: "},
		"ports and addresses": {[]string{
			"dial tcp 10.0.0.7:41234->10.96.0.1:443: i/o timeout", "dial tcp 10.0.0.9:50888->10.96.0.1:443: i/o timeout",
		}, "(dial tcp #->#: i/o timeout)"},
		"IPv6": {[]string{"listen [2001:db8::7]:8080: denied", "listen [2001:db8::1f]:9090: denied"}, "(listen [#]:#: denied)"},
		"times": {[]string{
			"2026/03/02 12:00:01 no table after 31.5s", "2026/03/02 12:05:44 no table after 30.1s",
		}, "(#/#/# # no table after #)"},
		"ids":   {[]string{"pod c0ffee12-aa00-4bcd-8e1f-00aa11bb22cc at 0xc000123", "pod deadbeef-bb11-4bcd-8e1f-11aa11bb22cc at 0xc000fff"}, "(pod # at #)"},
		"words": {[]string{"error: open x509 store of handoff-runtime: disk I/O error"}, "(open x509 store of handoff-runtime: disk I/O error)"},
		"JSON": {[]string{
			`{"time":"2026-03-02T12:00:00Z","msg":"dial","error":"10.0.0.7:41234 refused","authorization":"hunter"}`,
			`{"time":"2026-03-02T12:00:10Z","msg":"dial","error":"10.0.0.7:41236 refused","authorization":"gatherer"}`,
		}, "(dial: # refused)"},
		"JSON without a message":  {[]string{`{"dsn":"hunter"}`, `{"msg":7,"dsn":"hunter"}`, `{"dsn":"hun`}, "exit code 1: "},
		"JSON with an error only": {[]string{`{"error":"disk full"}`}, "(disk full)"},
		"credentials": {[]string{
			"no answer of postgres://u:hunter@db/x, password=hunter", "no answer of postgres://v:gatherer@db/x, password=gatherer",
		}, "(no answer of postgres://#db/x, password=#)"},
		"header": {[]string{"refused Authorization: Bearer hunter", "refused Authorization: Bearer gatherer"}, "Bearer #)"},
		"panic":  {[]string{"panic: index out of range [5] with length 3\n\ngoroutine 1 [running]:", "panic: index out of range [6] with length 3\n"}, "(panic: index out of range [#] with length #)"},
		"long":   {[]string{strings.Repeat("é", 300)}, "(" + strings.Repeat("é", 98) + "…):"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, says := range tc.says {
				have := status.PodTrouble(pod(ended(corev1.ContainerStateTerminated{ExitCode: 1, Message: says})), nil)
				expectText(t, have, []string{tc.want}, "hunter")
			}
		})
	}
}

func expectText(t *testing.T, have string, want []string, not string) {
	t.Helper()
	if len(want) == 0 && have != "" {
		t.Errorf("want nothing, have %q", have)
	}
	for _, s := range want {
		if !strings.Contains(have, s) {
			t.Errorf("%q lacks %q", have, s)
		}
	}
	if not != "" && strings.Contains(have, not) {
		t.Errorf("%q has %q", have, not)
	}
}

func pod(c corev1.ContainerStatus) *corev1.Pod {
	c.Name, c.Image = "runtime", "example/x:1"
	return &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{c}}}
}

func ended(how corev1.ContainerStateTerminated) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &how}}
}

func starting() *corev1.Pod {
	return pod(corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}})
}

func running() *corev1.Pod {
	p := starting()
	p.Status.ContainerStatuses[0].Ready = true
	return p
}

// again is p after its container ended once.
func again(p *corev1.Pod, how corev1.ContainerStateTerminated) *corev1.Pod {
	p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &how
	return p
}

func TestCreationTrouble(t *testing.T) {
	t.Parallel()
	failing := func(message string) *appsv1.Deployment {
		return &appsv1.Deployment{Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue},
			{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: message},
		}}}
	}
	first := status.CreationTrouble(failing(`pods "c-handoff-5d4f-abcde" is forbidden: exceeded quota: small, requested: pods=1`))
	second := status.CreationTrouble(failing(`pods "c-handoff-5d4f-fghij" is forbidden: exceeded quota: small, requested: pods=1`))
	if first != second {
		t.Errorf("the same trouble in two ways:\n%s\n%s", first, second)
	}
	expectText(t, first, []string{"exceeded quota: small, requested: pods=1"}, "5d4f")
	expectText(t, status.CreationTrouble(&appsv1.Deployment{}), nil, "")
}
