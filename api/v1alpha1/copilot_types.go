package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KnowledgeSource is a set of documents the AI answers from.
type KnowledgeSource struct {
	// name of the source, shown beside answers.
	// +required
	Name Name `json:"name"`
	// configMapRef names a ConfigMap; each key is a document in Markdown or plain text.
	// +required
	ConfigMapRef LocalRef `json:"configMapRef"`
}

// ModelBudget bounds what the model may cost.
type ModelBudget struct {
	// tokensPerConversation is the number of tokens one conversation may use. Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	TokensPerConversation *int64 `json:"tokensPerConversation,omitempty"`
	// tokensPerDay is the number of tokens the Copilot may use in a day (UTC). Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	TokensPerDay *int64 `json:"tokensPerDay,omitempty"`
}

// Model is an OpenAI-compatible server and the model to use on it.
type Model struct {
	// baseURL of the server up to and without "/chat/completions". Default: https://api.openai.com/v1.
	// +optional
	// +kubebuilder:validation:Pattern=`^https?://[^\s]+$`
	// +kubebuilder:validation:MaxLength=1024
	BaseURL string `json:"baseURL,omitempty"`
	// name of the model.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name"`
	// apiKeySecretRef names the API key. Default: none is sent.
	// +optional
	APIKeySecretRef *SecretKeyRef `json:"apiKeySecretRef,omitempty"`
	// timeout of one call. Default: 10s.
	// +optional
	Timeout Duration `json:"timeout,omitempty"`
	// budget bounds what the model may cost.
	// +optional
	Budget *ModelBudget `json:"budget,omitempty"`
}

// IntercomAssignee is the team or admin that gets the conversations.
type IntercomAssignee struct {
	// teamID in Intercom.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	TeamID string `json:"teamID,omitempty"`
	// adminID in Intercom.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	AdminID string `json:"adminID,omitempty"`
}

// IntercomHelpdesk is an Intercom workspace.
type IntercomHelpdesk struct {
	// region the workspace is hosted in. Default: US.
	// +optional
	// +kubebuilder:validation:Enum=US;EU;AU
	Region string `json:"region,omitempty"`
	// accessTokenSecretRef names the access token.
	// +required
	AccessTokenSecretRef SecretKeyRef `json:"accessTokenSecretRef"`
	// webhookSecretRef names the app's client secret, which signs webhooks.
	// +optional
	WebhookSecretRef *SecretKeyRef `json:"webhookSecretRef,omitempty"`
	// assignTo is the team or admin that gets the conversations. Default: unassigned.
	// +optional
	AssignTo *IntercomAssignee `json:"assignTo,omitempty"`
}

// ZendeskHelpdesk is a Zendesk account.
type ZendeskHelpdesk struct {
	// subdomain of the account: the first part of <subdomain>.zendesk.com.
	// +required
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:MaxLength=63
	Subdomain string `json:"subdomain"`
	// email of the user the API token belongs to.
	// +required
	Email EmailAddress `json:"email"`
	// apiTokenSecretRef names the API token.
	// +required
	APITokenSecretRef SecretKeyRef `json:"apiTokenSecretRef"`
	// webhookSecretRef names the webhook's signing secret.
	// +optional
	WebhookSecretRef *SecretKeyRef `json:"webhookSecretRef,omitempty"`
}

// HelpdeskType is the vendor of a helpdesk.
//
// +kubebuilder:validation:Enum=Intercom;Zendesk
type HelpdeskType string

// The values of HelpdeskType.
const (
	HelpdeskTypeIntercom HelpdeskType = "Intercom"
	HelpdeskTypeZendesk  HelpdeskType = "Zendesk"
)

// Helpdesk is a place outside where humans work.
//
// +kubebuilder:validation:XValidation:rule="self.type != 'Intercom' || has(self.intercom)",message="a helpdesk of type Intercom needs the field intercom"
// +kubebuilder:validation:XValidation:rule="self.type != 'Zendesk' || has(self.zendesk)",message="a helpdesk of type Zendesk needs the field zendesk"
type Helpdesk struct {
	// name of the helpdesk inside the Copilot.
	// +required
	Name Name `json:"name"`
	// type of the helpdesk: Intercom or Zendesk.
	// +required
	Type HelpdeskType `json:"type"`
	// mirror: Note leaves a copy there of conversations worked elsewhere. Default: None.
	// +optional
	// +kubebuilder:validation:Enum=None;Note
	Mirror string `json:"mirror,omitempty"`
	// intercom settings, when type is Intercom.
	// +optional
	Intercom *IntercomHelpdesk `json:"intercom,omitempty"`
	// zendesk settings, when type is Zendesk.
	// +optional
	Zendesk *ZendeskHelpdesk `json:"zendesk,omitempty"`
}

// Webhook receives signed events.
type Webhook struct {
	// name of the webhook inside the Copilot.
	// +required
	Name Name `json:"name"`
	// url that receives the events.
	// +required
	// +kubebuilder:validation:Pattern=`^https?://[^\s]+$`
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url"`
	// events to send, such as conversation.handoff_to_human. Default: all.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	Events []string `json:"events,omitempty"`
	// signingSecretRef names the secret that signs the events (Standard Webhooks).
	// +required
	SigningSecretRef SecretKeyRef `json:"signingSecretRef"`
}

// OIDC is the identity provider of the inbox.
type OIDC struct {
	// issuerURL of the provider.
	// +required
	// +kubebuilder:validation:Pattern=`^https?://[^\s]+$`
	// +kubebuilder:validation:MaxLength=1024
	IssuerURL string `json:"issuerURL"`
	// clientID registered at the provider.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ClientID string `json:"clientID"`
	// clientSecretRef names the client's secret. Default: a public client.
	// +optional
	ClientSecretRef *SecretKeyRef `json:"clientSecretRef,omitempty"`
}

// InboxRole gives people a role in the inbox beyond being an agent of a pool.
type InboxRole struct {
	// role: Agent or Supervisor.
	// +required
	// +kubebuilder:validation:Enum=Agent;Supervisor
	Role string `json:"role"`
	// emails of the people.
	// +optional
	// +kubebuilder:validation:MaxItems=200
	// +listType=set
	Emails []EmailAddress `json:"emails,omitempty"`
	// groups of the identity provider.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=set
	Groups []string `json:"groups,omitempty"`
}

// Inbox is where agents and supervisors work.
type Inbox struct {
	// oidc is the identity provider. Default: links of `kubectl handoff login`.
	// +optional
	OIDC *OIDC `json:"oidc,omitempty"`
	// roles beyond those of the pools.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +listType=atomic
	Roles []InboxRole `json:"roles,omitempty"`
}

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

// Runtime sizes the runtime of a Copilot.
type Runtime struct {
	// replicas of the runtime. Default: 1. Embedded storage allows one.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Replicas *int32 `json:"replicas,omitempty"`
	// resources of the runtime's container. Default: requests of 20m CPU and 32Mi memory.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// image of the runtime. Default: the operator's release.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`
	// imagePullSecrets for the image.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	ImagePullSecrets []LocalRef `json:"imagePullSecrets,omitempty"`
	// upgrade: Automatic follows the operator's release, Manual keeps the image until it is set. Default: Automatic.
	// +optional
	// +kubebuilder:validation:Enum=Automatic;Manual
	Upgrade string `json:"upgrade,omitempty"`
}

// ExposureType says how the runtime is reached from outside the cluster.
//
// +kubebuilder:validation:Enum=None;Ingress;Gateway
type ExposureType string

// The values of ExposureType.
const (
	ExposureNone    ExposureType = "None"
	ExposureIngress ExposureType = "Ingress"
	ExposureGateway ExposureType = "Gateway"
)

// IngressExposure configures an Ingress.
type IngressExposure struct {
	// className of the Ingress. Default: the cluster's default class.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ClassName *string `json:"className,omitempty"`
	// tlsSecretRef names the certificate. Default: no TLS at the Ingress.
	// +optional
	TLSSecretRef *LocalRef `json:"tlsSecretRef,omitempty"`
	// annotations of the Ingress.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// GatewayExposure configures an HTTPRoute.
type GatewayExposure struct {
	// name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// namespace of the Gateway. Default: the Copilot's.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// sectionName of the Gateway's listener. Default: any that fits.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SectionName string `json:"sectionName,omitempty"`
}

// Exposure says how the runtime is reached from outside the cluster.
//
// +kubebuilder:validation:XValidation:rule="!has(self.type) || self.type != 'Gateway' || has(self.gateway)",message="exposure of type Gateway needs the field gateway: {name: ...}"
type Exposure struct {
	// type of the exposure. Default: None.
	// +optional
	Type ExposureType `json:"type,omitempty"`
	// host name under which customers and agents reach the runtime.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Host string `json:"host,omitempty"`
	// ingress settings, when type is Ingress.
	// +optional
	Ingress *IngressExposure `json:"ingress,omitempty"`
	// gateway settings, when type is Gateway.
	// +optional
	Gateway *GatewayExposure `json:"gateway,omitempty"`
	// trustedProxies are the networks (CIDR) whose X-Forwarded-* headers are believed. Default: none.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	TrustedProxies []string `json:"trustedProxies,omitempty"`
}

// CopilotSpec is a tenant: an AI support agent.
type CopilotSpec struct {
	// displayName is what customers see. Default: the object's name.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`
	// language of the AI where the customer's is not known. Default: en.
	// +optional
	Language LanguageTag `json:"language,omitempty"`
	// instructions for the model.
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	Instructions string `json:"instructions,omitempty"`
	// knowledge the AI answers from.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=map
	// +listMapKey=name
	Knowledge []KnowledgeSource `json:"knowledge,omitempty"`
	// model of an OpenAI-compatible server. Default: none; answers come from knowledge only.
	// +optional
	Model *Model `json:"model,omitempty"`
	// policyRef names the HandoffPolicy. Default: none; the Copilot never hands off.
	// +optional
	PolicyRef *LocalRef `json:"policyRef,omitempty"`
	// helpdesks outside where humans work.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=map
	// +listMapKey=name
	Helpdesks []Helpdesk `json:"helpdesks,omitempty"`
	// webhooks that receive signed events.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=name
	Webhooks []Webhook `json:"webhooks,omitempty"`
	// inbox where agents and supervisors work.
	// +optional
	Inbox *Inbox `json:"inbox,omitempty"`
	// storage of conversations.
	// +optional
	Storage *Storage `json:"storage,omitempty"`
	// retention of conversations.
	// +optional
	Retention *Retention `json:"retention,omitempty"`
	// redaction of personal data in texts sent out. Cards, bank accounts and passwords are always redacted.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=set
	Redaction []RedactionKind `json:"redaction,omitempty"`
	// runtime sizes the runtime.
	// +optional
	Runtime *Runtime `json:"runtime,omitempty"`
	// exposure says how the runtime is reached from outside the cluster.
	// +optional
	Exposure *Exposure `json:"exposure,omitempty"`
}

// CopilotStatus is what the operator found about a Copilot.
type CopilotStatus struct {
	CommonStatus `json:",inline"`
	// tableRevision is the revision of the routing table compiled from the current objects.
	// +optional
	TableRevision string `json:"tableRevision,omitempty"`
	// replicas is how many runtime replicas are there.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// acknowledged is how many of them acknowledged tableRevision.
	// +optional
	Acknowledged int32 `json:"acknowledged,omitempty"`
	// channels is how many Channels are part of the table.
	// +optional
	Channels int32 `json:"channels,omitempty"`
}

// Copilot is a tenant: an AI support agent that hands conversations to humans.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=cop,categories=handoff
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Channels",type=integer,JSONPath=`.status.channels`
// +kubebuilder:printcolumn:name="Table",type=string,priority=1,JSONPath=`.status.tableRevision`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Copilot struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec CopilotSpec `json:"spec"`
	// +optional
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Pending", message: "The operator has not looked at this object yet.", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status CopilotStatus `json:"status,omitempty"`
}

// CopilotList is a list of Copilots.
//
// +kubebuilder:object:root=true
type CopilotList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Copilot `json:"items"`
}
