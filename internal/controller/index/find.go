package index

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// find lists what the cache holds. It does not wait for it to show this process's own writes, as reading one object does:
// a list would wait for those to every object of the kind, and so one tenant for the writes of all others. The spec, by
// which the lists are used, is never written here; whoever writes a status reads the object by itself first.
func find(ctx context.Context, r client.Reader, list client.ObjectList, namespace, field, value string) error {
	return r.List(ctx, list, client.InNamespace(namespace), client.MatchingFields{field: value},
		client.DisableReadYourWritesConsistency)
}

// Copilots lists the Copilots of a namespace with the value in the field, sorted by name; an empty namespace means all.
func Copilots(ctx context.Context, r client.Reader, namespace, field, value string) ([]v1alpha1.Copilot, error) {
	var list v1alpha1.CopilotList
	if err := find(ctx, r, &list, namespace, field, value); err != nil {
		return nil, fmt.Errorf("list Copilots of %s with %s %q: %w", namespace, field, value, err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.Copilot) int { return cmp.Compare(a.Name, b.Name) })
	return list.Items, nil
}

// Channels lists the Channels of a namespace with the value in the field; an empty namespace means all of them.
func Channels(ctx context.Context, r client.Reader, namespace, field, value string) ([]v1alpha1.Channel, error) {
	var list v1alpha1.ChannelList
	if err := find(ctx, r, &list, namespace, field, value); err != nil {
		return nil, fmt.Errorf("list Channels with %s %q: %w", field, value, err)
	}
	return list.Items, nil
}

// Policies lists the HandoffPolicies of a namespace with the value in the field.
func Policies(ctx context.Context, r client.Reader, namespace, field, value string) ([]v1alpha1.HandoffPolicy, error) {
	var list v1alpha1.HandoffPolicyList
	if err := find(ctx, r, &list, namespace, field, value); err != nil {
		return nil, fmt.Errorf("list HandoffPolicies of %s with %s %q: %w", namespace, field, value, err)
	}
	return list.Items, nil
}

// CopilotsOfPool lists the Copilots whose policies name the pool, sorted by name.
func CopilotsOfPool(ctx context.Context, r client.Reader, namespace, pool string) ([]v1alpha1.Copilot, error) {
	policies, err := Policies(ctx, r, namespace, PolicyPool, pool)
	if err != nil {
		return nil, err
	}
	var all []v1alpha1.Copilot
	for _, p := range policies {
		users, err := Copilots(ctx, r, namespace, CopilotPolicy, p.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, users...)
	}
	slices.SortFunc(all, func(a, b v1alpha1.Copilot) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// CopilotsOf names the Copilots that the Channels belong to.
func CopilotsOf(channels []v1alpha1.Channel) []reconcile.Request {
	var out []reconcile.Request
	for i := range channels {
		out = append(out, Request(channels[i].Namespace, channels[i].Spec.CopilotRef.Name))
	}
	return out
}

// CopilotsOfClaim names the Copilot of a Channel, and those of the Channels anywhere that claim the same, since a claim
// may have come free.
func CopilotsOfClaim(ctx context.Context, r client.Reader, ch *v1alpha1.Channel) ([]reconcile.Request, error) {
	own := Request(ch.Namespace, ch.Spec.CopilotRef.Name)
	claim := Claim(ch)
	if claim == "" {
		return []reconcile.Request{own}, nil
	}
	rivals, err := Channels(ctx, r, metav1.NamespaceAll, ChannelClaim, claim)
	return append(CopilotsOf(rivals), own), err
}

// CopilotsOfHost names the Copilots anywhere that claim the same host as c, since it may have come free.
func CopilotsOfHost(ctx context.Context, r client.Reader, c *v1alpha1.Copilot) ([]reconcile.Request, error) {
	host := routing.Host(c)
	if host == "" {
		return nil, nil
	}
	found, err := Copilots(ctx, r, metav1.NamespaceAll, CopilotHost, host)
	return Requests(found), err
}

// Requests names the objects for a queue.
func Requests[T any, P interface {
	*T
	client.Object
}](objects []T) []reconcile.Request {
	out := make([]reconcile.Request, 0, len(objects))
	for i := range objects {
		out = append(out, Request(P(&objects[i]).GetNamespace(), P(&objects[i]).GetName()))
	}
	return out
}

// Request names one object for a queue.
func Request(namespace, name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}
