// Package store keeps conversations, their event logs and the agents' presence. There is one interface and one test
// suite for every database.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// ErrNotFound is returned for a conversation, code or key that does not exist.
var ErrNotFound = errors.New("not found")

// ErrDuplicate is returned for an event whose author sent one with the same client id before.
var ErrDuplicate = errors.New("the client id is in the log already")

// ErrAgain is returned by a function to Update that is to be called again from the start, because what it read before it
// had a lock has changed.
var ErrAgain = errors.New("what was read has changed before it was locked")

// ErrUnavailable is returned while the database cannot be reached or takes no more connections. It heals by itself. If
// the connection was lost in the commit, the error says that the outcome is unknown.
var ErrUnavailable = errors.New("the database is not available; try again in a moment")

// ErrConflict is returned for a change that does not follow the last one written.
var ErrConflict = errors.New("the change does not follow what is stored")

// PresenceState is what an agent says about themselves.
type PresenceState string

// The values of PresenceState. Only who is online is offered work.
const (
	Online PresenceState = "online"
	// Busy: at work, but with something else.
	Busy    PresenceState = "busy"
	Away    PresenceState = "away"
	Offline PresenceState = "offline"
)

// Reasons that the runtime gives for a state that the agent did not choose.
const (
	// ReasonMissedOffers: away, for letting too many offers in a row pass.
	ReasonMissedOffers = "MissedOffers"
	// ReasonConnectionLost: offline, since nothing was heard of them.
	ReasonConnectionLost = "ConnectionLost"
	// ReasonTookOver: busy, since they took a conversation while they were offline.
	ReasonTookOver = "TookOver"
)

// Presence is an agent's state. An agent is present while State is Online and Until has not passed.
type Presence struct {
	Email string        `json:"email"`
	State PresenceState `json:"state"`
	// Reason is the agent's own words, or one of the constants.
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Until is how long the agent counts as being there unless they are heard of again; zero while Offline.
	Until time.Time `json:"until,omitzero"`
	// Missed counts the offers that passed, one after the other.
	Missed int `json:"missedOffers,omitempty"`
}

// Present says whether the agent can be offered work at a time.
func (p Presence) Present(now time.Time) bool { return p.State == Online && now.Before(p.Until) }

// Agent is what Tx.Agents reads under the agent's lock.
type Agent struct {
	Load assign.Load
	// Presence has no State for an agent who never said anything.
	Presence Presence
}

// DeadlineKind says what is to happen at a deadline.
type DeadlineKind string

// The values of DeadlineKind. Save keeps the first four: the conversation, or its wrap-ups, say when they are due.
const (
	// DeadlineOffer is the end of an open offer, DeadlineSnooze that of a snooze, DeadlineReturn that of the silence after
	// which the AI takes over, DeadlineWrapUp that of the wrap-up which ends first.
	DeadlineOffer  DeadlineKind = "offer"
	DeadlineSnooze DeadlineKind = "snooze"
	DeadlineReturn DeadlineKind = "return"
	DeadlineWrapUp DeadlineKind = "wrapup"
	// DeadlineUnavailable is when it has to be seen whether anybody is there for a conversation that waits.
	DeadlineUnavailable DeadlineKind = "unavailable"
	// DeadlinePresence is when it has to be seen whether an agent is still there.
	DeadlinePresence DeadlineKind = "presence"
)

// DeadlineKinds are all of them.
var DeadlineKinds = []DeadlineKind{DeadlineOffer, DeadlineSnooze, DeadlineReturn, DeadlineWrapUp, DeadlineUnavailable, DeadlinePresence}

// Deadline is a time at which something has to happen to a conversation or to an agent: one of the two is set. Each has
// at most one deadline of a kind.
type Deadline struct {
	Kind         DeadlineKind
	Conversation string
	Agent        string
	Due          time.Time
}

// Available says whether the agent can be offered work at a time, and until when that may last by itself; the zero time
// for one who cannot.
func (a Agent) Available(now time.Time) (until time.Time) {
	if !a.Presence.Present(now) {
		return time.Time{}
	}
	return a.Presence.Until
}

// Wake says what others have to look at again, by ids only.
type Wake struct {
	// Conversations have new events.
	Conversations []string `json:"c,omitempty"`
	// Turns are conversations in which the AI has said more of an answer.
	Turns []string `json:"t,omitempty"`
	// Agents have another load or presence.
	Agents []string `json:"a,omitempty"`
	// Queue is true if there is work, room or a deadline that was not there before.
	Queue bool `json:"q,omitempty"`
	// Outbox is true if there is something to deliver that was not there before.
	Outbox bool `json:"o,omitempty"`
	// Reread is true if wake-ups may have been lost: everything has to be looked at.
	Reread bool `json:"r,omitempty"`
}

// Store keeps one tenant's data. Its methods may be called from many goroutines.
type Store interface {
	// Update runs fn in a write transaction and commits it durably if fn returns nil. Otherwise nothing is written and
	// fn's error is returned as it is; also nothing if fn panics or ctx ends. fn must not call the store itself.
	//
	// SQLite runs one transaction at a time. PostgreSQL runs many, at READ COMMITTED: what fn read without its lock may
	// have changed when it writes. Locks are taken in the order conversations, agents, so that transactions do not wait
	// for each other in a circle. Where they do, where the connection is lost before the commit, and where fn returns
	// ErrAgain, fn is called again in a new transaction: it must set anew whatever it leaves outside.
	Update(ctx context.Context, fn func(Tx) error) error
	// View runs fn on a consistent snapshot.
	View(ctx context.Context, fn func(Reader) error) error
	// Listen calls fn for what was committed, by this process or another on the same database, until ctx ends, whose
	// error it returns. The first call, and one after each time that the connection was lost, has Reread. Calls are
	// merged: fn must be quick, and read what it needs elsewhere.
	Listen(ctx context.Context, fn func(Wake)) error
	// Key returns the random 32-byte key of a name, generated once in the life of the store.
	Key(ctx context.Context, name string) ([]byte, error)
	// Shared says whether other processes may use the same data at the same time.
	Shared() bool
	// Ping returns nil if a write of the last seconds, or one of its own, proves that the store is usable.
	Ping(ctx context.Context) error
	Close() error
}

// Reader reads within a transaction.
type Reader interface {
	// Now returns the store's time: one clock for all replicas.
	Now() (time.Time, error)
	// TableSeen returns the newest table that any replica works by. In a Tx no replica begins to work by a newer one before
	// its end.
	TableSeen() (TableVersion, error)
	// Conversation returns ErrNotFound for an unknown id. In a Tx it takes the conversation's lock.
	Conversation(id string) (conversation.Conversation, error)
	// TokenHash returns the hash that Create was given.
	TokenHash(id string) ([]byte, error)
	// Events returns up to limit events with a sequence number above after, in order.
	Events(id string, after int64, limit int) ([]conversation.Event, error)
	// EventByClientID finds the event that a kind of author sent under their own id.
	EventByClientID(id string, author conversation.AuthorKind, clientID string) (conversation.Event, bool, error)
	// Waiting returns the conversations that the queue owns and nobody is offered, by their place (Handoff.Place, then
	// id): up to limit of them after skipping skip.
	Waiting(skip, limit int) ([]conversation.Conversation, error)
	// CountWaiting returns how many those are, without reading them.
	CountWaiting() (int, error)
	// CountOnline returns how many agents are online, and how many of those work: they own a conversation that is not
	// snoozed, or wrap one up.
	CountOnline() (online, working int, err error)
	// CountAhead returns how many of those come before a conversation, which may be one that is about to wait.
	CountAhead(c conversation.Conversation) (int, error)
	// HandlingTime returns the mean of the newest times that conversations of a pool and type of channel took an agent's
	// capacity, at most so many, and how many there were.
	HandlingTime(pool string, ct v1alpha1.ChannelType, newest int) (mean time.Duration, samples int, err error)
	// Offered returns the conversations with an open offer, the one that expires first at the front.
	Offered() ([]conversation.Conversation, error)
	// OwnedBy returns the conversations that an agent owns or is offered, longest waiting first.
	OwnedBy(email string) ([]conversation.Conversation, error)
	// WrapUps returns the wrap-ups after a conversation that go on, the one that ends first at the front, and WrapUpsOf
	// those of an agent.
	WrapUps(conversation string) ([]WrapUp, error)
	WrapUpsOf(email string) ([]WrapUp, error)
	// OfCustomer returns the conversations with a customer's key (Conversation.CustomerKey), the newest first.
	OfCustomer(key string) ([]conversation.Conversation, error)
	// MergedInto returns the ids of the conversations that were merged into one, or go on in it, in the order of ids.
	MergedInto(id string) ([]string, error)
	// Owing returns the ids of the conversations in which the AI owes an answer that no replica which lives is giving.
	Owing() ([]string, error)
	// Loads returns what each agent holds: owned conversations and open offers. Agents without any may be absent.
	Loads() (map[string]assign.Load, error)
	// Presences returns every known presence by e-mail address.
	Presences() (map[string]Presence, error)
	// Presence returns an agent's presence; its State is empty for one who never said anything.
	Presence(email string) (Presence, error)
	// DueOfAgents returns up to limit deadlines of agents that are due, the earliest first. They stay until TakeDeadline.
	DueOfAgents(limit int) ([]Deadline, error)
	// Turn returns the answer that is being said in a conversation, by whatever replica, and false if there is none.
	Turn(id string) (Turn, bool, error)
	// AgentStates returns the load and presence of agents by address, without their locks; of all without emails.
	// Agents of whom nothing is known are absent.
	AgentStates(emails ...string) (map[string]Agent, error)
	// NextDeadline returns when the next deadline is due, or the zero time if there is none.
	NextDeadline() (time.Time, error)
	// FindCustomer returns the ids of the conversations of a customer by their id, e-mail address or number.
	FindCustomer(key string) ([]string, error)
	// AllConversations returns up to limit conversations with an id above after, in order.
	AllConversations(after string, limit int) ([]conversation.Conversation, error)
	// OldestClosed returns when the first of the conversations that are closed and not erased was closed, or the zero
	// time.
	OldestClosed() (time.Time, error)
	// Handoffs returns those of which some part lies from from until to, by their beginning.
	Handoffs(from, to time.Time) ([]Span, error)
	// PresenceLog returns the changes of presences from from until to, in the order in which they were written.
	PresenceLog(from, to time.Time) ([]PresenceChange, error)
	// AuditTrail returns up to limit entries that fit, with an id above after, in order.
	AuditTrail(f AuditFilter, after int64, limit int) ([]AuditEntry, error)
	// Begins returns up to when a Record may have lost what was before; zero if nothing was ever removed.
	Begins(what Record) (time.Time, error)
	OutboxReader
}

// OutboxReader reads the outbox.
type OutboxReader interface {
	// OutboxDue returns for each destination when something of it may be tried next.
	OutboxDue() (map[string]time.Time, error)
	// OutboxLevels returns how much is pending and dead, by destination.
	OutboxLevels() ([]Level, error)
	// DeadLetters returns up to limit of what was given up, with an id above after, in order.
	DeadLetters(after int64, limit int) ([]Delivery, error)
	// Deliveries returns a conversation's, by destination and number.
	Deliveries(conversation string) ([]Delivery, error)
	// SentAs returns the Delivery that became something at a destination, by that one's id; ErrNotFound if it is not ours.
	SentAs(destination, remote string) (Delivery, error)
}

// Tx reads and writes within a transaction. After an error of a write nothing of the transaction is committed, also
// when the error is dropped, and every later call returns it. A write goes to the database with the next read or the
// commit: an error that only the database finds is returned there, and by Update.
type Tx interface {
	Reader
	// Create saves a new conversation with the hash of its customer's token.
	Create(c conversation.Change, tokenHash []byte) error
	// Save saves a change. It returns ErrConflict if the change does not follow the last one written; Update returns
	// ErrDuplicate if the author of one of its events sent one with the same client id before. It keeps the loads of the
	// agents, the wrap-ups, the deadlines that the conversation names, and how long it took an agent's capacity.
	Save(c conversation.Change) error
	// Claim returns those of some conversations that wait (as in Waiting), locked, leaving out what others have locked.
	Claim(ids ...string) ([]conversation.Conversation, error)
	// Agents takes the locks of agents, in the order of their addresses, and returns each one's load and presence.
	Agents(emails ...string) (map[string]Agent, error)
	// Touched returns the agents whose load or presence this transaction has written, by address.
	Touched() []string
	// SetPresence replaces an agent's presence.
	SetPresence(p Presence) error
	// RenewPresence moves Until of an agent who is present, of which nobody has to be told.
	RenewPresence(p Presence) error
	// Touch notes that an agent's work began or ended at a time: the agent is idle since then.
	Touch(email string, now time.Time) error
	// SetDeadline replaces the deadline of its kind, or removes it if Due is zero. The caller holds the lock of the
	// conversation or agent. It returns ErrNotFound for an unknown conversation.
	SetDeadline(d Deadline) error
	// ClaimDeadlines removes up to limit deadlines of conversations that are due and returns them, with the locks of the
	// conversations. What others have locked is left out: it is still due afterwards.
	ClaimDeadlines(limit int) ([]Deadline, error)
	// TakeDeadline removes a deadline of that kind, if it is due, and says whether it was. The caller holds the lock of
	// the conversation or agent. It is for an agent, whose conversations have to be locked before.
	TakeDeadline(d Deadline) (bool, error)
	// SawTable says that a replica works by a table, for TableSeen. An older one changes nothing.
	SawTable(v TableVersion) error
	// KeepTurns writes down what turns have released, for all replicas, and says what became of each by conversation.
	// Save ends a turn when its answer is written or the conversation changes hands.
	KeepTurns(turns []Turn) (map[string]Kept, error)
	// Lease takes a name for a holder and a time, or goes on with it. held is false while another holder has it. What only
	// the holder may do belongs into the transaction that got true: nobody else gets the name before its end.
	Lease(name, holder string, d time.Duration) (held bool, err error)
	// LeaseReplica says that a replica lives, for a time. It ends the leases of those that have not said so in theirs, and
	// returns how many those are: what they did not tell is to be read by everybody.
	LeaseReplica(replica string, d time.Duration) (lost int, err error)
	// LeaveReplica says that a replica ends: others give the answers that it was giving.
	LeaveReplica(replica string) error
	// Audit adds to the audit trail. Save does so by itself for what an agent or supervisor did to a conversation.
	Audit(e AuditEntry) error
	// ClaimClosed returns up to limit conversations that were closed at a time or before and not erased, with their
	// lock, leaving out what others have locked.
	ClaimClosed(before time.Time, limit int) ([]string, error)
	// CatchUp writes what a release before this one, which may run beside it, did not: what is derived from up to limit
	// conversations and their logs, so that they are found, erased and counted. It returns how many those were; with fewer
	// than limit there are no more.
	CatchUp(limit int) (n int, err error)
	// Trim removes up to limit of what a Record has from before a time, and says whether there may be more. It removes
	// nothing while another replica does.
	Trim(what Record, before time.Time, limit int) (more bool, err error)
	// EraseContent takes out of a conversation's log and messages what people wrote, and lets no token open it any more.
	// The conversation's own erasure is saved in the same transaction.
	EraseContent(id string) error
	OutboxTx
	// PutCode keeps the hash of a one-time login code until it expires. Expired ones are dropped.
	PutCode(hash []byte, email string, expires, now time.Time) error
	// TakeCode returns whose code it is and forgets it; ErrNotFound if it is unknown or expired.
	TakeCode(hash []byte, now time.Time) (email string, err error)
}

// OutboxTx writes the outbox.
type OutboxTx interface {
	// Enqueue puts a message into the outbox, as the next of its conversation and destination. The caller holds the
	// conversation's lock.
	Enqueue(m Message) error
	// ClaimOutbox returns up to limit messages of a destination that may be tried, of each conversation the first, and
	// keeps them from others for the lease. Each counts one attempt more.
	ClaimOutbox(destination string, limit int, lease time.Duration) ([]Delivery, error)
	// Delivered, Retry and GiveUp end an attempt. They do nothing if it is not the last one any more. The next message
	// of the conversation and destination comes after Delivered and GiveUp. remote is the id of what it became there.
	Delivered(d Delivery, remote string) error
	Retry(d Delivery, why string, at time.Time) error
	GiveUp(d Delivery, why string) error
	// Replay lets a dead letter be tried again, under its key and number; ErrNotFound if there is none with this id.
	Replay(id int64) error
}
