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

	ac "github.com/opencopilot/handoff-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Ports of the runtime.
const (
	PortHTTP    = 8080
	PortMetrics = 8081
)

// Input is what the children are made from.
type Input struct {
	Copilot *v1alpha1.Copilot
	// Table compiled for the Copilot.
	Table *routing.Table
	// RuntimeImage is the image of a Copilot that names none.
	RuntimeImage string
}

// Served says whether this release can deploy the Copilot at all. It cannot where storage is Postgres.
func Served(c *v1alpha1.Copilot) bool {
	return c.Spec.Storage == nil || c.Spec.Storage.Type != v1alpha1.StoragePostgres
}

// Replicas of the runtime that the Copilot asks for, one by default.
func Replicas(c *v1alpha1.Copilot) int32 {
	if c.Spec.Runtime == nil || c.Spec.Runtime.Replicas == nil {
		return 1
	}
	return *c.Spec.Runtime.Replicas
}

// Address is the URL under which the Copilot's runtime is reached inside the cluster.
func Address(namespace, copilot string) string {
	return fmt.Sprintf("http://%s.%s.svc:%d", Name(copilot), namespace, PortHTTP)
}

// Render returns the children in the order in which they are to be applied: what the pod needs comes before the pod, and what
// it may read before the table that names it.
// It fails only if the table cannot be written as JSON.
func Render(in Input) ([]runtime.ApplyConfiguration, error) {
	table, err := routingTable(in)
	if err != nil {
		return nil, err
	}
	return []runtime.ApplyConfiguration{
		// The rights come before the table: running pods read what a new one names at once.
		serviceAccount(in),
		role(in),
		roleBinding(in),
		table,
		claim(in),
		networkPolicy(in),
		service(in),
		deployment(in),
	}, nil
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
