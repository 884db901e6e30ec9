// Package channel writes the status of Channels. What a Channel says reaches the runtime through its Copilot's table.
package channel

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
	"github.com/opencopilot/handoff-operator/internal/controller/snapshot"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// Reconciler keeps the status of a Channel true.
type Reconciler struct {
	Client    client.Client
	Snapshots *snapshot.Reader
	Now       func() time.Time
}

//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=channels,verbs=get;list;watch
//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=channels/status,verbs=patch

// Reconcile judges the Channel under its Copilot and says how far it is served.
func (r *Reconciler) Reconcile(ctx context.Context, ch *v1alpha1.Channel) (reconcile.Result, error) {
	if !ch.DeletionTimestamp.IsZero() {
		return reconcile.Result{}, nil
	}
	o, err := r.observe(ctx, ch)
	if err != nil {
		return reconcile.Result{}, err
	}
	next := status.Channel(ch, o, metav1.NewTime(r.Now()))
	if equality.Semantic.DeepEqual(ch.Status, next) {
		return reconcile.Result{}, nil
	}
	before := ch.DeepCopy()
	ch.Status = next
	if err := r.Client.Status().Patch(ctx, ch, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("write the status of Channel %s/%s: %w", ch.Namespace, ch.Name, err)
	}
	return reconcile.Result{}, nil
}

func (r *Reconciler) observe(ctx context.Context, ch *v1alpha1.Channel) (status.ChannelObservation, error) {
	var o status.ChannelObservation
	if ch.Spec.Type == v1alpha1.ChannelTypeWeb {
		_, o.Token = routing.Claim(ch)
	}
	var c v1alpha1.Copilot
	switch err := r.Client.Get(ctx, types.NamespacedName{Namespace: ch.Namespace, Name: ch.Spec.CopilotRef.Name}, &c); {
	case apierrors.IsNotFound(err):
		o.Problems, err = r.alone(ctx, ch)
		return o, err
	case err != nil:
		return o, fmt.Errorf("read the Copilot of Channel %s/%s: %w", ch.Namespace, ch.Name, err)
	}
	s, err := r.Snapshots.Read(ctx, &c)
	if err != nil {
		return o, err
	}
	o.Copilot = &c
	o.Table, o.Problems = routing.Compile(s)
	if desired.Served(&c) {
		o.Address = desired.Address(c.Namespace, c.Name)
	}
	return o, nil
}

// alone judges a Channel whose Copilot does not exist.
func (r *Reconciler) alone(ctx context.Context, ch *v1alpha1.Channel) ([]routing.Problem, error) {
	secrets, err := r.Snapshots.Secrets(ctx, ch.Namespace, index.ChannelSecrets(ch))
	if err != nil {
		return nil, err
	}
	holder, err := r.Snapshots.Holder(ctx, ch)
	if err != nil {
		return nil, err
	}
	return routing.CheckChannel(ch, nil, secrets, holder), nil
}
