package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// RoutingTableSpec is the compiled table of one Copilot.
type RoutingTableSpec struct {
	// formatVersion of table. A runtime refuses a version it does not know.
	// +required
	// +kubebuilder:validation:Minimum=1
	FormatVersion int32 `json:"formatVersion"`
	// revision is a hash of table: the same content has the same revision.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Revision string `json:"revision"`
	// table as internal/routing.Table. It is written and read as a whole.
	// +required
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +mapType=atomic
	Table runtime.RawExtension `json:"table"`
}

// ReplicaStatus is what one runtime replica says about the table.
type ReplicaStatus struct {
	// name of the replica's pod.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// revision of the table the replica serves.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Revision string `json:"revision,omitempty"`
	// refused is the revision the replica refused, if the newest one cannot be used.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Refused string `json:"refused,omitempty"`
	// message says why a table was refused.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
	// storageError says why the replica cannot use its storage and tells customers to try again. It is absent while it can.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	StorageError string `json:"storageError,omitempty"`
}

// RoutingTableStatus carries each replica's acknowledged revision.
type RoutingTableStatus struct {
	// replicas of the runtime; each applies its own entry.
	// +optional
	// +listType=map
	// +listMapKey=name
	Replicas []ReplicaStatus `json:"replicas,omitempty"`
}

// RoutingTable is the compiled table of one Copilot. The operator writes it; users do not.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=rt,categories=handoff
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.spec.revision`
// +kubebuilder:printcolumn:name="Acknowledged",type=string,JSONPath=`.status.replicas[*].revision`
// +kubebuilder:printcolumn:name="Refused",type=string,JSONPath=`.status.replicas[?(@.refused)].refused`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.replicas[?(@.message)].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type RoutingTable struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec RoutingTableSpec `json:"spec"`
	// +optional
	Status RoutingTableStatus `json:"status,omitempty"`
}

// RoutingTableList is a list of RoutingTables.
//
// +kubebuilder:object:root=true
type RoutingTableList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []RoutingTable `json:"items"`
}
