package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// StorageType says where conversations are kept.
//
// +kubebuilder:validation:Enum=Embedded;Postgres
type StorageType string

// The values of StorageType.
const (
	// StorageEmbedded is SQLite on a volume, for one replica.
	StorageEmbedded StorageType = "Embedded"
	// StoragePostgres is a PostgreSQL database, for any number of replicas.
	StoragePostgres StorageType = "Postgres"
)

// WhenDeleted says what happens to embedded storage when the Copilot is deleted.
//
// +kubebuilder:validation:Enum=Retain;Delete
type WhenDeleted string

// The values of WhenDeleted.
const (
	WhenDeletedRetain WhenDeleted = "Retain"
	WhenDeletedDelete WhenDeleted = "Delete"
)

// EmbeddedStorage is a volume of the runtime's own.
type EmbeddedStorage struct {
	// size of the volume. Default: 1Gi.
	// +optional
	Size *resource.Quantity `json:"size,omitempty"`
	// storageClassName of the volume. Default: the cluster's default class.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	StorageClassName *string `json:"storageClassName,omitempty"`
	// whenDeleted says what happens to the volume's claim when the Copilot is deleted. Default: Retain.
	// +optional
	WhenDeleted WhenDeleted `json:"whenDeleted,omitempty"`
}

// PostgresStorage is a PostgreSQL database.
type PostgresStorage struct {
	// dsnSecretRef names a connection string, such as the key uri of CloudNativePG's <cluster>-app Secret.
	// +required
	DSNSecretRef SecretKeyRef `json:"dsnSecretRef"`
}

// Storage says where conversations are kept. The type is immutable.
//
// +kubebuilder:validation:XValidation:rule="!has(self.type) || self.type != 'Postgres' || has(self.postgres)",message="storage of type Postgres needs the field postgres: {dsnSecretRef: {name: ..., key: ...}}"
type Storage struct {
	// type of the storage. Default: Embedded.
	// +optional
	Type StorageType `json:"type,omitempty"`
	// embedded settings, when type is Embedded.
	// +optional
	Embedded *EmbeddedStorage `json:"embedded,omitempty"`
	// postgres settings, when type is Postgres.
	// +optional
	Postgres *PostgresStorage `json:"postgres,omitempty"`
}

// Retention says how long data is kept.
type Retention struct {
	// closedConversations are erased this long after they were closed. Default: never.
	// +optional
	ClosedConversations Duration `json:"closedConversations,omitempty"`
}

// RedactionKind is a kind of personal data.
//
// +kubebuilder:validation:Enum=Email;Phone;Name;Address;IPAddress
type RedactionKind string
