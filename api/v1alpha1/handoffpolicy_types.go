package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// HandoffPolicySpec says when a human must take over, who, and what the customer is told.
//
// +kubebuilder:validation:XValidation:rule=`!has(self.routes) || !self.routes.exists(r, has(r.match) && has(r.match.issueTypes) && r.match.issueTypes.exists(n, !(has(self.issueTypes) && self.issueTypes.exists(t, t.name == n))))`,messageExpression=`'"' + self.routes[self.routes.transformList(i, r, has(r.match) && has(r.match.issueTypes) && r.match.issueTypes.exists(n, !(has(self.issueTypes) && self.issueTypes.exists(t, t.name == n))), i)[0]].match.issueTypes[self.routes[self.routes.transformList(i, r, has(r.match) && has(r.match.issueTypes) && r.match.issueTypes.exists(n, !(has(self.issueTypes) && self.issueTypes.exists(t, t.name == n))), i)[0]].match.issueTypes.transformList(j, n, !(has(self.issueTypes) && self.issueTypes.exists(t, t.name == n)), j)[0]] + '" is none of spec.issueTypes; add it there or correct the name'`,fieldPath=`.routes`
type HandoffPolicySpec struct {
	// triggers say when a human must take over.
	// +optional
	Triggers *Triggers `json:"triggers,omitempty"`
	// issueTypes that routes and skills speak of.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=map
	// +listMapKey=name
	IssueTypes []IssueType `json:"issueTypes,omitempty"`
	// priorities are added up; one point is one minute of waiting.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=map
	// +listMapKey=name
	Priorities []Priority `json:"priorities,omitempty"`
	// routes: the first that matches is used. Default: the Copilot's first helpdesk.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:XValidation:rule=`self.filter(r, r.?match.?issueTypes.orValue([]).size() + r.?match.?channelTypes.orValue([]).size() + r.?match.?channels.orValue([]).size() + r.?match.?languages.orValue([]).size() + r.?match.?reasons.orValue([]).size() == 0 && r.?match.?expression.orValue("") == "").all(r, r.name == self[self.size() - 1].name)`,messageExpression=`'route "' + self[self.size() - 1].name + '" is never reached: "' + self[self.transformList(i, r, r.?match.?issueTypes.orValue([]).size() + r.?match.?channelTypes.orValue([]).size() + r.?match.?channels.orValue([]).size() + r.?match.?languages.orValue([]).size() + r.?match.?reasons.orValue([]).size() == 0 && r.?match.?expression.orValue("") == "", i)[0]].name + '" before it matches everything; move that one to the end'`
	Routes []Route `json:"routes,omitempty"`
	// unavailable says what to do when nobody is there. Default: wait in the queue.
	// +optional
	Unavailable *Unavailable `json:"unavailable,omitempty"`
	// returnToAI says when the AI takes over again.
	// +optional
	ReturnToAI *ReturnToAI `json:"returnToAI,omitempty"`
	// messages the customer is told.
	// +optional
	// +kubebuilder:validation:MaxItems=200
	// +listType=atomic
	Messages []Message `json:"messages,omitempty"`
}

// HandoffPolicyStatus is what the operator found about a HandoffPolicy.
type HandoffPolicyStatus struct {
	CommonStatus `json:",inline"`
	// copilots are the names of the Copilots that use the policy, sorted.
	// +optional
	// +listType=set
	Copilots []string `json:"copilots,omitempty"`
}

// HandoffPolicy says when a human must take over, and who.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=hp,path=handoffpolicies,categories=handoff
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Copilots",type=string,priority=1,JSONPath=`.status.copilots`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type HandoffPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec HandoffPolicySpec `json:"spec"`
	// +optional
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Pending", message: "The operator has not looked at this object yet.", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status HandoffPolicyStatus `json:"status,omitempty"`
}

// HandoffPolicyList is a list of HandoffPolicies.
//
// +kubebuilder:object:root=true
type HandoffPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []HandoffPolicy `json:"items"`
}
