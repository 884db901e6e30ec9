package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Duration is a length of time such as "45s", "10m", "24h" or "1h30m". It is a checked string and not a number:
// a value that does not decode would make every object of the kind unreadable for the operator.
//
// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(h|m|s|ms)){1,4}$`
// +kubebuilder:validation:MaxLength=32
type Duration string

// LanguageTag is an ISO 639 language with an optional BCP 47 region or script, such as "en", "de" or "pt-BR".
//
// +kubebuilder:validation:Pattern=`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`
// +kubebuilder:validation:MaxLength=35
type LanguageTag string

// PhoneNumber is a number in E.164 form: a plus sign, the country code and the subscriber's number, without spaces.
//
// +kubebuilder:validation:Pattern=`^\+[1-9][0-9]{6,14}$`
type PhoneNumber string

// EmailAddress is an e-mail address. People are compared by it in lower case.
//
// +kubebuilder:validation:Pattern=`^[^@\s]+@[^@\s]+$`
// +kubebuilder:validation:MaxLength=254
type EmailAddress string

// Name names an item inside an object: lower-case letters, digits and dashes.
//
// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
// +kubebuilder:validation:MaxLength=63
type Name string

// LocalRef names an object in the same namespace.
type LocalRef struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// SecretKeyRef names one key of a Secret in the same namespace.
type SecretKeyRef struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// key inside the Secret's data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
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
