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
	// +kubebuilder:validation:XValidation:rule=`!isQuantity(string(self)) || quantity(string(self)).isGreaterThan(quantity('0'))`,messageExpression=`'"' + string(self) + '" is no size of a volume; use one such as 1Gi'`
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
// +kubebuilder:validation:XValidation:rule=`(self.?type.orValue('Embedded') == 'Postgres') == has(self.postgres)`,messageExpression=`has(self.postgres) ? 'storage of type Embedded has no postgres; set type: Postgres, or remove it' : 'storage of type Postgres needs the field postgres: {dsnSecretRef: {name: ..., key: ...}}'`,fieldPath=`.postgres`
// +kubebuilder:validation:XValidation:rule=`self.?type.orValue('Embedded') == 'Embedded' || !has(self.embedded)`,messageExpression=`'storage of type Postgres has no embedded; remove it'`,fieldPath=`.embedded`
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
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('1s') && duration(self) <= duration('87600h')`,messageExpression=`'"' + self + '" must be from 1s to 87600h'`
	ClosedConversations Duration `json:"closedConversations,omitempty"`
}

// RedactionKind is a kind of personal data.
//
// +kubebuilder:validation:Enum=Email;Phone;Name;Address;IPAddress
type RedactionKind string
