package apply

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/internal/desired"
)

// Remove deletes the object that absent names, if the operator made it: it bears our label, and owner controls it. It
// sends nothing where the cache shows no such object, and reports whether it deleted one.
//
// The object is deleted only as it was looked at. If it changed meanwhile, its event leads here again.
func (a *Applier) Remove(ctx context.Context, owner metav1.Object, absent runtime.ApplyConfiguration) (bool, error) {
	child, err := childOf(absent)
	if err != nil {
		return false, err
	}
	err = a.Client.Get(ctx, child.key, child.live, &client.GetOptions{DisableReadYourWritesConsistency: child.fleeting})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %T %s, which is to be deleted: %w", child.live, child.key, err)
	}
	if !made(child.live, owner) || !child.live.GetDeletionTimestamp().IsZero() {
		return false, nil
	}
	err = a.Client.Delete(ctx, child.live, client.Preconditions{
		UID: ptr.To(child.live.GetUID()), ResourceVersion: ptr.To(child.live.GetResourceVersion()),
	}, &client.DeleteOptions{DisableReadYourWritesConsistency: child.fleeting})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("delete %T %s: %w", child.live, child.key, err)
	}
	return true, nil
}

func made(o client.Object, owner metav1.Object) bool {
	return o.GetLabels()[desired.LabelManagedBy] == desired.ManagedBy && metav1.IsControlledBy(o, owner)
}
