// Package channel writes the status of Channels. What a Channel says reaches the runtime through its Copilot's table.
package channel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
	"github.com/opencopilot/handoff-operator/internal/controller/report"
	"github.com/opencopilot/handoff-operator/internal/controller/snapshot"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/status"
)

// Reconciler keeps the status of Channels true. It works on all Channels of a Copilot at once, so that one change of the
// Copilot costs one compilation, however many Channels it has.
type Reconciler struct {
	Client    client.Client
	Snapshots *snapshot.Reader
	Reporter  *report.Reporter
	Now       func() time.Time
}

//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=channels,verbs=get;list;watch
//+kubebuilder:rbac:groups=handoff.opencopilot.so,resources=channels/status,verbs=patch

// Reconcile judges the Channels that name a Copilot, which need not exist, and says how far each is served.
func (r *Reconciler) Reconcile(ctx context.Context, copilot reconcile.Request) (reconcile.Result, error) {
	channels, err := index.Channels(ctx, r.Client, copilot.Namespace, index.ChannelCopilot, copilot.Name)
	if err != nil || len(channels) == 0 {
		return reconcile.Result{}, err
	}
	common, err := r.observe(ctx, copilot)
	if err != nil {
		return reconcile.Result{}, err
	}
	var failed error
	for i := range channels {
		failed = errors.Join(failed, r.report(ctx, client.ObjectKeyFromObject(&channels[i]), common))
	}
	return reconcile.Result{}, failed
}

// observe is what the Channels of a Copilot have in common: nothing where it does not exist.
func (r *Reconciler) observe(ctx context.Context, copilot reconcile.Request) (status.ChannelObservation, error) {
	var o status.ChannelObservation
	var c v1alpha1.Copilot
	switch err := r.Client.Get(ctx, copilot.NamespacedName, &c); {
	case apierrors.IsNotFound(err):
		return o, nil
	case err != nil:
		return o, fmt.Errorf("read Copilot %s: %w", copilot, err)
	}
	s, err := r.Snapshots.Read(ctx, &c)
	if err != nil {
		return o, err
	}
	o.Copilot = &c
	o.Table, o.Problems = routing.Compile(s)
	if o.Table != nil {
		o.Revision = routing.Revision(o.Table)
	}
	o.Address = cmp.Or(c.Status.URL, desired.Address(c.Namespace, c.Name))
	return o, nil
}

// report reads the Channel by itself, since a list may not show the status that was written last.
func (r *Reconciler) report(ctx context.Context, key client.ObjectKey, o status.ChannelObservation) error {
	ch := &v1alpha1.Channel{}
	if err := r.Client.Get(ctx, key, ch); err != nil {
		return client.IgnoreNotFound(fmt.Errorf("read Channel %s: %w", key, err))
	}
	if !ch.DeletionTimestamp.IsZero() {
		return nil
	}
	if ch.Spec.Type == v1alpha1.ChannelTypeWeb {
		_, o.Token = routing.Claim(ch)
	}
	if o.Copilot == nil {
		var err error
		if o.Problems, err = r.alone(ctx, ch); err != nil {
			return err
		}
	}
	next := status.Channel(ch, o, metav1.NewTime(r.Now()))
	return report.Status(ctx, r.Reporter, ch, &ch.Status, next, status.Events(ch.Status.Conditions, next.Conditions))
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
