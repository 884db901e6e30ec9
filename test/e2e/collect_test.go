//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// TestDeletedTenant deletes a Copilot in a cluster that collects garbage: nothing is left but its conversations, which
// the next Copilot of that name finds, or not even those where it says so. Then the namespace goes.
func TestDeletedTenant(t *testing.T) {
	ns := namespace(t, "e2e-delete-")
	apply(t, ns, editedTenant)
	channelToken(t, ns, "bikes-web")
	kept := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: ns, Name: desired.Name("bikes")}
	get(t, key, kept)

	deleteCopilot(t, ns)
	expectNothing(t, ns, &corev1.PersistentVolumeClaimList{})
	again := &corev1.PersistentVolumeClaim{}
	get(t, key, again)
	if again.UID != kept.UID || !again.DeletionTimestamp.IsZero() || again.Status.Phase != corev1.ClaimBound {
		t.Errorf("the conversations' claim is not what it was: deleted %v, %s", again.DeletionTimestamp, again.Status.Phase)
	}

	apply(t, ns, editedTenant)
	channelToken(t, ns, "bikes-web")
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"storage":{"embedded":{"whenDeleted":"Delete"}}}}`))
	if err := cluster.client.Patch(t.Context(), copilot(ns), patch); err != nil {
		t.Fatal(err)
	}
	err := eventually(t.Context(), func(ctx context.Context) error {
		err := cluster.client.Get(ctx, key, again)
		if err == nil && len(again.OwnerReferences) == 0 {
			err = errors.New("the claim has no owner with whenDeleted: Delete")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if again.UID != kept.UID {
		t.Error("the Copilot that came back has not found its conversations")
	}
	deleteCopilot(t, ns)
	expectNothing(t, ns, nil)
}

// TestDeletedNamespace deletes a namespace with a tenant that serves, and one with a tenant that is just being made.
func TestDeletedNamespace(t *testing.T) {
	for name, wait := range map[string]bool{"serving": true, "beginning": false} {
		t.Run(name, func(t *testing.T) {
			ns := namespace(t, "e2e-delete-")
			apply(t, ns, editedTenant)
			if wait {
				channelToken(t, ns, "bikes-web")
			}
			object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}
			if err := cluster.client.Delete(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			err := eventually(t.Context(), func(ctx context.Context) error {
				err := cluster.client.Get(ctx, client.ObjectKeyFromObject(object), object)
				if apierrors.IsNotFound(err) {
					return nil
				}
				return errors.Join(err, fmt.Errorf("the namespace is still there: %+v", object.Status.Conditions))
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func copilot(ns string) *v1alpha1.Copilot {
	return &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "bikes"}}
}

func deleteCopilot(t *testing.T, ns string) {
	t.Helper()
	if err := cluster.client.Delete(t.Context(), copilot(ns)); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, key client.ObjectKey, o client.Object) {
	t.Helper()
	if err := cluster.client.Get(t.Context(), key, o); err != nil {
		t.Fatal(err)
	}
}

// expectNothing waits until nothing of the Copilot is left but objects of the kind of except.
func expectNothing(t *testing.T, ns string, except client.ObjectList) {
	t.Helper()
	lists := []client.ObjectList{
		&v1alpha1.RoutingTableList{}, &appsv1.DeploymentList{}, &appsv1.ReplicaSetList{}, &corev1.PodList{}, &corev1.ServiceList{},
		&corev1.ServiceAccountList{}, &rbacv1.RoleList{}, &rbacv1.RoleBindingList{}, &networkingv1.NetworkPolicyList{},
		&corev1.PersistentVolumeClaimList{},
	}
	for _, list := range lists {
		if fmt.Sprintf("%T", list) == fmt.Sprintf("%T", except) {
			continue
		}
		err := eventually(t.Context(), func(ctx context.Context) error {
			err := cluster.client.List(ctx, list, client.InNamespace(ns), client.MatchingLabels{desired.LabelCopilot: "bikes"})
			if n := meta.LenList(list); n > 0 {
				err = errors.Join(err, fmt.Errorf("%d of %T are left", n, list))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
