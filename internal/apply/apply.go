// Package apply writes children by server-side apply, and only where that would change something.
package apply

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Manager is the field manager under which the operator owns the fields of its children.
const Manager = "handoff-operator"

// ForeignError tells that an object with a child's name exists already and was never ours.
type ForeignError struct {
	Kind, Namespace, Name string
}

// Error names the object and the ways out.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s %s exists in namespace %s and was not made by the operator: delete or rename it, or rename the Copilot",
		e.Kind, e.Name, e.Namespace)
}

// Applier applies intents.
type Applier struct {
	// Client reads the live objects from the informers' cache and applies.
	Client client.Client
	// Uncached reads what the cache may not hold: objects without our labels.
	Uncached client.Reader

	fulfilled fulfilled
}

// Apply makes the cluster's object hold what intent says, and no field more that an earlier intent of ours owned.
// It sends nothing if the live object already does, which it reads off the object itself (its fields and who manages
// them), so a restart costs no write. Fields that others own are left alone. It reports whether it wrote.
//
// Of a volume's claim that holds more room already than intent asks for, intent is changed to that room.
//
// The error is a ForeignError, or what the API server answered.
func (a *Applier) Apply(ctx context.Context, intent runtime.ApplyConfiguration) (bool, error) {
	child, err := childOf(intent)
	if err != nil {
		return false, err
	}
	gvk, err := apiutil.GVKForObject(child.live, a.Client.Scheme())
	if err != nil {
		return false, fmt.Errorf("apply: %w", err)
	}
	key := child.key
	asIs := &client.GetOptions{DisableReadYourWritesConsistency: child.fleeting}
	switch err := a.Client.Get(ctx, key, child.live, asIs); {
	case apierrors.IsNotFound(err):
		if err := a.refuseForeign(ctx, child.key, gvk); err != nil {
			return false, err
		}
	case err != nil:
		return false, fmt.Errorf("read %s %s: %w", gvk.Kind, key, err)
	default:
		concede(intent, child.live)
		same, err := a.fulfilled.by(child, intent)
		if err != nil {
			return false, fmt.Errorf("compare %s %s with what is wanted: %w", gvk.Kind, key, err)
		}
		if same {
			return false, nil
		}
	}
	unseen := &client.ApplyOptions{DisableReadYourWritesConsistency: child.fleeting}
	if err := a.Client.Apply(ctx, intent, client.FieldOwner(Manager), client.ForceOwnership, unseen); err != nil {
		return false, fmt.Errorf("apply %s %s: %w", gvk.Kind, key, err)
	}
	return true, nil
}

// refuseForeign keeps the operator from taking over, and later deleting, an object of somebody else that happens to
// have the child's name. Ours is one that we applied before, even if somebody has taken our labels off it.
func (a *Applier) refuseForeign(ctx context.Context, key client.ObjectKey, gvk schema.GroupVersionKind) error {
	found := &metav1.PartialObjectMetadata{}
	found.SetGroupVersionKind(gvk)
	switch err := a.Uncached.Get(ctx, key, found); {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("look whether %s %s exists: %w", gvk.Kind, key, err)
	}
	for _, f := range found.ManagedFields {
		if f.Manager == Manager && f.Operation == metav1.ManagedFieldsOperationApply {
			return nil
		}
	}
	return &ForeignError{Kind: gvk.Kind, Namespace: key.Namespace, Name: key.Name}
}
