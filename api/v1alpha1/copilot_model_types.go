package v1alpha1

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
	// +kubebuilder:validation:XValidation:rule=`!self.endsWith('/chat/completions')`,messageExpression=`'"' + self + '" ends with /chat/completions, which is added; leave it out'`
	BaseURL HTTPURL `json:"baseURL,omitempty"`
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
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('100ms') && duration(self) <= duration('10m')`,messageExpression=`'"' + self + '" must be from 100ms to 10m'`
	Timeout Duration `json:"timeout,omitempty"`
	// budget bounds what the model may cost.
	// +optional
	Budget *ModelBudget `json:"budget,omitempty"`
}
