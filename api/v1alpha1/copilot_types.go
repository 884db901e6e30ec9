package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// CopilotSpec is a tenant: an AI support agent.
//
// +kubebuilder:validation:XValidation:rule=`(!has(self.storage) || !has(self.storage.type) || self.storage.type == 'Embedded') == (!has(oldSelf.storage) || !has(oldSelf.storage.type) || oldSelf.storage.type == 'Embedded')`,messageExpression=`(!has(self.storage) || !has(self.storage.type) || self.storage.type == 'Embedded') ? 'the type of storage cannot change from Postgres to Embedded; export the conversations and import them into a new Copilot' : 'the type of storage cannot change from Embedded to Postgres; export the conversations and import them into a new Copilot'`,fieldPath=`.storage`
// +kubebuilder:validation:XValidation:rule=`!(!has(self.storage) || !has(self.storage.type) || self.storage.type == 'Embedded') || !(!has(oldSelf.storage) || !has(oldSelf.storage.type) || oldSelf.storage.type == 'Embedded') || !quantity((has(self.storage) && has(self.storage.embedded) && has(self.storage.embedded.size) ? string(self.storage.embedded.size) : '1Gi')).isLessThan(quantity((has(oldSelf.storage) && has(oldSelf.storage.embedded) && has(oldSelf.storage.embedded.size) ? string(oldSelf.storage.embedded.size) : '1Gi')))`,messageExpression=`'the volume cannot shrink to ' + (has(self.storage) && has(self.storage.embedded) && has(self.storage.embedded.size) ? string(self.storage.embedded.size) : '1Gi') + '; keep its size, or make it larger'`,fieldPath=`.storage`
// +kubebuilder:validation:XValidation:rule=`!(!has(self.storage) || !has(self.storage.type) || self.storage.type == 'Embedded') || !(!has(oldSelf.storage) || !has(oldSelf.storage.type) || oldSelf.storage.type == 'Embedded') || (has(self.storage) && has(self.storage.embedded) && has(self.storage.embedded.storageClassName) ? self.storage.embedded.storageClassName : "") == (has(oldSelf.storage) && has(oldSelf.storage.embedded) && has(oldSelf.storage.embedded.storageClassName) ? oldSelf.storage.embedded.storageClassName : "")`,messageExpression=`'the storageClassName of a volume cannot change to "' + (has(self.storage) && has(self.storage.embedded) && has(self.storage.embedded.storageClassName) ? self.storage.embedded.storageClassName : "") + '"; keep it, or make a new Copilot'`,fieldPath=`.storage`
// +kubebuilder:validation:XValidation:rule=`!(!has(self.storage) || !has(self.storage.type) || self.storage.type == 'Embedded') || !has(self.runtime) || !has(self.runtime.replicas) || self.runtime.replicas <= 1`,messageExpression=`(self.runtime.replicas == 2 ? '2' : self.runtime.replicas == 3 ? '3' : 'several') + ' replicas cannot share embedded storage; use 1, or storage of type Postgres'`,fieldPath=`.runtime`
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
	// selector finds the runtime's pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`
	// runtimeImage is the image that the runtime's Deployment runs.
	// +optional
	RuntimeImage string `json:"runtimeImage,omitempty"`
	// url under which customers and agents reach the runtime from outside, where spec.exposure says so.
	// +optional
	URL string `json:"url,omitempty"`
	// channels is how many Channels are part of the table.
	// +optional
	Channels int32 `json:"channels,omitempty"`
}

// Copilot is a tenant: an AI support agent that hands conversations to humans.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.runtime.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=cop,categories=handoff
// +kubebuilder:selectablefield:JSONPath=`.spec.policyRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.storage.type`
// +kubebuilder:selectablefield:JSONPath=`.spec.exposure.host`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Channels",type=integer,JSONPath=`.status.channels`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.status.replicas`
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Image",type=string,priority=1,JSONPath=`.status.runtimeImage`
// +kubebuilder:printcolumn:name="Table",type=string,priority=1,JSONPath=`.status.tableRevision`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
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
