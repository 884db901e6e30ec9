package platform_test

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/opencopilot/handoff-operator/internal/controller/platform"
)

func TestOpenShift(t *testing.T) {
	t.Parallel()
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, meta.RESTScopeNamespace)
	if is, err := platform.OpenShift(mapper); is || err != nil {
		t.Errorf("without its constraints: %v, %v", is, err)
	}
	gv := schema.GroupVersion{Group: "security.openshift.io", Version: "v1"}
	mapper.AddSpecific(gv.WithKind("SecurityContextConstraints"), gv.WithResource("securitycontextconstraints"),
		gv.WithResource("securitycontextconstraints"), meta.RESTScopeRoot)
	if is, err := platform.OpenShift(mapper); !is || err != nil {
		t.Errorf("with them: %v, %v", is, err)
	}
}

// A cluster that does not answer is not taken for one that is not OpenShift: every tenant's pods would be refused there.
func TestNoAnswerIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := platform.OpenShift(silent{}); !errors.Is(err, errSilent) {
		t.Errorf("have %v", err)
	}
}

var errSilent = errors.New("no answer")

type silent struct{ meta.RESTMapper }

// ResourceFor fails.
func (silent) ResourceFor(schema.GroupVersionResource) (schema.GroupVersionResource, error) {
	return schema.GroupVersionResource{}, errSilent
}
