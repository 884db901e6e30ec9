package copilot

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

//+kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
// One CustomResourceDefinition, as metadata: it says whether there are HTTPRoutes.
//+kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,resourceNames=httproutes.gateway.networking.k8s.io,verbs=get;list;watch

// HTTPRouteCRD is the name of the CustomResourceDefinition that a cluster with the Gateway API has.
const HTTPRouteCRD = "httproutes." + gatewayv1.GroupName

var httpRoute = schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: "v1", Kind: "HTTPRoute"}

// CRD is a CustomResourceDefinition of which only the metadata is read.
func CRD() *metav1.PartialObjectMetadata {
	out := &metav1.PartialObjectMetadata{}
	out.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	return out
}

// gatewayAPI finds out whether there are HTTPRoutes, and watches them from when there first are any: the watch of a kind
// that does not exist cannot be started with the others. Nothing has to be polled, since the watch of the
// CustomResourceDefinition wakes every Copilot that wants an HTTPRoute.
//
// The watch is never ended. Where the kind goes, the informer looks for it with growing pauses of at most a minute, and has
// its handlers, and a client that reads from it, when the kind is back.
type gatewayAPI struct {
	// watch starts the watch of HTTPRoutes. It is nil where nothing is watched.
	watch func() (source.SyncingSource, error)

	mu      sync.Mutex
	watched bool
	// source is the watch that was started.
	source source.SyncingSource
}

// served says whether HTTPRoutes can be read and written, by what the cache of c and its mapper know. The error, that of a
// CustomResourceDefinition which is there and not served, passes in the moments after it was made; with one too old to have
// v1 it stays.
func (g *gatewayAPI) served(ctx context.Context, c client.Client) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := c.Get(ctx, types.NamespacedName{Name: HTTPRouteCRD}, CRD())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether there is a CustomResourceDefinition %s: %w", HTTPRouteCRD, err)
	}
	if g.watched {
		return true, nil
	}
	if _, err := c.RESTMapper().RESTMapping(httpRoute.GroupKind(), httpRoute.Version); err != nil {
		return false, fmt.Errorf("the CustomResourceDefinition %s is there, but the API server does not serve its version %s: %w",
			HTTPRouteCRD, httpRoute.Version, err)
	}
	if g.watch != nil {
		started, err := g.watch()
		if err != nil {
			return false, fmt.Errorf("watch HTTPRoutes: %w", err)
		}
		g.source = started
	}
	g.watched = true
	return true, nil
}

// begun returns when the watch of HTTPRoutes, if it was started, tells of each. Before that a reconcile could see an
// HTTPRoute whose end is told to nobody. A watch that does not begin in time is started anew by the next who asks.
func (g *gatewayAPI) begun(ctx context.Context) error {
	g.mu.Lock()
	started := g.source
	g.mu.Unlock()
	if started == nil {
		return nil
	}
	err := started.WaitForSync(ctx)
	if err == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.source == started {
		g.source, g.watched = nil, false
	}
	return fmt.Errorf("watch HTTPRoutes: %w", err)
}

// follow has c watch the HTTPRoutes that belong to Copilots, from when there are any.
func (g *gatewayAPI) follow(mgr manager.Manager, c controller.Controller) {
	g.watch = func() (source.SyncingSource, error) {
		owner := handler.TypedEnqueueRequestForOwner[*gatewayv1.HTTPRoute](
			mgr.GetScheme(), mgr.GetRESTMapper(), &v1alpha1.Copilot{}, handler.OnlyControllerOwner())
		routes := source.Kind(mgr.GetCache(), &gatewayv1.HTTPRoute{}, owner)
		return routes, c.Watch(routes)
	}
}
