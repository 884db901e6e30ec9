package v1alpha1

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
