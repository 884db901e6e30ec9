package v1alpha1

// HumanRequestTrigger hands off when the customer asks for a human.
type HumanRequestTrigger struct {
	// mode turns the trigger on or off. Default: Enabled.
	// +optional
	Mode Mode `json:"mode,omitempty"`
}

// NotUnderstoodTrigger hands off when the AI cannot answer.
type NotUnderstoodTrigger struct {
	// mode turns the trigger on or off. Default: Enabled.
	// +optional
	Mode Mode `json:"mode,omitempty"`
	// turns is how many consecutive turns without an answer it takes. Default: 2.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	Turns int32 `json:"turns,omitempty"`
}

// SentimentTrigger hands off when the customer's sentiment reaches a threshold.
type SentimentTrigger struct {
	// mode turns the trigger on or off. Default: Enabled.
	// +optional
	Mode Mode `json:"mode,omitempty"`
	// threshold is the mildest sentiment that hands off. Default: Angry.
	// +optional
	// +kubebuilder:validation:Enum=Dissatisfied;Angry
	Threshold Sentiment `json:"threshold,omitempty"`
}

// ModelFailureTrigger hands off when the model fails and knowledge alone has no answer.
type ModelFailureTrigger struct {
	// mode turns the trigger on or off. Default: Enabled.
	// +optional
	Mode Mode `json:"mode,omitempty"`
}

// TurnLimitTrigger hands off when a conversation takes too many turns with the AI.
type TurnLimitTrigger struct {
	// turns is the number of the customer's messages the AI may answer.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	Turns int32 `json:"turns"`
}

// ForbiddenTopic is a topic the AI must not handle.
//
// +kubebuilder:validation:XValidation:rule=`size(self.?keywords.orValue([])) > 0 || self.?description.orValue("") != ""`,messageExpression=`'topic "' + self.name + '" can never be found; list its keywords, or describe it for the model'`
type ForbiddenTopic struct {
	// name of the topic.
	// +required
	Name Name `json:"name"`
	// description of the topic, read by the model.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`
	// keywords: any of these words or phrases in a message is the topic.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	Keywords []string `json:"keywords,omitempty"`
}

// Rule hands off when a CEL expression over the facts of a conversation is true.
type Rule struct {
	// name of the rule.
	// +required
	Name Name `json:"name"`
	// expression in CEL over customer, channel, turns, message, sentiment, issueType, language, reason and now.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Expression string `json:"expression"`
}

// Triggers say when a human must take over. humanRequest, notUnderstood, sentiment and modelFailure are on unless
// their mode is Disabled.
type Triggers struct {
	// humanRequest: the customer asks for a human.
	// +optional
	HumanRequest *HumanRequestTrigger `json:"humanRequest,omitempty"`
	// notUnderstood: the AI could not answer for a number of consecutive turns.
	// +optional
	NotUnderstood *NotUnderstoodTrigger `json:"notUnderstood,omitempty"`
	// sentiment: the customer is dissatisfied or angry.
	// +optional
	Sentiment *SentimentTrigger `json:"sentiment,omitempty"`
	// modelFailure: the model failed and knowledge alone has no answer.
	// +optional
	ModelFailure *ModelFailureTrigger `json:"modelFailure,omitempty"`
	// turnLimit: too many turns with the AI. Default: no limit.
	// +optional
	TurnLimit *TurnLimitTrigger `json:"turnLimit,omitempty"`
	// forbiddenTopics the AI must not handle.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=map
	// +listMapKey=name
	ForbiddenTopics []ForbiddenTopic `json:"forbiddenTopics,omitempty"`
	// rules of the tenant's own.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=map
	// +listMapKey=name
	Rules []Rule `json:"rules,omitempty"`
}
