// Package v1alpha1 holds the kinds that users of handoff-operator write (Copilot, Channel, HandoffPolicy,
// AgentPool) and the one the operator writes (RoutingTable).
//
// References never leave the namespace of the object that holds them. Every optional field says its default; the
// defaults are applied by internal/routing.Compile, so that a manifest means the same with and without an API server.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="../applyconfiguration"
// +groupName=handoff.opencopilot.so
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of every kind in this package.
var GroupVersion = schema.GroupVersion{Group: "handoff.opencopilot.so", Version: "v1alpha1"}

// SchemeGroupVersion is GroupVersion under the name that generated code expects.
var SchemeGroupVersion = GroupVersion

var (
	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)
	// AddToScheme adds the kinds of this package to a scheme.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&Copilot{}, &CopilotList{},
		&Channel{}, &ChannelList{},
		&HandoffPolicy{}, &HandoffPolicyList{},
		&AgentPool{}, &AgentPoolList{},
		&RoutingTable{}, &RoutingTableList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// Resource returns the group-qualified resource for a plural name, such as "copilots".
func Resource(resource string) schema.GroupResource {
	return GroupVersion.WithResource(resource).GroupResource()
}
