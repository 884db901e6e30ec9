package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Weekday is a day of the week in three letters.
//
// +kubebuilder:validation:MaxLength=3
// +kubebuilder:validation:Enum=Mon;Tue;Wed;Thu;Fri;Sat;Sun
type Weekday string

// TimeOfDay is a wall-clock time "HH:MM" from "00:00" to "24:00".
//
// +kubebuilder:validation:MaxLength=8
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$')`,messageExpression=`'"' + self + '" must be a time from "00:00" to "24:00", in quotes'`
type TimeOfDay string

// TimeRange is the part of a day from From (inclusive) to To (exclusive).
//
// +kubebuilder:validation:XValidation:rule=`self.from < self.to`,messageExpression=`'from "' + self.from + '" is not before to "' + self.to + '"; a night shift is two windows, one up to "24:00" and one from "00:00"'`
type TimeRange struct {
	// from is when the range begins.
	// +required
	From TimeOfDay `json:"from"`
	// to is when the range ends; it is after from. A night shift is two ranges.
	// +required
	To TimeOfDay `json:"to"`
}

// WeeklyWindow is a range of time that repeats on some days of the week.
type WeeklyWindow struct {
	// days on which the window applies.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	// +listType=set
	Days      []Weekday `json:"days"`
	TimeRange `json:",inline"`
}

// Closure is a day on which the pool is closed, or closed for some hours. It binds every agent of the pool.
type Closure struct {
	// date of the closure in the pool's zone, as YYYY-MM-DD.
	// +required
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))$') || self.matches(r'^([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29$')`,messageExpression=`'"' + self + '" is not a date of the calendar; write it like 2026-12-25'`
	Date string `json:"date"`
	// reason shown to people, such as "Christmas".
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Reason string `json:"reason,omitempty"`
	// hours during which the pool is closed on that date. Default: the whole day.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	// +listType=atomic
	Hours []TimeRange `json:"hours,omitempty"`
}

// AssignmentStrategy orders the agents who could take a conversation.
//
// +kubebuilder:validation:Enum=Balanced;RoundRobin
type AssignmentStrategy string

// The values of AssignmentStrategy.
const (
	// StrategyBalanced prefers the smallest load relative to capacity, then the longest idle agent.
	StrategyBalanced AssignmentStrategy = "Balanced"
	// StrategyRoundRobin prefers the agent whose last assignment is longest ago.
	StrategyRoundRobin AssignmentStrategy = "RoundRobin"
)

// ChannelCosts are the units of capacity that one conversation takes, by type of channel.
type ChannelCosts struct {
	// web is the cost of a chat. Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Web *int32 `json:"web,omitempty"`
	// email is the cost of an e-mail conversation. Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Email *int32 `json:"email,omitempty"`
	// phone is the cost of a call. A cost above an agent's capacity takes all of it. Default: the pool's capacity.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Phone *int32 `json:"phone,omitempty"`
}

// Assignment says how work is spread over the agents of a pool.
type Assignment struct {
	// strategy orders the agents who could take a conversation. Default: Balanced.
	// +optional
	Strategy AssignmentStrategy `json:"strategy,omitempty"`
	// offerTimeout is how long an agent may take to accept an offer. Default: 45s.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('1s') && duration(self) <= duration('1h')`,messageExpression=`'"' + self + '" must be from 1s to 1h'`
	OfferTimeout Duration `json:"offerTimeout,omitempty"`
	// capacity is the units of work an agent can hold at once. Default: 4.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Capacity *int32 `json:"capacity,omitempty"`
	// costs are the units that one conversation takes.
	// +optional
	Costs *ChannelCosts `json:"costs,omitempty"`
	// stickiness: within this time the agent this customer had last comes first, if present and free. Default: off.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('0s') && duration(self) <= duration('8760h')`,messageExpression=`'"' + self + '" must be from 0s to 8760h'`
	Stickiness Duration `json:"stickiness,omitempty"`
	// wrapUp is the time after a resolved conversation in which its units are not given out again. Default: 0s.
	// +optional
	// +kubebuilder:validation:XValidation:rule=`self == "" || !self.matches(r'^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$') || duration(self) >= duration('0s') && duration(self) <= duration('24h')`,messageExpression=`'"' + self + '" must be from 0s to 24h'`
	WrapUp Duration `json:"wrapUp,omitempty"`
	// missedOffersUntilAway: an agent who lets this many offers in a row pass is set away. Default: 3.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MissedOffersUntilAway *int32 `json:"missedOffersUntilAway,omitempty"`
}

// Skill says that an agent can handle a type of issue, and how well.
type Skill struct {
	// issueType is the name of one of the policy's types of issue.
	// +required
	IssueType Name `json:"issueType"`
	// level from 1 (learning) to 5 (expert). Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=5
	Level int32 `json:"level,omitempty"`
}

// Agent is one human of a pool. The person is the e-mail address, compared in lower case.
type Agent struct {
	// name of the agent inside this pool.
	// +required
	Name Name `json:"name"`
	// displayName is what customers see. Default: the name.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	DisplayName string `json:"displayName,omitempty"`
	// email identifies the person, also across pools.
	// +required
	Email EmailAddress `json:"email"`
	// phone is the agent's own number, rung for phone handoffs.
	// +optional
	Phone PhoneNumber `json:"phone,omitempty"`
	// languages the agent speaks. Default: any.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +listType=set
	Languages []LanguageTag `json:"languages,omitempty"`
	// capacity of this agent in units. Default: the pool's.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Capacity *int32 `json:"capacity,omitempty"`
	// hours replace the pool's hours for this agent; closures still bind.
	// +optional
	// +kubebuilder:validation:MaxItems=24
	// +kubebuilder:validation:XValidation:rule=`self.all(a, a.from >= a.to || self.exists_one(b, a.from < b.to && b.from < a.to && sets.intersects(a.days, b.days)))`,messageExpression=`self[self.transformList(i, a, a.from < a.to && !self.exists_one(b, a.from < b.to && b.from < a.to && sets.intersects(a.days, b.days)), i)[0]].from + '–' + self[self.transformList(i, a, a.from < a.to && !self.exists_one(b, a.from < b.to && b.from < a.to && sets.intersects(a.days, b.days)), i)[0]].to + ' overlaps another window of the same day; join the two or move one'`
	// +listType=atomic
	Hours []WeeklyWindow `json:"hours,omitempty"`
	// skills by type of issue.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=map
	// +listMapKey=issueType
	Skills []Skill `json:"skills,omitempty"`
}

// AgentPoolSpec names the humans, what they can do and when they are there.
type AgentPoolSpec struct {
	// timeZone is the IANA zone of hours and closures, such as "Europe/Berlin". Default: UTC.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[A-Za-z][-+_A-Za-z0-9]*(/[A-Za-z][-+_A-Za-z0-9]*){0,2}$') && self != 'Local'`,messageExpression=`'"' + self + '" is not a time zone of the IANA database; use a name such as Europe/Berlin or UTC'`
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'^[A-Za-z][-+_A-Za-z0-9]*(/[A-Za-z][-+_A-Za-z0-9]*){0,2}$') || self == 'Local' || timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0`,messageExpression=`'"' + self + '" is not a time zone of the IANA database; use a name such as Europe/Berlin or UTC'`
	TimeZone string `json:"timeZone,omitempty"`
	// hours when the pool is open, and the shift of every agent without hours of their own. Default: always open.
	// +optional
	// +kubebuilder:validation:MaxItems=28
	// +kubebuilder:validation:XValidation:rule=`self.all(a, a.from >= a.to || self.exists_one(b, a.from < b.to && b.from < a.to && sets.intersects(a.days, b.days)))`,messageExpression=`self[self.transformList(i, a, a.from < a.to && !self.exists_one(b, a.from < b.to && b.from < a.to && sets.intersects(a.days, b.days)), i)[0]].from + '–' + self[self.transformList(i, a, a.from < a.to && !self.exists_one(b, a.from < b.to && b.from < a.to && sets.intersects(a.days, b.days)), i)[0]].to + ' overlaps another window of the same day; join the two or move one'`
	// +listType=atomic
	Hours []WeeklyWindow `json:"hours,omitempty"`
	// closures are days on which the pool is closed.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule=`self.all(a, self.exists_one(b, a.date == b.date))`,messageExpression=`'"' + self[self.transformList(i, a, !self.exists_one(b, a.date == b.date), i)[0]].date + '" is listed twice; keep one, with all the hours'`
	// +listType=atomic
	Closures []Closure `json:"closures,omitempty"`
	// assignment says how work is spread over the agents.
	// +optional
	Assignment *Assignment `json:"assignment,omitempty"`
	// agents of the pool.
	// +optional
	// +kubebuilder:validation:MaxItems=200
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:XValidation:rule=`[self.map(a, a.email.lowerAscii())].all(l, !l.exists(i, e, l.exists(j, x, j < i && x == e)))`,messageExpression=`'"' + self[[self.map(a, a.email.lowerAscii())].map(l, l.transformList(i, e, l.exists(j, x, j < i && x == e), i)[0])[0]].email + '" is the address of two agents; a person is listed once in a pool'`
	Agents []Agent `json:"agents,omitempty"`
}

// AgentPoolStatus is what the operator found about an AgentPool.
type AgentPoolStatus struct {
	CommonStatus `json:",inline"`
	// agents is how many agents the pool names.
	// +optional
	Agents int32 `json:"agents,omitempty"`
	// copilots are the names of the Copilots whose policies use the pool, sorted.
	// +optional
	// +listType=set
	Copilots []string `json:"copilots,omitempty"`
}

// AgentPool is a group of human agents.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ap,categories=handoff
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Agents",type=integer,JSONPath=`.status.agents`
// +kubebuilder:printcolumn:name="Copilots",type=string,priority=1,JSONPath=`.status.copilots`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AgentPool struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec AgentPoolSpec `json:"spec"`
	// +optional
	// +kubebuilder:default={conditions: {{type: "Ready", status: "Unknown", reason: "Pending", message: "The operator has not looked at this object yet.", lastTransitionTime: "1970-01-01T00:00:00Z"}}}
	Status AgentPoolStatus `json:"status,omitempty"`
}

// AgentPoolList is a list of AgentPools.
//
// +kubebuilder:object:root=true
type AgentPoolList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AgentPool `json:"items"`
}
