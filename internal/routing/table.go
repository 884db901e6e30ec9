// Package routing turns the objects of one Copilot into a Table, and answers questions about a Table.
//
// It is pure: no client, no SQL, no clock. The operator, the runtime and the command line share it, so that a manifest
// means the same to each of them.
package routing

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// FormatVersion is the version of the Table's JSON form that this release writes. A runtime refuses a version above it.
const FormatVersion = 1

// Table is all that a runtime needs to know of its Copilot, with every default filled in. Its JSON form is the content
// of a RoutingTable object. A Table is never changed after it was made.
type Table struct {
	FormatVersion int       `json:"formatVersion"`
	Copilot       Copilot   `json:"copilot"`
	Channels      []Channel `json:"channels,omitempty"`
	// Policy is nil for a Copilot that never hands off.
	Policy *Policy `json:"policy,omitempty"`
	Pools  []Pool  `json:"pools,omitempty"`
}

// Copilot is the tenant's own part of a Table.
type Copilot struct {
	Namespace    string            `json:"namespace"`
	Name         string            `json:"name"`
	DisplayName  string            `json:"displayName"`
	Language     string            `json:"language"`
	Instructions string            `json:"instructions,omitempty"`
	Knowledge    []KnowledgeSource `json:"knowledge,omitempty"`
	Model        *Model            `json:"model,omitempty"`
	Supervisors  []string          `json:"supervisors,omitempty"`
	Redaction    []string          `json:"redaction,omitempty"`
	Proxies      []string          `json:"trustedProxies,omitempty"`
	// Postgres is nil where conversations are kept on the pod's own volume.
	Postgres *Postgres `json:"postgres,omitempty"`
	Webhooks []Webhook `json:"webhooks,omitempty"`
	// Retention is how long closed conversations keep what people wrote; zero for ever.
	Retention metav1.Duration `json:"retention,omitzero"`
}

// Postgres is the database that keeps the conversations.
type Postgres struct {
	// DSN as of libpq, a URL or key=value.
	DSN SecretKey `json:"dsn"`
}

// Webhook is where events are sent. No Events means all of them.
type Webhook struct {
	Name          string    `json:"name"`
	URL           string    `json:"url"`
	Events        []string  `json:"events,omitempty"`
	SigningSecret SecretKey `json:"signingSecret"`
}

// KnowledgeSource names a ConfigMap of documents.
type KnowledgeSource struct {
	Name      string `json:"name"`
	ConfigMap string `json:"configMap"`
}

// SecretKey names one key of a Secret.
type SecretKey struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// Model is an OpenAI-compatible server and the model to use on it. APIKey is nil where no key is sent.
type Model struct {
	BaseURL string          `json:"baseURL"`
	Name    string          `json:"name"`
	APIKey  *SecretKey      `json:"apiKey,omitempty"`
	Timeout metav1.Duration `json:"timeout"`
	// TokensPerConversation and TokensPerDay are zero for no limit.
	TokensPerConversation int64 `json:"tokensPerConversation,omitempty"`
	TokensPerDay          int64 `json:"tokensPerDay,omitempty"`
}

// Channel is one channel that this release serves.
type Channel struct {
	Name string               `json:"name"`
	Type v1alpha1.ChannelType `json:"type"`
	Web  *WebChannel          `json:"web,omitempty"`
}

// WebChannel is a chat widget. Token names it in requests and is public.
type WebChannel struct {
	Token          string     `json:"token"`
	AllowedOrigins []string   `json:"allowedOrigins,omitempty"`
	InitialMessage string     `json:"initialMessage,omitempty"`
	IdentitySecret *SecretKey `json:"identitySecret,omitempty"`
}

// Policy says when a human must take over, who, and what the customer is told.
type Policy struct {
	Name        string      `json:"name"`
	Triggers    Triggers    `json:"triggers"`
	IssueTypes  []IssueType `json:"issueTypes,omitempty"`
	Priorities  []Priority  `json:"priorities,omitempty"`
	Routes      []Route     `json:"routes,omitempty"`
	Unavailable Unavailable `json:"unavailable"`
	ReturnToAI  ReturnToAI  `json:"returnToAI"`
	Messages    []Message   `json:"messages,omitempty"`
}

// Triggers say when a human must take over. Zero values mean that a trigger is off.
type Triggers struct {
	HumanRequest       bool               `json:"humanRequest"`
	NotUnderstoodTurns int                `json:"notUnderstoodTurns,omitempty"`
	Sentiment          v1alpha1.Sentiment `json:"sentiment,omitempty"`
	ModelFailure       bool               `json:"modelFailure"`
	TurnLimit          int                `json:"turnLimit,omitempty"`
	ForbiddenTopics    []Topic            `json:"forbiddenTopics,omitempty"`
}

// Topic is a named set of words.
type Topic struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

// IssueType is a type of issue that routes and skills speak of.
type IssueType = Topic

// Priority adds points to the conversations for which its CEL expression is true.
type Priority struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
	Add        int    `json:"add"`
}

// Route says who gets the conversations that match it. An empty list or expression in it matches everything.
type Route struct {
	Name         string                   `json:"name"`
	IssueTypes   []string                 `json:"issueTypes,omitempty"`
	ChannelTypes []v1alpha1.ChannelType   `json:"channelTypes,omitempty"`
	Channels     []string                 `json:"channels,omitempty"`
	Languages    []string                 `json:"languages,omitempty"`
	Reasons      []v1alpha1.HandoffReason `json:"reasons,omitempty"`
	Expression   string                   `json:"expression,omitempty"`
	Targets      []Target                 `json:"targets"`
}

// Target is one ring of a route: a pool, or a helpdesk (which this release does not serve). For is zero for ever.
type Target struct {
	Pool     string          `json:"pool,omitempty"`
	MinLevel int             `json:"minLevel,omitempty"`
	Helpdesk string          `json:"helpdesk,omitempty"`
	Group    string          `json:"group,omitempty"`
	For      metav1.Duration `json:"for,omitzero"`
	// Agent narrows the pool to one person, by e-mail address. No table has it; RouteTo makes such targets.
	Agent string `json:"-"`
	// Beside opens the next target at once, beside this one. No table has it either.
	Beside bool `json:"-"`
}

// Unavailable says what to do when nobody is there. BusyAfter is zero for never.
type Unavailable struct {
	Closed    []UnavailableStep `json:"closed,omitempty"`
	BusyAfter metav1.Duration   `json:"busyAfter,omitzero"`
	Busy      []UnavailableStep `json:"busy,omitempty"`
}

// UnavailableStep is an action with the channels it is for; no channels means all.
type UnavailableStep struct {
	ChannelTypes []v1alpha1.ChannelType     `json:"channelTypes,omitempty"`
	Action       v1alpha1.UnavailableAction `json:"action"`
	Helpdesk     string                     `json:"helpdesk,omitempty"`
}

// ReturnToAI says when the AI takes over again. CustomerIdle lacks a channel type that never returns by silence.
type ReturnToAI struct {
	OnResolve    bool                                     `json:"onResolve"`
	CustomerIdle map[v1alpha1.ChannelType]metav1.Duration `json:"customerIdle,omitempty"`
}

// Message is a text the customer is told. Empty fields match everything.
type Message struct {
	Event        v1alpha1.MessageEvent    `json:"event"`
	Language     string                   `json:"language,omitempty"`
	ChannelTypes []v1alpha1.ChannelType   `json:"channelTypes,omitempty"`
	Reasons      []v1alpha1.HandoffReason `json:"reasons,omitempty"`
	Text         string                   `json:"text"`
}

// Pool is a group of human agents. A pool without Hours is always open.
type Pool struct {
	Name string `json:"name"`
	// Suspended: when the pool is open could not be read. Its agents keep what they have and are on shift at no time.
	Suspended             bool                        `json:"suspended,omitempty"`
	TimeZone              string                      `json:"timeZone"`
	Hours                 []Window                    `json:"hours,omitempty"`
	Closures              []Closure                   `json:"closures,omitempty"`
	Strategy              v1alpha1.AssignmentStrategy `json:"strategy"`
	OfferTimeout          metav1.Duration             `json:"offerTimeout"`
	Stickiness            metav1.Duration             `json:"stickiness,omitzero"`
	WrapUp                metav1.Duration             `json:"wrapUp,omitzero"`
	MissedOffersUntilAway int                         `json:"missedOffersUntilAway"`
	// Costs has the units of one conversation for each type of channel.
	Costs  map[v1alpha1.ChannelType]int `json:"costs"`
	Agents []Agent                      `json:"agents,omitempty"`
}

// Window is a weekly range of wall-clock time in minutes since midnight, From inclusive, To exclusive (1440 is 24:00).
type Window struct {
	Days []v1alpha1.Weekday `json:"days"`
	From int                `json:"from"`
	To   int                `json:"to"`
}

// Closure is a date (YYYY-MM-DD) on which the pool is closed, from From to To minutes since midnight.
type Closure struct {
	Date   string `json:"date"`
	From   int    `json:"from"`
	To     int    `json:"to"`
	Reason string `json:"reason,omitempty"`
}

// Agent is one human of a pool. Email is in lower case and identifies the person. Hours nil means the pool's hours.
// No Languages means any.
type Agent struct {
	Name        string         `json:"name"`
	DisplayName string         `json:"displayName"`
	Email       string         `json:"email"`
	Phone       string         `json:"phone,omitempty"`
	Languages   []string       `json:"languages,omitempty"`
	Capacity    int            `json:"capacity"`
	Hours       []Window       `json:"hours,omitempty"`
	Skills      map[string]int `json:"skills,omitempty"`
}
