// Package platform tells what kind of cluster the operator runs in.
package platform

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// OpenShift says whether the cluster has SecurityContextConstraints, which give each pod the ids of its namespace's range.
// A cluster does not become OpenShift while it runs: it is enough to ask once.
func OpenShift(mapper meta.RESTMapper) (bool, error) {
	_, err := mapper.ResourceFor(schema.GroupVersionResource{
		Group: "security.openshift.io", Version: "v1", Resource: "securitycontextconstraints",
	})
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether the cluster is OpenShift: %w", err)
	}
	return true, nil
}
