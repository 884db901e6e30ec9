package table

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	applyv1alpha1 "github.com/opencopilot/handoff-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Resources that a runtime reads.
const (
	routingTables = "routingtables"
	secrets       = "secrets"
	configMaps    = "configmaps"
)

// ref names an object of the runtime's namespace.
type ref struct{ resource, name string }

// String returns "resource/name".
func (r ref) String() string { return r.resource + "/" + r.name }

// clients talk to the API server as the runtime's ServiceAccount.
type clients struct {
	tables rest.Interface
	core   rest.Interface
}

func newClients(config *rest.Config) (*clients, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	codecs := serializer.NewCodecFactory(scheme).WithoutConversion()
	client := func(gv schema.GroupVersion, path string) (rest.Interface, error) {
		c := rest.CopyConfig(config)
		c.GroupVersion, c.APIPath, c.NegotiatedSerializer = &gv, path, codecs
		c.QPS = -1 // client-go's default of 5 a second would hold acknowledgements back; one is under way at a time
		return rest.RESTClientFor(c)
	}
	tables, err := client(v1alpha1.GroupVersion, "/apis")
	if err != nil {
		return nil, fmt.Errorf("client for %s: %w", v1alpha1.GroupVersion, err)
	}
	core, err := client(corev1.SchemeGroupVersion, "/api")
	if err != nil {
		return nil, fmt.Errorf("client for Secrets and ConfigMaps: %w", err)
	}
	return &clients{tables: tables, core: core}, nil
}

// forResource returns the client that reads a resource.
func (c *clients) forResource(resource string) rest.Interface {
	if resource == routingTables {
		return c.tables
	}
	return c.core
}

// applyReplica applies the status entry of manager's replica, or removes it if entry is nil. Entries of other replicas
// have other field managers and stay. It returns the resourceVersion of the result.
func (c *clients) applyReplica(ctx context.Context, namespace, name, manager string, entry *v1alpha1.ReplicaStatus) (string, error) {
	status := applyv1alpha1.RoutingTableStatus()
	if entry != nil {
		status.WithReplicas(replicaApply(entry))
	}
	body, err := json.Marshal(applyv1alpha1.RoutingTable(name, namespace).WithStatus(status))
	if err != nil {
		return "", fmt.Errorf("encode the status of RoutingTable %s/%s: %w", namespace, name, err)
	}
	force := true
	result := &v1alpha1.RoutingTable{}
	err = c.tables.Patch(types.ApplyYAMLPatchType).
		Namespace(namespace).Resource(routingTables).Name(name).SubResource("status").
		VersionedParams(&metav1.PatchOptions{FieldManager: manager, Force: &force}, metav1.ParameterCodec).
		Body(body).Do(ctx).Into(result)
	if err != nil {
		return "", fmt.Errorf("apply the status of RoutingTable %s/%s: %w", namespace, name, err)
	}
	return result.ResourceVersion, nil
}

// replicaApply leaves out what is empty, so that an entry without a refusal takes the refusal before it away.
func replicaApply(entry *v1alpha1.ReplicaStatus) *applyv1alpha1.ReplicaStatusApplyConfiguration {
	a := applyv1alpha1.ReplicaStatus().WithName(entry.Name)
	if entry.Revision != "" {
		a.WithRevision(entry.Revision)
	}
	if entry.Refused != "" {
		a.WithRefused(entry.Refused)
	}
	if entry.Message != "" {
		a.WithMessage(entry.Message)
	}
	if entry.StorageError != "" {
		a.WithStorageError(entry.StorageError)
	}
	return a
}
