package copilot

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// atStart is what an operator knows of the cluster that has rights in namespaces alone. It may not watch the
// CustomResourceDefinition, and a watch that is refused would keep it from starting at all.
type atStart struct {
	known, gatewayAPI bool
}

// LookAround finds out whether the operator may watch for the Gateway API. If not, what discovery says now holds until
// the operator is restarted. Call it before Register.
func (r *Reconciler) LookAround(ctx context.Context, log logr.Logger) error {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(CRD().GroupVersionKind())
	err := r.Uncached.List(ctx, list, client.MatchingFields{"metadata.name": HTTPRouteCRD})
	if err == nil {
		return nil
	}
	if !apierrors.IsForbidden(err) {
		return fmt.Errorf("look whether CustomResourceDefinition %s may be watched: %w", HTTPRouteCRD, err)
	}
	_, err = r.Client.RESTMapper().RESTMapping(httpRoute.GroupKind(), httpRoute.Version)
	if err != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("look whether there are HTTPRoutes: %w", err)
	}
	r.atStart = atStart{known: true, gatewayAPI: err == nil}
	log.Info("may not watch CustomResourceDefinition "+HTTPRouteCRD+": the Gateway API is used if it is there now; restart the operator after it was installed or removed",
		"gatewayAPI", r.atStart.gatewayAPI)
	return nil
}
