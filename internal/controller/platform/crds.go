package platform

import (
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// own are the resources of the operator's own kinds.
var own = []string{"agentpools", "channels", "copilots", "handoffpolicies", "routingtables"}

// Installed returns an error that names those of the operator's own CRDs which the cluster lacks. The operator cannot start
// without them. resources are those of a group and version, as a discovery client tells them.
func Installed(resources func(groupVersion string) (*metav1.APIResourceList, error)) error {
	served, err := resources(v1alpha1.GroupVersion.String())
	if apierrors.IsNotFound(err) {
		served, err = &metav1.APIResourceList{}, nil
	}
	if err != nil {
		return fmt.Errorf("look whether the CRDs are installed: %w", err)
	}
	var missing []string
	for _, name := range own {
		if !slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == name }) {
			missing = append(missing, name+"."+v1alpha1.GroupVersion.Group)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("install the CRDs first, with the chart (crds.install) or from config/crd: the cluster does not serve version %s of %s",
		v1alpha1.GroupVersion.Version, strings.Join(missing, ", "))
}
