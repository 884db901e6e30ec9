package copilot

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/apply"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/status"
	"github.com/opencopilot/handoff-operator/internal/upgrade"
)

// Upgrades gives each Deployment the pod template whose turn it is.
type Upgrades struct {
	client  client.Client
	release string
	slots   *upgrade.Slots
	// queue of the controller, once it runs.
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// NewUpgrades makes the upgrades of an operator of the release, limit at a time. c reads from a cache that is indexed by
// package index.
func NewUpgrades(c client.Client, release string, limit int) *Upgrades {
	u := &Upgrades{client: c, release: release}
	u.slots = upgrade.NewSlots(limit, u.wake)
	return u
}

// source of the controller's requests: whoever's turn it is.
func (u *Upgrades) source() source.Source {
	return source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		u.queue = queue
		return nil
	})
}

func (u *Upgrades) wake(key types.NamespacedName) {
	if u.queue != nil {
		u.queue.Add(reconcile.Request{NamespacedName: key})
	}
}

// leave gives the turn of a Copilot to the next. An upgrade of it that is under way counts on.
func (u *Upgrades) leave(key types.NamespacedName) { u.slots.Leave(key) }

// settle makes intent, the Deployment as this release renders it, one that may be applied now, and says what is due later.
func (u *Upgrades) settle(ctx context.Context, c *v1alpha1.Copilot, intent *appsac.DeploymentApplyConfiguration) (status.Upgrade, error) {
	key := client.ObjectKeyFromObject(c)
	one, err := u.look(ctx, c, intent)
	if err != nil {
		return status.Upgrade{}, err
	}
	due := status.Upgrade{Known: true, To: u.release}
	decision := one.Decide()
	slot := false
	if decision == upgrade.Wait {
		var underWay []appsv1.Deployment
		slot, err = u.slots.Take(key, func() (_ []upgrade.Running, err error) {
			underWay, err = u.underWay(ctx)
			return running(underWay), err
		})
		if err != nil {
			return status.Upgrade{}, err
		}
		if !slot {
			due.Waiting, due.Limit = true, u.slots.Limit()
			due.Stuck, due.StuckElsewhere = stuck(underWay, c.Namespace)
		}
	}
	switch {
	case slot: // its turn began now
	case one.UnderWay():
		u.slots.Hold(key, upgrade.Stuck(one.Live))
	case !due.Waiting:
		u.slots.Leave(key)
	}
	if decision == upgrade.Apply || slot {
		one.Move(slot)
		return due, nil
	}
	due.Held = decision == upgrade.Keep
	due.From, due.Told = one.Before(), c.Annotations[upgrade.To]
	due.Running, due.Image = runtimeImage(one.Live), image(intent)
	one.Stay()
	return due, nil
}

// look compares intent with the Deployment in the cluster.
func (u *Upgrades) look(ctx context.Context, c *v1alpha1.Copilot, intent *appsac.DeploymentApplyConfiguration) (upgrade.Case, error) {
	one := upgrade.Case{Copilot: c, Release: u.release, Intent: intent}
	key := types.NamespacedName{Namespace: c.Namespace, Name: *intent.Name}
	var live appsv1.Deployment
	err := u.client.Get(ctx, key, &live)
	if apierrors.IsNotFound(err) {
		return one, nil
	}
	if err != nil {
		return one, fmt.Errorf("read Deployment %s: %w", key, err)
	}
	one.Live = &live
	if one.Owned, err = appsac.ExtractDeployment(&live, apply.Manager); err != nil {
		return one, fmt.Errorf("find what the operator owns of Deployment %s: %w", key, err)
	}
	return one, nil
}

// underWay are the Deployments of Copilots that hold a slot, anywhere in the cluster. Whatever else carries the mark is
// not waited for: nobody would say when it is done.
func (u *Upgrades) underWay(ctx context.Context) ([]appsv1.Deployment, error) {
	var list appsv1.DeploymentList
	if err := u.client.List(ctx, &list, client.MatchingFields{index.DeploymentUpgrading: "true"}); err != nil {
		return nil, fmt.Errorf("list the upgrades that are under way: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(d appsv1.Deployment) bool {
		return owner(&d) == "" || !upgrade.UnderWay(&d)
	}), nil
}

func running(deployments []appsv1.Deployment) []upgrade.Running {
	var out []upgrade.Running
	for i := range deployments {
		d := &deployments[i]
		copilot := types.NamespacedName{Namespace: d.Namespace, Name: owner(d)}
		out = append(out, upgrade.Running{Copilot: copilot, Stuck: upgrade.Stuck(d)})
	}
	return out
}

// owner is the name of the Copilot that the Deployment is a child of, or empty.
func owner(d *appsv1.Deployment) string {
	o := metav1.GetControllerOf(d)
	if o == nil || o.Kind != "Copilot" || o.APIVersion != v1alpha1.GroupVersion.String() {
		return ""
	}
	return o.Name
}

// stuck names the Copilots of the namespace whose upgrade does not come to an end, and counts those of others: their
// names are nobody else's business.
func stuck(underWay []appsv1.Deployment, namespace string) (here []string, elsewhere int) {
	for i := range underWay {
		switch d := &underWay[i]; {
		case !upgrade.Stuck(d):
		case d.Namespace == namespace:
			here = append(here, owner(d))
		default:
			elsewhere++
		}
	}
	slices.Sort(here)
	return here, elsewhere
}

func image(intent *appsac.DeploymentApplyConfiguration) string {
	for _, c := range intent.Spec.Template.Spec.Containers {
		if *c.Name == desired.Container {
			return *c.Image
		}
	}
	return ""
}

// toldToUpgrade lets pass that somebody tells a Copilot to upgrade.
func toldToUpgrade() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetAnnotations()[upgrade.To] != e.ObjectNew.GetAnnotations()[upgrade.To]
		},
	}
}
