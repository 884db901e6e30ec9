//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/internal/desired"
)

// TestArbitraryUser runs a runtime as a user that the image does not know, with the volume's group, as OpenShift does, and
// asks it a question. Its conversations are written by that user.
func TestArbitraryUser(t *testing.T) {
	ns := namespace(t, "e2e-user-")
	apply(t, ns, editedTenant)
	patch := client.RawPatch("application/merge-patch+json", []byte(
		`{"spec":{"runtime":{"podTemplate":{"spec":{"securityContext":{"runAsUser":1000730000,"runAsGroup":0,"fsGroup":1000730000}}}}}}`))
	if err := cluster.client.Patch(t.Context(), copilot(ns), patch); err != nil {
		t.Fatal(err)
	}
	token := channelToken(t, ns, "bikes-web")
	served(t, serviceAddress(t, ns, "bikes"), token)

	pod := runtimePod(t, ns, "bikes")
	if s := pod.Spec.SecurityContext; s.RunAsUser == nil || *s.RunAsUser != 1000730000 {
		t.Fatalf("the pod of %s runs as %+v", desired.Name("bikes"), s)
	}
	if os.Getenv("CLUSTER") != "current" { // the processes are on this machine
		if uid := userOf(t, ns); uid != "1000730000" {
			t.Errorf("the process runs as user %s", uid)
		}
	}
}

// userOf is the effective user id of the runtime's process.
func userOf(t *testing.T, ns string) string {
	t.Helper()
	pid, _, err := processOf(ns, "bikes")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	uids := regexp.MustCompile(`Uid:\t\d+\t(\d+)\t`).FindSubmatch(status)
	if uids == nil {
		t.Fatalf("no user in %s", status)
	}
	return string(uids[1])
}
