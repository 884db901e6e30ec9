package cli

import (
	"errors"
	"net/http"
	"net/http/httptest"
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
	p, exit := &pod{namespace: "ns", name: "p"}, errors.New("exit code 1")
	if got := mintError(p, exit, "error: no such agent\n").Error(); got != "no such agent" {
		t.Errorf("got %q", got)
	}
	if got := mintError(p, exit, " \n"); !errors.Is(got, exit) || !strings.Contains(got.Error(), "ns/p") {
		t.Errorf("got %v", got)
	}
}

func TestRedeem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status     int
		answer     string
		want, fail string
	}{
		"good":        {200, `{"token":"tok","expiresAt":"2026-01-02T03:04:05Z"}`, "tok", ""},
		"used up":     {401, `{"error":{"message":"sign in again"}}`, "", "sign in again"},
		"not ours":    {404, `<html>`, "", "is that a runtime"},
		"without one": {200, `{}`, "", "status 200"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != "/v1/agent/session" {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.answer))
			}))
			defer server.Close()
			got, err := redeem(t.Context(), server.URL, "code")
			if got != c.want || (c.fail == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.fail)) {
				t.Errorf("got %q, %v; want %q, %q", got, err, c.want, c.fail)
			}
		})
	}
}

func TestVariable(t *testing.T) {
	t.Parallel()
	if got := variable("acme-model", "api.Key"); got != "HANDOFF_SECRET_ACME_MODEL_API_KEY" {
		t.Errorf("got %s", got)
	}
}
