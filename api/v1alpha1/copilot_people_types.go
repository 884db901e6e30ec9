package v1alpha1

// IntercomAssignee is the team or admin that gets the conversations.
//
// +kubebuilder:validation:XValidation:rule=`!has(self.teamID) || !has(self.adminID)`,messageExpression=`'teamID "' + self.teamID + '" and adminID "' + self.adminID + '" exclude each other; keep one'`
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
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')`,messageExpression=`'"' + self + '" must be the first part of <subdomain>.zendesk.com, such as acme'`
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
// +kubebuilder:validation:XValidation:rule=`(self.type == 'Intercom') == has(self.intercom)`,messageExpression=`self.type == 'Intercom' ? 'a helpdesk of type Intercom needs the field intercom' : 'a helpdesk of type ' + self.type + ' has no intercom; remove it, or list another helpdesk'`,fieldPath=`.intercom`
// +kubebuilder:validation:XValidation:rule=`(self.type == 'Zendesk') == has(self.zendesk)`,messageExpression=`self.type == 'Zendesk' ? 'a helpdesk of type Zendesk needs the field zendesk' : 'a helpdesk of type ' + self.type + ' has no zendesk; remove it, or list another helpdesk'`,fieldPath=`.zendesk`
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

// EventName is a type of event.
//
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)+$')`,messageExpression=`'"' + self + '" must be a type of event such as conversation.handoff_to_human'`
type EventName = string

// Webhook receives signed events.
type Webhook struct {
	// name of the webhook inside the Copilot.
	// +required
	Name Name `json:"name"`
	// url that receives the events.
	// +required
	URL HTTPURL `json:"url"`
	// events to send, such as conversation.handoff_to_human. Default: all.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +listType=set
	Events []EventName `json:"events,omitempty"`
	// signingSecretRef names the secret that signs the events (Standard Webhooks).
	// +required
	SigningSecretRef SecretKeyRef `json:"signingSecretRef"`
}

// OIDC is the identity provider of the inbox.
type OIDC struct {
	// issuerURL of the provider.
	// +required
	IssuerURL HTTPURL `json:"issuerURL"`
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
//
// +kubebuilder:validation:XValidation:rule=`size(self.?emails.orValue([])) + size(self.?groups.orValue([])) > 0`,messageExpression=`'the role ' + self.role + ' is given to nobody; list emails or groups'`
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
//
// +kubebuilder:validation:XValidation:rule=`has(self.oidc) || !has(self.roles) || self.roles.all(r, size(r.?groups.orValue([])) == 0)`,messageExpression=`'groups come from an identity provider; set inbox.oidc, or list emails'`,fieldPath=`.roles`
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
