package v1alpha1

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
	// text; {position}, {wait} and {agent} are replaced where they are known.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule=`!self.replace('{position}', "").replace('{agent}', "").replace('{wait}', "").matches(r'\{[A-Za-z_]+\}')`,messageExpression=`'"' + self.replace('{position}', "").replace('{agent}', "").replace('{wait}', "").find(r'\{[A-Za-z_]+\}') + '" is replaced by nothing; known are {position}, {agent} and {wait}'`
	Text string `json:"text"`
}
