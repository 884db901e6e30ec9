// Package copilot reconciles Copilots: snapshot, compile, render, apply, observe, status.
package copilot

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/apply"
	"github.com/opencopilot/handoff-operator/internal/controller/report"
	"github.com/opencopilot/handoff-operator/internal/controller/snapshot"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// Reconciler keeps the children of a Copilot as they should be, and its status true.
type Reconciler struct {
	// Client reads from the informers' cache and writes.
	Client client.Client
	// Uncached reads from the API server.
	Uncached  client.Reader
	Snapshots *snapshot.Reader
	Applier   *apply.Applier
	Reporter  *report.Reporter
	Upgrades  *Upgrades
	// RuntimeImage is the image of a Copilot that names none.
	RuntimeImage string
	// OpenShift says that the cluster gives pods their ids.
	OpenShift bool
	Now       func() time.Time

	gateway gatewayAPI
	atStart atStart
}

//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=copilots,verbs=get;list;watch
//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=copilots/status,verbs=patch
// An owner that blocks its deletion may be named only by who may set its finalizers.
//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=copilots/finalizers,verbs=update
//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=routingtables,verbs=get;list;watch;create;patch
//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=routingtables/status,verbs=patch
//+kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch
//+kubebuilder:rbac:groups="",resources=services;serviceaccounts;persistentvolumeclaims,verbs=get;list;watch;create;patch
//+kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch
//+kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=get;list;watch;create;patch;delete
//+kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
//+kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=roles;rolebindings,verbs=get;list;watch;create;patch
// Secrets and ConfigMaps are watched as metadata; the runtime's Role, which grants what the operator must itself have,
// needs the same verbs.
//+kubebuilder:rbac:groups="",resources=secrets;configmaps,verbs=get;list;watch
//+kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch
//+kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings the cluster to what c and the objects it names say. A Copilot without a table keeps its children as
// they are: a typo takes no tenant down.
func (r *Reconciler) Reconcile(ctx context.Context, c *v1alpha1.Copilot) (reconcile.Result, error) {
	if !c.DeletionTimestamp.IsZero() {
		r.Upgrades.leave(client.ObjectKeyFromObject(c))
		return reconcile.Result{}, nil
	}
	s, err := r.Snapshots.Read(ctx, c)
	if err != nil {
		r.Upgrades.leave(client.ObjectKeyFromObject(c))
		return reconcile.Result{}, err
	}
	o := status.CopilotObservation{Desired: ptr.Deref(desired.Replicas(c), 1)}
	o.Table, o.Problems = routing.Compile(s)
	platform, err := r.platform(ctx, c)
	o.Problems = append(o.Problems, desired.Missing(c, platform)...)
	o.URL = url(c, s, o.Table, platform)
	if s.HostHolder != "" {
		o.ApplyError = r.withdraw(ctx, c, platform)
	}
	if o.Table != nil {
		in := desired.Input{Copilot: c, Table: o.Table, RuntimeImage: r.RuntimeImage, Platform: platform}
		o.ApplyError = errors.Join(r.apply(ctx, in, &o), err)
	} else {
		r.Upgrades.leave(client.ObjectKeyFromObject(c))
	}
	if err := r.observe(ctx, c, &o); err != nil {
		return reconcile.Result{}, errors.Join(o.ApplyError, err)
	}
	return reconcile.Result{}, errors.Join(o.ApplyError, r.report(ctx, c, o))
}

// platform is what the cluster has. An error concerns only a Copilot that wants what it is about, and is tried again.
func (r *Reconciler) platform(ctx context.Context, c *v1alpha1.Copilot) (desired.Platform, error) {
	platform := desired.Platform{OpenShift: r.OpenShift, GatewayAPI: r.atStart.gatewayAPI, GatewayAPIOnce: r.atStart.known}
	if platform.GatewayAPIOnce {
		return platform, nil
	}
	gateway, err := r.gateway.served(ctx, r.Client)
	platform.GatewayAPI = gateway
	if len(desired.Missing(c, desired.Platform{})) == 0 {
		return platform, nil // it wants no HTTPRoute
	}
	return platform, errors.Join(err, r.gateway.begun(ctx))
}

// url is where customers reach c from outside the cluster. A typo leaves them where they were.
func url(c *v1alpha1.Copilot, s routing.Snapshot, t *routing.Table, p desired.Platform) string {
	switch {
	case s.HostHolder != "", len(desired.Missing(c, p)) > 0:
		return ""
	case t == nil:
		return c.Status.URL
	}
	return desired.PublicURL(c)
}

// report writes the status if it differs, and tells what it says that is new.
func (r *Reconciler) report(ctx context.Context, c *v1alpha1.Copilot, o status.CopilotObservation) error {
	next := status.Copilot(c, o, metav1.NewTime(r.Now()))
	return report.Status(ctx, r.Reporter, c, &c.Status, next, status.CopilotEvents(c.Status.Conditions, next.Conditions))
}
