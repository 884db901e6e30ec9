//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// contract is the file of the API's contract in SHARED_DIR; the test is skipped where that is not set.
func contract(t *testing.T, file string) string {
	t.Helper()
	dir := os.Getenv("SHARED_DIR")
	if dir == "" {
		t.Skip("SHARED_DIR is not set: it names the folder with " + file)
	}
	return filepath.Join(dir, file)
}

// TestMinimalTenant applies the least tenant of the API's contract, unchanged, and expects its Copilot and Channel Ready.
func TestMinimalTenant(t *testing.T) {
	ns := namespace(t, "e2e-minimal-")
	apply(t, ns, contract(t, "api-minimal.yaml"))
	if token := channelToken(t, ns, "hello-web"); token == "" {
		t.Error("the Channel is Ready and its status has no token")
	}
	expectTrue(t, ns, v1alpha1.ConditionReady, &v1alpha1.CopilotList{}, &v1alpha1.ChannelList{}, &v1alpha1.HandoffPolicyList{}, &v1alpha1.AgentPoolList{})
}

// TestEveryObjectIsAccepted applies everything that the API's contract and our own samples know, in random orders.
func TestEveryObjectIsAccepted(t *testing.T) {
	for name, file := range map[string]func(*testing.T) string{
		"contract": func(t *testing.T) string { return contract(t, "api-example.yaml") },
		"sample":   func(*testing.T) string { return "../../config/samples/full.yaml" },
	} {
		t.Run(name, func(t *testing.T) {
			manifest, err := os.ReadFile(file(t))
			if err != nil {
				t.Fatal(err)
			}
			docs := strings.Split(string(manifest), "\n---\n")
			for round := range 3 {
				rand.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
				shuffled := filepath.Join(t.TempDir(), fmt.Sprintf("%d.yaml", round))
				if err := os.WriteFile(shuffled, []byte(strings.Join(docs, "\n---\n")), 0o600); err != nil {
					t.Fatal(err)
				}
				t.Run(fmt.Sprint(round), func(t *testing.T) {
					ns := namespace(t, "e2e-accepted-")
					apply(t, ns, shuffled)
					expectTrue(t, ns, v1alpha1.ConditionAccepted, &v1alpha1.CopilotList{}, &v1alpha1.ChannelList{}, &v1alpha1.HandoffPolicyList{}, &v1alpha1.AgentPoolList{})
				})
			}
		})
	}
}

// expectTrue waits until every object of the lists has a condition for its generation that is True.
func expectTrue(t *testing.T, ns, condition string, lists ...client.ObjectList) {
	t.Helper()
	for _, list := range lists {
		err := eventually(t.Context(), func(ctx context.Context) error {
			if err := cluster.client.List(ctx, list, client.InNamespace(ns)); err != nil {
				return err
			}
			return meta.EachListItem(list, func(o runtime.Object) error { return isTrue(o.(client.Object), condition) })
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func isTrue(o client.Object, condition string) error {
	var s v1alpha1.CommonStatus
	switch o := o.(type) {
	case *v1alpha1.Copilot:
		s = o.Status.CommonStatus
	case *v1alpha1.Channel:
		s = o.Status.CommonStatus
	case *v1alpha1.HandoffPolicy:
		s = o.Status.CommonStatus
	case *v1alpha1.AgentPool:
		s = o.Status.CommonStatus
	}
	c := meta.FindStatusCondition(s.Conditions, condition)
	if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != o.GetGeneration() {
		return fmt.Errorf("%T %s is not %s: %+v", o, o.GetName(), condition, c)
	}
	return nil
}
