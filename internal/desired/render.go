// Package desired says what a Copilot needs in its namespace: the children, as server-side apply configurations.
//
// It is pure. A child holds only the fields the operator wants to own; everything else in it belongs to whoever set it.
package desired

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"
	policyac "k8s.io/client-go/applyconfigurations/policy/v1"
	"k8s.io/utils/ptr"
	gatewayac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	ac "github.com/opencopilot/handoff-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Ports of the runtime. Only that of customers and agents is ever exposed.
const (
	PortHTTP    = 8080
	PortMetrics = 8081

	portNameHTTP    = "http"
	portNameMetrics = "metrics"
)

// Input is what the children are made from.
type Input struct {
	Copilot *v1alpha1.Copilot
	// Table compiled for the Copilot.
	Table *routing.Table
	// RuntimeImage is the image of a Copilot that names none.
	RuntimeImage string
	// Platform is where the children are to live.
	Platform Platform
}

// Platform is what a cluster has beyond what every Kubernetes has.
type Platform struct {
	// GatewayAPI says that HTTPRoutes of gateway.networking.k8s.io/v1 can be written.
	GatewayAPI bool
	// GatewayAPIOnce says that this was found out when the operator started, which may not watch for it.
	GatewayAPIOnce bool
	// OpenShift says that the ids of pods come from the namespace's range, and a pod that brings its own is refused.
	OpenShift bool
}

// embedded says that conversations are kept on a volume, which one replica alone can write.
func embedded(c *v1alpha1.Copilot) bool {
	return c.Spec.Storage == nil || c.Spec.Storage.Type != v1alpha1.StoragePostgres
}

// Replicas of the runtime that the Copilot asks for, by default one with embedded storage. With Postgres the default is
// nil: how many run is the Deployment's business, and of whoever scales it.
func Replicas(c *v1alpha1.Copilot) *int32 {
	switch {
	case c.Spec.Runtime != nil && c.Spec.Runtime.Replicas != nil:
		return c.Spec.Runtime.Replicas
	case embedded(c):
		return ptr.To[int32](1)
	}
	return nil
}

// Address is the URL under which the Copilot's runtime is reached inside the cluster.
func Address(namespace, copilot string) string {
	return fmt.Sprintf("http://%s.%s.svc:%d", Name(copilot), namespace, PortHTTP)
}

// Render returns the children in the order in which they are to be applied: what the pod needs comes before the pod, and what
// it may read before the table that names it.
// It fails only if the table cannot be written as JSON, or the Copilot's pod template not be merged.
func Render(in Input) ([]runtime.ApplyConfiguration, error) {
	table, err := routingTable(in)
	if err != nil {
		return nil, err
	}
	pod, err := deployment(in)
	if err != nil {
		return nil, err
	}
	// The rights come before the table: running pods read what a new one names at once.
	children := []runtime.ApplyConfiguration{serviceAccount(in), role(in), roleBinding(in), table}
	if embedded(in.Copilot) {
		children = append(children, claim(in))
	}
	children = append(children, networkPolicy(in), service(in))
	if several(in.Copilot) {
		children = append(children, disruptionBudget(in))
	}
	children = append(children, pod)
	switch exposure(in.Copilot) {
	case v1alpha1.ExposureIngress:
		children = append(children, ingress(in))
	case v1alpha1.ExposureGateway:
		if in.Platform.GatewayAPI {
			children = append(children, httpRoute(in))
		}
	}
	return children, nil
}

// Absent names the children that Render would make of another spec and does not make of this one: what is there of them
// has to go. A volume's claim is never among them.
func Absent(in Input) []runtime.ApplyConfiguration {
	name, namespace := Name(in.Copilot.Name), in.Copilot.Namespace
	var gone []runtime.ApplyConfiguration
	if !several(in.Copilot) {
		gone = append(gone, policyac.PodDisruptionBudget(name, namespace))
	}
	if exposure(in.Copilot) != v1alpha1.ExposureIngress {
		gone = append(gone, networkingac.Ingress(name, namespace))
	}
	if exposure(in.Copilot) != v1alpha1.ExposureGateway && in.Platform.GatewayAPI {
		gone = append(gone, gatewayac.HTTPRoute(name, namespace))
	}
	return gone
}

func routingTable(in Input) (runtime.ApplyConfiguration, error) {
	raw, err := json.Marshal(in.Table)
	if err != nil {
		return nil, fmt.Errorf("write the routing table of Copilot %s/%s: %w", in.Copilot.Namespace, in.Copilot.Name, err)
	}
	return ac.RoutingTable(Name(in.Copilot.Name), in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithSpec(ac.RoutingTableSpec().
			WithFormatVersion(int32(in.Table.FormatVersion)).
			WithRevision(routing.Revision(in.Table)).
			WithTable(runtime.RawExtension{Raw: raw})), nil
}

func serviceAccount(in Input) runtime.ApplyConfiguration {
	return coreac.ServiceAccount(Name(in.Copilot.Name), in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithAutomountServiceAccountToken(false)
}

// owner makes the garbage collector delete the child with its Copilot.
func owner(c *v1alpha1.Copilot) *metaac.OwnerReferenceApplyConfiguration {
	return metaac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).
		WithKind("Copilot").
		WithName(c.Name).
		WithUID(c.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}
