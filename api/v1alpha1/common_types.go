package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Duration is a length of time such as "45s", "10m", "24h" or "1h30m". It is a checked string and not a number:
// a value that does not decode would make every object of the kind unreadable for the operator.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule=`self != "" && self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$')`,messageExpression=`'"' + self + '" is not a length of time; write it like 45s, 10m or 1h30m'`
type Duration string

// LanguageTag is an ISO 639 language with an optional BCP 47 region or script, such as "en", "de" or "pt-BR".
//
// +kubebuilder:validation:MaxLength=35
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$')`,messageExpression=`'"' + self + '" must be a language such as en, de or pt-BR'`
type LanguageTag string

// PhoneNumber is a number in E.164 form: a plus sign, the country code and the subscriber's number, without spaces.
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^\+[1-9][0-9]{6,14}$')`,messageExpression=`'"' + self + '" must be a number such as +14155550100, without spaces'`
type PhoneNumber string

// EmailAddress is an e-mail address. People are compared by it in lower case.
//
// +kubebuilder:validation:MaxLength=254
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[^@\s]+@[^@\s]+$')`,messageExpression=`'"' + self + '" must be an e-mail address such as alice@acme.example'`
type EmailAddress string

// Name names an item inside an object: lower-case letters, digits and dashes.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')`,messageExpression=`'"' + self + '" must be a name such as billing: lower-case letters, digits and dashes'`
type Name string

// HostName is a host of the DNS in lower case, or an address.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule=`!format.dns1123Subdomain().validate(self).hasValue() || isIP(self)`,messageExpression=`'"' + self + '" must be a host name such as mail.acme.example, in lower case and without a port'`
type HostName = string

// HTTPURL is an absolute URL of a web server.
//
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:XValidation:rule=`isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHost() != ""`,messageExpression=`'"' + self + '" must be a URL such as https://server.acme.example/path'`
type HTTPURL = string

// ObjectName names an object of the cluster: lower-case letters, digits, dashes and dots.
//
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule=`!format.dns1123Subdomain().validate(self).hasValue()`,messageExpression=`'"' + self + '" cannot be the name of an object; write lower-case letters, digits, dashes and dots'`
type ObjectName = string

// LocalRef names an object in the same namespace.
type LocalRef struct {
	// name of the object.
	// +required
	Name ObjectName `json:"name"`
}

// SecretKeyRef names one key of a Secret in the same namespace.
type SecretKeyRef struct {
	// name of the Secret.
	// +required
	Name ObjectName `json:"name"`
	// key inside the Secret's data.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[-._a-zA-Z0-9]+$')`,messageExpression=`'"' + self + '" cannot be a key of a Secret; write letters, digits, dashes, dots and underscores'`
	Key string `json:"key"`
}

// Mode turns one behaviour on or off.
//
// +kubebuilder:validation:Enum=Enabled;Disabled
type Mode string

// The values of Mode.
const (
	ModeEnabled  Mode = "Enabled"
	ModeDisabled Mode = "Disabled"
)

// ChannelType is the kind of conversation a Channel carries.
//
// +kubebuilder:validation:Enum=Web;Phone;Email
type ChannelType string

// The values of ChannelType.
const (
	ChannelTypeWeb   ChannelType = "Web"
	ChannelTypePhone ChannelType = "Phone"
	ChannelTypeEmail ChannelType = "Email"
)

// Sentiment is how the customer feels, from best to worst.
//
// +kubebuilder:validation:Enum=Happy;Neutral;Dissatisfied;Angry
type Sentiment string

// The values of Sentiment.
const (
	SentimentHappy        Sentiment = "Happy"
	SentimentNeutral      Sentiment = "Neutral"
	SentimentDissatisfied Sentiment = "Dissatisfied"
	SentimentAngry        Sentiment = "Angry"
)

// HandoffReason is why a conversation went to a human.
//
// +kubebuilder:validation:Enum=HumanRequested;NotUnderstood;NegativeSentiment;ForbiddenTopic;Rule;TurnLimit;ModelFailure;AgentTookOver;CustomerLeft
type HandoffReason string

// The values of HandoffReason.
const (
	// HandoffHumanRequested: the customer asked for a human.
	HandoffHumanRequested HandoffReason = "HumanRequested"
	// HandoffNotUnderstood: the AI could not answer for a number of consecutive turns.
	HandoffNotUnderstood HandoffReason = "NotUnderstood"
	// HandoffNegativeSentiment: the customer's sentiment reached the policy's threshold.
	HandoffNegativeSentiment HandoffReason = "NegativeSentiment"
	// HandoffForbiddenTopic: the message touches a topic the AI must not handle.
	HandoffForbiddenTopic HandoffReason = "ForbiddenTopic"
	// HandoffRule: a rule of the policy matched.
	HandoffRule HandoffReason = "Rule"
	// HandoffTurnLimit: the conversation took more turns with the AI than the policy allows.
	HandoffTurnLimit HandoffReason = "TurnLimit"
	// HandoffModelFailure: the model failed and knowledge alone had no answer.
	HandoffModelFailure HandoffReason = "ModelFailure"
	// HandoffAgentTookOver: an agent took the conversation over from the AI.
	HandoffAgentTookOver HandoffReason = "AgentTookOver"
	// HandoffCustomerLeft: the customer went away with the question open.
	HandoffCustomerLeft HandoffReason = "CustomerLeft"
)

// CommonStatus is the status that every user-written kind shares.
type CommonStatus struct {
	// observedGeneration is the generation of the spec this status speaks of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// conditions say what works and, if something does not, why and how to mend it.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}
