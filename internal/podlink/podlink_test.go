package podlink

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func runtimePod(name string, ready corev1.ConditionStatus, deleted bool) corev1.Pod {
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}}
	p.Status.Phase = corev1.PodRunning
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}
	if deleted {
		p.DeletionTimestamp = &metav1.Time{}
	}
	return p
}

func TestChooseTakesAPodThatIsReadyAndStays(t *testing.T) {
	t.Parallel()
	ready, waiting, leaving := runtimePod("ready", "True", false), runtimePod("waiting", "False", false), runtimePod("leaving", "True", true)
	for name, c := range map[string]struct {
		pods       []corev1.Pod
		want, fail string
	}{
		"ready":       {[]corev1.Pod{waiting, leaving, ready}, "ready", ""},
		"none ready":  {[]corev1.Pod{waiting, leaving}, "", "waiting is Running, leaving is Running"},
		"none at all": {nil, "", "-n NAMESPACE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := choose(c.pods)
			if got != c.want || (c.fail == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.fail)) {
				t.Errorf("got %q, %v; want %q, %q", got, err, c.want, c.fail)
			}
		})
	}
}

func TestParseCode(t *testing.T) {
	t.Parallel()
	code, err := parseCode([]byte(`{"code":"abc","expiresAt":"2026-01-02T03:04:05Z"}` + "\n"))
	if err != nil || code.Code != "abc" || code.ExpiresAt.Year() != 2026 {
		t.Errorf("got %+v, %v", code, err)
	}
	for _, out := range []string{"", "{}", "Usage:", `{"code":1}`} {
		if code, err := parseCode([]byte(out)); err == nil {
			t.Errorf("%q: got %+v and no error", out, code)
		}
	}
}

func TestMintErrorPrefersTheRuntimesWords(t *testing.T) {
	t.Parallel()
	p, exit := &Pod{namespace: "ns", name: "p"}, errors.New("exit code 1")
	if got := mintError(p, exit, "error: no such agent\n").Error(); got != "no such agent" {
		t.Errorf("got %q", got)
	}
	if got := mintError(p, exit, " \n"); !errors.Is(got, exit) || !strings.Contains(got.Error(), "ns/p") {
		t.Errorf("got %v", got)
	}
}
