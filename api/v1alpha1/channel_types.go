package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// WebIdentity is how a site proves who its customer is.
type WebIdentity struct {
	// jwtSecretRef names the key that signs the customer's identity (HS256). Without it customer.verified is false.
	// +required
	JWTSecretRef SecretKeyRef `json:"jwtSecretRef"`
}

// Origin is the scheme, host and port of web pages.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^https?://[^/?#@*\s]+$') && isURL(self)`,messageExpression=`'"' + self + '" must be an origin such as https://www.acme.example, without a path'`
type Origin = string

// WebChannel is a chat widget on web pages.
type WebChannel struct {
	// token names the Channel in the widget. It is public, never a credential. Default: generated, in status.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[A-Za-z0-9_.-]{8,128}$')`,messageExpression=`'"' + self + '" must be 8 to 128 letters, digits, dots, dashes or underscores'`
	Token string `json:"token,omitempty"`
	// allowedOrigins of the pages that embed the widget, such as "https://www.acme.example". Default: none.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=set
	AllowedOrigins []Origin `json:"allowedOrigins,omitempty"`
	// initialMessage greets the customer.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	InitialMessage string `json:"initialMessage,omitempty"`
	// identity says how the site proves who its customer is.
	// +optional
	Identity *WebIdentity `json:"identity,omitempty"`
}

// HandoffNumber is the number of a human agent or of a line of agents.
type HandoffNumber struct {
	// name of the number inside the Channel.
	// +required
	Name Name `json:"name"`
	// number to transfer calls to.
	// +required
	Number PhoneNumber `json:"number"`
	// agent whose number this is, by name in a pool. Default: none; the number is a line.
	// +optional
	Agent Name `json:"agent,omitempty"`
}

// PhoneHandoff says how a call reaches a human.
//
// +kubebuilder:validation:XValidation:rule=`self.?agentNumbers.orValue('First') != 'Never' || size(self.?numbers.orValue([])) > 0`,messageExpression=`'agentNumbers: Never without numbers rings nobody; list numbers, or use First'`,fieldPath=`.numbers`
type PhoneHandoff struct {
	// numbers of the humans, tried in order.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:XValidation:rule=`self.all(a, self.exists_one(b, b.number == a.number))`,messageExpression=`'"' + self[self.transformList(i, a, !self.exists_one(b, b.number == a.number), i)[0]].number + '" is listed twice; keep one'`
	Numbers []HandoffNumber `json:"numbers,omitempty"`
	// agentNumbers: First rings the routed agent's own phone before numbers; Never does not. Default: First.
	// +optional
	// +kubebuilder:validation:Enum=First;Never
	AgentNumbers string `json:"agentNumbers,omitempty"`
	// ringTimeout is how long a number rings. Default: 25s.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('1s') && duration(self) <= duration('10m')`,messageExpression=`'"' + self + '" must be from 1s to 10m'`
	RingTimeout Duration `json:"ringTimeout,omitempty"`
	// briefing is what the human hears before being connected. Default: Summary.
	// +optional
	// +kubebuilder:validation:Enum=Summary;None
	Briefing string `json:"briefing,omitempty"`
}

// TwilioProvider holds the credentials of a Twilio account.
type TwilioProvider struct {
	// accountSIDSecretRef names the account's SID.
	// +required
	AccountSIDSecretRef SecretKeyRef `json:"accountSIDSecretRef"`
	// authTokenSecretRef names the account's auth token.
	// +required
	AuthTokenSecretRef SecretKeyRef `json:"authTokenSecretRef"`
}

// PhoneChannel is a phone number that the AI answers.
//
// +kubebuilder:validation:XValidation:rule=`self.provider != 'Twilio' || has(self.twilio)`,messageExpression=`'the provider Twilio needs the field twilio: {accountSIDSecretRef: ..., authTokenSecretRef: ...}'`
// +kubebuilder:validation:XValidation:rule=`!has(self.handoff) || !has(self.handoff.numbers) || !self.handoff.numbers.exists(n, n.number == self.number)`,messageExpression=`'"' + self.number + '" is the number of the Channel itself, which would ring itself; name the number of a human'`,fieldPath=`.handoff`
type PhoneChannel struct {
	// number that customers call.
	// +required
	Number PhoneNumber `json:"number"`
	// handoff says how a call reaches a human.
	// +optional
	Handoff *PhoneHandoff `json:"handoff,omitempty"`
	// provider of the number.
	// +required
	// +kubebuilder:validation:Enum=Twilio
	Provider string `json:"provider"`
	// twilio holds the credentials, when the provider is Twilio.
	// +optional
	Twilio *TwilioProvider `json:"twilio,omitempty"`
}

// IMAPInbound fetches mail from an IMAP server.
type IMAPInbound struct {
	// host of the server.
	// +required
	Host HostName `json:"host"`
	// port of the server. Default: 993.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// tls: Implicit or StartTLS. Default: Implicit.
	// +optional
	// +kubebuilder:validation:Enum=Implicit;StartTLS
	TLS string `json:"tls,omitempty"`
	// secretRef names a Secret with the keys username and password.
	// +required
	SecretRef LocalRef `json:"secretRef"`
}

// EmailInbound says how mail arrives.
//
// +kubebuilder:validation:XValidation:rule=`(self.type == 'IMAP') == has(self.imap)`,messageExpression=`self.type == 'IMAP' ? 'inbound of type IMAP needs the field imap' : 'inbound of type ' + self.type + ' has no imap; remove it, or use type IMAP'`,fieldPath=`.imap`
type EmailInbound struct {
	// type: IMAP fetches from a mailbox; with SMTP the runtime listens and mail is forwarded to it.
	// +required
	// +kubebuilder:validation:Enum=IMAP;SMTP
	Type string `json:"type"`
	// imap server to fetch from, when type is IMAP.
	// +optional
	IMAP *IMAPInbound `json:"imap,omitempty"`
}

// SMTPOutbound is the server that sends our mail.
type SMTPOutbound struct {
	// host of the server.
	// +required
	Host HostName `json:"host"`
	// port of the server. Default: 587.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// tls: Implicit or StartTLS. Default: StartTLS.
	// +optional
	// +kubebuilder:validation:Enum=Implicit;StartTLS
	TLS string `json:"tls,omitempty"`
	// secretRef names a Secret with the keys username and password. Default: no authentication.
	// +optional
	SecretRef *LocalRef `json:"secretRef,omitempty"`
}

// DKIM signs outgoing mail.
type DKIM struct {
	// selector of the DNS record.
	// +required
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-zA-Z0-9]([-a-zA-Z0-9_.]*[a-zA-Z0-9])?$')`,messageExpression=`'"' + self + '" must be a selector of DKIM such as s1: letters, digits, dashes, dots and underscores'`
	Selector string `json:"selector"`
	// keySecretRef names the private key in PEM.
	// +required
	KeySecretRef SecretKeyRef `json:"keySecretRef"`
}

// EmailOutbound says how mail leaves.
type EmailOutbound struct {
	// smtp server that sends our mail.
	// +required
	SMTP SMTPOutbound `json:"smtp"`
	// dkim signs outgoing mail. Default: unsigned.
	// +optional
	DKIM *DKIM `json:"dkim,omitempty"`
}

// EmailChannel is a mailbox that the AI answers or drafts for.
type EmailChannel struct {
	// address of the mailbox.
	// +required
	Address EmailAddress `json:"address"`
	// mode: with Answer the AI replies; with Assist it drafts and a human sends. Default: Answer.
	// +optional
	// +kubebuilder:validation:Enum=Answer;Assist
	Mode string `json:"mode,omitempty"`
	// inbound says how mail arrives.
	// +required
	Inbound EmailInbound `json:"inbound"`
	// outbound says how mail leaves.
	// +required
	Outbound EmailOutbound `json:"outbound"`
}

// ChannelSpec says which Copilot a Channel belongs to and what it carries.
//
// +kubebuilder:validation:XValidation:rule=`self.type == 'Web' || !has(self.web)`,messageExpression=`'a Channel of type ' + self.type + ' has no web; remove it, or write a Channel of its own'`,fieldPath=`.web`
// +kubebuilder:validation:XValidation:rule=`(self.type == 'Phone') == has(self.phone)`,messageExpression=`self.type == 'Phone' ? 'a Channel of type Phone needs the field phone' : 'a Channel of type ' + self.type + ' has no phone; remove it, or write a Channel of its own'`,fieldPath=`.phone`
// +kubebuilder:validation:XValidation:rule=`(self.type == 'Email') == has(self.email)`,messageExpression=`self.type == 'Email' ? 'a Channel of type Email needs the field email' : 'a Channel of type ' + self.type + ' has no email; remove it, or write a Channel of its own'`,fieldPath=`.email`
type ChannelSpec struct {
	// copilotRef names the Copilot.
	// +required
	CopilotRef LocalRef `json:"copilotRef"`
	// type of the Channel: Web, Phone or Email.
	// +required
	Type ChannelType `json:"type"`
	// web settings, when type is Web.
	// +optional
	Web *WebChannel `json:"web,omitempty"`
	// phone settings, when type is Phone.
	// +optional
	Phone *PhoneChannel `json:"phone,omitempty"`
	// email settings, when type is Email.
	// +optional
	Email *EmailChannel `json:"email,omitempty"`
}

// ChannelStatus is what the operator found about a Channel.
type ChannelStatus struct {
	CommonStatus `json:",inline"`
	// token that names a Web channel in the widget: spec.web.token, or the generated one.
	// +optional
	Token string `json:"token,omitempty"`
	// address at which the Channel is served, as far as the operator knows it.
	// +optional
	Address string `json:"address,omitempty"`
}

// Channel gives a Copilot a web widget, a phone number or a mailbox.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=chan,categories=handoff
// +kubebuilder:selectablefield:JSONPath=`.spec.copilotRef.name`
// +kubebuilder:selectablefield:JSONPath=`.spec.type`
// +kubebuilder:selectablefield:JSONPath=`.spec.phone.number`
// +kubebuilder:selectablefield:JSONPath=`.spec.email.address`
// +kubebuilder:selectablefield:JSONPath=`.status.token`
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Copilot",type=string,JSONPath=`.spec.copilotRef.name`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Token",type=string,priority=1,JSONPath=`.status.token`
// +kubebuilder:printcolumn:name="Address",type=string,priority=1,JSONPath=`.status.address`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Channel struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec ChannelSpec `json:"spec"`
	// +optional
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Pending", message: "The operator has not looked at this object yet.", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status ChannelStatus `json:"status,omitempty"`
}

// ChannelList is a list of Channels.
//
// +kubebuilder:object:root=true
type ChannelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Channel `json:"items"`
}
