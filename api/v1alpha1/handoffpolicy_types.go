package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// IssueType is a type of issue that routes and skills speak of.
type IssueType struct {
	// name of the type of issue.
	// +required
	Name Name `json:"name"`
	// description of what belongs to it.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`
	// keywords that speak for it.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	Keywords []string `json:"keywords,omitempty"`
}

// Priority adds points to conversations that match. One point counts as one minute of waiting.
type Priority struct {
	// name of the priority.
	// +required
	Name Name `json:"name"`
	// expression in CEL over the same facts as rules.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Expression string `json:"expression"`
	// add is the number of points.
	// +required
	// +kubebuilder:validation:Minimum=-10000
	// +kubebuilder:validation:Maximum=10000
	Add int32 `json:"add"`
}

// RouteMatch selects conversations. Every list that is set must contain the conversation's value.
type RouteMatch struct {
	// issueTypes by name.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=set
	IssueTypes []Name `json:"issueTypes,omitempty"`
	// channelTypes of the conversation.
	// +optional
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	ChannelTypes []ChannelType `json:"channelTypes,omitempty"`
	// channels by name.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=set
	Channels []ObjectName `json:"channels,omitempty"`
	// languages of the conversation.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=set
	Languages []LanguageTag `json:"languages,omitempty"`
	// reasons of the handoff.
	// +optional
	// +kubebuilder:validation:MaxItems=9
	// +listType=set
	Reasons []HandoffReason `json:"reasons,omitempty"`
	// expression in CEL over the same facts as rules.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Expression string `json:"expression,omitempty"`
}

// TargetType says where a route's target is.
//
// +kubebuilder:validation:Enum=Pool;Helpdesk
type TargetType string

// The values of TargetType.
const (
	TargetTypePool     TargetType = "Pool"
	TargetTypeHelpdesk TargetType = "Helpdesk"
)

// PoolTarget offers the conversation to agents of a pool.
type PoolTarget struct {
	// name of the AgentPool.
	// +required
	Name ObjectName `json:"name"`
	// minLevel of the skill for the conversation's type of issue. Default: anybody in the pool, best level first.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5
	MinLevel *int32 `json:"minLevel,omitempty"`
}

// HelpdeskTarget gives the conversation to one of the Copilot's helpdesks.
type HelpdeskTarget struct {
	// name of the helpdesk in the Copilot.
	// +required
	Name Name `json:"name"`
	// group, team or queue inside the helpdesk. Default: the helpdesk's own rule.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Group string `json:"group,omitempty"`
}

// Target is one ring of a route.
//
// +kubebuilder:validation:XValidation:rule=`(self.type == 'Pool') == has(self.pool)`,messageExpression=`self.type == 'Pool' ? 'a target of type Pool needs the field pool: {name: ...}' : 'a target of type ' + self.type + ' has no pool; remove it, or write a target of its own'`
// +kubebuilder:validation:XValidation:rule=`(self.type == 'Helpdesk') == has(self.helpdesk)`,messageExpression=`self.type == 'Helpdesk' ? 'a target of type Helpdesk needs the field helpdesk: {name: ...}' : 'a target of type ' + self.type + ' has no helpdesk; remove it, or write a target of its own'`
type Target struct {
	// type of the target: Pool or Helpdesk.
	// +required
	Type TargetType `json:"type"`
	// pool to offer the conversation to, when type is Pool.
	// +optional
	Pool *PoolTarget `json:"pool,omitempty"`
	// helpdesk that takes the conversation, when type is Helpdesk.
	// +optional
	Helpdesk *HelpdeskTarget `json:"helpdesk,omitempty"`
	// for is how long this target is tried before the next one opens beside it. Default: for ever.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('100ms') && duration(self) <= duration('168h')`,messageExpression=`'"' + self + '" must be from 100ms to 168h'`
	For Duration `json:"for,omitempty"`
}

// Route says who gets the conversations that match it.
type Route struct {
	// name of the route.
	// +required
	Name Name `json:"name"`
	// match selects conversations. Default: all.
	// +optional
	Match *RouteMatch `json:"match,omitempty"`
	// targets in the order in which they open.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	Targets []Target `json:"targets"`
}

// UnavailableAction is what happens to a conversation when nobody can take it.
//
// +kubebuilder:validation:Enum=Queue;CollectContact;Voicemail;Callback;Helpdesk
type UnavailableAction string

// The values of UnavailableAction.
const (
	UnavailableQueue          UnavailableAction = "Queue"
	UnavailableCollectContact UnavailableAction = "CollectContact"
	UnavailableVoicemail      UnavailableAction = "Voicemail"
	UnavailableCallback       UnavailableAction = "Callback"
	UnavailableHelpdesk       UnavailableAction = "Helpdesk"
)

// UnavailableStep is an action with the channels it is for.
//
// +kubebuilder:validation:XValidation:rule=`(self.action == 'Helpdesk') == has(self.helpdesk)`,messageExpression=`self.action == 'Helpdesk' ? 'the action Helpdesk needs the field helpdesk: {name: ...}' : 'the action ' + self.action + ' has no helpdesk; remove it, or use the action Helpdesk'`
// +kubebuilder:validation:XValidation:rule=`self.action != 'Voicemail' || !has(self.channelTypes) || self.channelTypes.all(c, c == 'Phone')`,messageExpression=`'the action Voicemail fits Phone only, not ' + (self.channelTypes.exists(c, c == 'Web') ? 'Web' : 'Email') + '; use CollectContact or Queue there'`
type UnavailableStep struct {
	// channelTypes the step is for. Default: all.
	// +optional
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	ChannelTypes []ChannelType `json:"channelTypes,omitempty"`
	// action to take.
	// +required
	Action UnavailableAction `json:"action"`
	// helpdesk that takes the conversation, when the action is Helpdesk.
	// +optional
	Helpdesk *HelpdeskTarget `json:"helpdesk,omitempty"`
}

// BusySteps are taken when agents are on shift but nobody took the conversation in time.
//
// +kubebuilder:validation:XValidation:rule=`has(self.after) || size(self.?then.orValue([])) == 0`,messageExpression=`'then is never taken without after; say when, such as after: 10m'`,fieldPath=`.after`
type BusySteps struct {
	// after is counted from the handoff, over all targets. Default: never.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('1s') && duration(self) <= duration('168h')`,messageExpression=`'"' + self + '" must be from 1s to 168h'`
	After Duration `json:"after,omitempty"`
	// then: the first step that fits the channel. Default: keep queueing.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	Then []UnavailableStep `json:"then,omitempty"`
}

// Unavailable says what to do when nobody is there.
type Unavailable struct {
	// closed: nobody of any target is on shift. The first step that fits the channel is taken. Default: Queue.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	Closed []UnavailableStep `json:"closed,omitempty"`
	// busy: agents are on shift, but nobody took the conversation in time.
	// +optional
	Busy *BusySteps `json:"busy,omitempty"`
}

// ChannelDurations are durations by type of channel.
type ChannelDurations struct {
	// web is the duration for chats. Default: never.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('1s') && duration(self) <= duration('8760h')`,messageExpression=`'"' + self + '" must be from 1s to 8760h'`
	Web Duration `json:"web,omitempty"`
	// email is the duration for e-mail conversations. Default: never.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('1s') && duration(self) <= duration('8760h')`,messageExpression=`'"' + self + '" must be from 1s to 8760h'`
	Email Duration `json:"email,omitempty"`
	// phone is the duration for calls. Default: never.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('1s') && duration(self) <= duration('8760h')`,messageExpression=`'"' + self + '" must be from 1s to 8760h'`
	Phone Duration `json:"phone,omitempty"`
}

// ReturnToAI says when the AI takes over again.
type ReturnToAI struct {
	// onResolve: the AI answers again after an agent resolved the conversation. Default: Enabled.
	// +optional
	OnResolve Mode `json:"onResolve,omitempty"`
	// customerIdle: the customer is silent this long after a human's last message, with nothing unanswered.
	// +optional
	CustomerIdle *ChannelDurations `json:"customerIdle,omitempty"`
}

// MessageEvent is a moment at which the customer is told something.
//
// +kubebuilder:validation:Enum=Handoff;Queued;Assigned;Unavailable;Returned;Resolved;NotUnderstood
type MessageEvent string

// The values of MessageEvent.
const (
	// MessageHandoff: the conversation is being passed to a human.
	MessageHandoff MessageEvent = "Handoff"
	// MessageQueued: the conversation waits in the queue.
	MessageQueued MessageEvent = "Queued"
	// MessageAssigned: an agent took the conversation.
	MessageAssigned MessageEvent = "Assigned"
	// MessageUnavailable: nobody is there.
	MessageUnavailable MessageEvent = "Unavailable"
	// MessageReturned: the AI answers again.
	MessageReturned MessageEvent = "Returned"
	// MessageResolved: an agent resolved the conversation.
	MessageResolved MessageEvent = "Resolved"
	// MessageNotUnderstood: the AI has no answer.
	MessageNotUnderstood MessageEvent = "NotUnderstood"
)

// Message is a text the customer is told. Of those that fit the event, the most specific is used (reasons count before
// channelTypes, those before language); a built-in text where none fits.
type Message struct {
	// event at which the text is used.
	// +required
	Event MessageEvent `json:"event"`
	// language of the text. Default: any.
	// +optional
	Language LanguageTag `json:"language,omitempty"`
	// channelTypes the text is for. Default: all.
	// +optional
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	ChannelTypes []ChannelType `json:"channelTypes,omitempty"`
	// reasons of the handoff the text is for. Default: all.
	// +optional
	// +kubebuilder:validation:MaxItems=9
	// +listType=set
	Reasons []HandoffReason `json:"reasons,omitempty"`
	// text; {position} and {agent} are replaced where they are known. {wait} is reserved and replaced by nothing yet.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule=`!self.replace('{position}', "").replace('{agent}', "").replace('{wait}', "").matches(r'\{[A-Za-z_]+\}')`,messageExpression=`'"' + self.replace('{position}', "").replace('{agent}', "").replace('{wait}', "").find(r'\{[A-Za-z_]+\}') + '" is replaced by nothing; known are {position}, {agent} and {wait}'`
	Text string `json:"text"`
}

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
