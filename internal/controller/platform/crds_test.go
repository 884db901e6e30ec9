package platform_test

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/platform"
)

type answer func(string) (*metav1.APIResourceList, error)

func serves(names ...string) answer {
	return func(gv string) (*metav1.APIResourceList, error) {
		if gv != v1alpha1.GroupVersion.String() || len(names) == 0 {
			return nil, apierrors.NewNotFound(schema.GroupResource{}, gv)
		}
		list := &metav1.APIResourceList{}
		for _, n := range names {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: n}, metav1.APIResource{Name: n + "/status"})
		}
		return list, nil
	}
}

func TestMissingCRDsAreNamed(t *testing.T) {
	t.Parallel()
	all := []string{"agentpools", "channels", "copilots", "handoffpolicies", "routingtables"}
	for _, there := range [][]string{nil, {"copilots", "channels", "routingtables"}, all} {
		err := platform.Installed(serves(there...))
		if len(there) == len(all) {
			if err != nil {
				t.Errorf("with all of them: %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "install the CRDs first") || !strings.Contains(err.Error(), "v1alpha1") {
			t.Fatalf("with %v: %v", there, err)
		}
		for _, name := range all {
			missing := !strings.Contains(strings.Join(there, " "), name)
			if strings.Contains(err.Error(), name+".handoff.opencopilot.so") != missing {
				t.Errorf("with %v, %s: %v", there, name, err)
			}
		}
	}
}

// A cluster that does not answer sends nobody to install what may be there.
func TestNoAnswerIsNoMissingCRD(t *testing.T) {
	t.Parallel()
	err := platform.Installed(func(string) (*metav1.APIResourceList, error) { return nil, errSilent })
	if !errors.Is(err, errSilent) || strings.Contains(err.Error(), "first") {
		t.Errorf("have %v", err)
	}
}
