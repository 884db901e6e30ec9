package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"
	policyac "k8s.io/client-go/applyconfigurations/policy/v1"
	rbacac "k8s.io/client-go/applyconfigurations/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	ac "github.com/opencopilot/handoff-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// child is an intent's counterpart in the cluster.
type child struct {
	key client.ObjectKey
	// live is empty until it is read.
	live client.Object
	// owned extracts from live the fields that we own, with their live values.
	owned func() (any, error)
	// fleeting says that the kind may go from the cluster and come back. The cache may then never show what was written
	// last, and a read that waits for it, as the client's do, waits for good. Such a child is read as the cache shows it:
	// an apply made too early has no effect, a deletion names the version that it is about, and the event that follows
	// leads here again.
	fleeting bool
}

// childOf knows the kinds that internal/desired renders.
func childOf(intent runtime.ApplyConfiguration) (*child, error) {
	switch i := intent.(type) {
	case *appsac.DeploymentApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &appsv1.Deployment{}, appsac.ExtractDeployment), nil
	case *coreac.ServiceApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &corev1.Service{}, coreac.ExtractService), nil
	case *coreac.ServiceAccountApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &corev1.ServiceAccount{}, coreac.ExtractServiceAccount), nil
	case *coreac.PersistentVolumeClaimApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &corev1.PersistentVolumeClaim{}, coreac.ExtractPersistentVolumeClaim), nil
	case *rbacac.RoleApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &rbacv1.Role{}, rbacac.ExtractRole), nil
	case *rbacac.RoleBindingApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &rbacv1.RoleBinding{}, rbacac.ExtractRoleBinding), nil
	case *networkingac.NetworkPolicyApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &networkingv1.NetworkPolicy{}, networkingac.ExtractNetworkPolicy), nil
	case *networkingac.IngressApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &networkingv1.Ingress{}, networkingac.ExtractIngress), nil
	case *policyac.PodDisruptionBudgetApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &policyv1.PodDisruptionBudget{}, policyac.ExtractPodDisruptionBudget), nil
	case *gatewayac.HTTPRouteApplyConfiguration:
		c := newChild(i.ObjectMetaApplyConfiguration, &gatewayv1.HTTPRoute{}, gatewayac.ExtractHTTPRoute)
		c.fleeting = true
		return c, nil
	case *ac.RoutingTableApplyConfiguration:
		return newChild(i.ObjectMetaApplyConfiguration, &v1alpha1.RoutingTable{}, ac.ExtractRoutingTable), nil
	default:
		return nil, fmt.Errorf("apply: %T is not a kind of child that the operator makes", intent)
	}
}

func newChild[L client.Object, I any](
	meta *metaac.ObjectMetaApplyConfiguration, live L, extract func(L, string) (I, error),
) *child {
	return &child{
		key:   client.ObjectKey{Namespace: *meta.Namespace, Name: *meta.Name},
		live:  live,
		owned: func() (any, error) { return extract(live, Manager) },
	}
}

// concede writes into intent what cannot be taken back from live: a volume's room only grows, so somebody who made more of
// it than the Copilot asks for is left with it.
func concede(intent runtime.ApplyConfiguration, live client.Object) {
	want, ok := intent.(*coreac.PersistentVolumeClaimApplyConfiguration)
	if !ok || want.Spec == nil || want.Spec.Resources == nil || want.Spec.Resources.Requests == nil {
		return
	}
	requests := *want.Spec.Resources.Requests
	room := live.(*corev1.PersistentVolumeClaim).Spec.Resources.Requests[corev1.ResourceStorage]
	if asked := requests[corev1.ResourceStorage]; asked.Cmp(room) < 0 {
		requests[corev1.ResourceStorage] = room
	}
}

// same reports whether the fields that we own in the live object are those of intent, which is JSON, with intent's values.
// A field that somebody else changed has another value or is no longer ours; one that intent dropped is still ours.
func (c *child) same(intent []byte) (bool, error) {
	owned, err := c.owned()
	if err != nil {
		return false, err
	}
	raw, err := json.Marshal(owned)
	if err != nil {
		return false, err
	}
	var have, want any
	if err := errors.Join(json.Unmarshal(raw, &have), json.Unmarshal(intent, &want)); err != nil {
		return false, err
	}
	return reflect.DeepEqual(have, want), nil
}
