// Package store keeps conversations, their event logs and the agents' presence. There is one interface and one test
// suite for every database.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// ErrNotFound is returned for a conversation, code or key that does not exist.
var ErrNotFound = errors.New("not found")

// ErrDuplicate is returned for an event whose author sent one with the same client id before.
var ErrDuplicate = errors.New("the client id is in the log already")

// ErrConflict is returned for a change that does not follow the last one written.
var ErrConflict = errors.New("the change does not follow what is stored")

// PresenceState is what an agent says about themselves.
type PresenceState string

// The values of PresenceState.
const (
	Online  PresenceState = "online"
	Away    PresenceState = "away"
	Offline PresenceState = "offline"
)

// Presence is an agent's state. An agent is present while State is Online and Until has not passed.
type Presence struct {
	Email string        `json:"email"`
	State PresenceState `json:"state"`
	Until time.Time     `json:"until,omitzero"`
}

// Present says whether the agent can be offered work at a time.
func (p Presence) Present(now time.Time) bool { return p.State == Online && now.Before(p.Until) }

// Store keeps one tenant's data. Its methods may be called from many goroutines.
type Store interface {
	// Update runs fn in a write transaction, one at a time, and commits it durably if fn returns nil. Otherwise
	// nothing is written and fn's error is returned as it is; also nothing if fn panics or ctx ends. fn must not call
	// the store itself.
	Update(ctx context.Context, fn func(Tx) error) error
	// View runs fn on a consistent snapshot.
	View(ctx context.Context, fn func(Reader) error) error
	// Key returns the random 32-byte key of a name, generated once in the life of the store.
	Key(ctx context.Context, name string) ([]byte, error)
	// Ping returns nil if a write of the last seconds, or one of its own, proves that the store is usable.
	Ping(ctx context.Context) error
	Close() error
}

// Reader reads within a transaction.
type Reader interface {
	// Conversation returns ErrNotFound for an unknown id.
	Conversation(id string) (conversation.Conversation, error)
	// TokenHash returns the hash that Create was given.
	TokenHash(id string) ([]byte, error)
	// Events returns up to limit events with a sequence number above after, in order.
	Events(id string, after int64, limit int) ([]conversation.Event, error)
	// EventByClientID finds the event that a kind of author sent under their own id.
	EventByClientID(id string, author conversation.AuthorKind, clientID string) (conversation.Event, bool, error)
	// Waiting returns the conversations that the queue owns and nobody is offered, longest waiting (Handoff.At, then
	// id) first: up to limit of them after skipping skip.
	Waiting(skip, limit int) ([]conversation.Conversation, error)
	// CountWaiting returns how many those are, without reading them.
	CountWaiting() (int, error)
	// Offered returns the conversations with an open offer, the one that expires first at the front.
	Offered() ([]conversation.Conversation, error)
	// OwnedBy returns the conversations that an agent owns or is offered, longest waiting first.
	OwnedBy(email string) ([]conversation.Conversation, error)
	// Owing returns the ids of the conversations in which the AI owes an answer.
	Owing() ([]string, error)
	// Loads returns what each agent holds: owned conversations and open offers. Agents without any may be absent.
	Loads() (map[string]assign.Load, error)
	// Presences returns every known presence by e-mail address.
	Presences() (map[string]Presence, error)
}

// Tx reads and writes within a transaction.
type Tx interface {
	Reader
	// Create saves a new conversation with the hash of its customer's token.
	Create(c conversation.Change, tokenHash []byte) error
	// Save saves a change. It returns ErrConflict if the change does not follow the last one written, and ErrDuplicate
	// if the author of one of its events sent one with the same client id before. After an error of Save, as of every
	// write, nothing of the transaction is committed.
	Save(c conversation.Change) error
	// SetPresence replaces an agent's presence.
	SetPresence(p Presence) error
	// Touch notes that an agent's work began or ended at a time: the agent is idle since then.
	Touch(email string, now time.Time) error
	// PutCode keeps the hash of a one-time login code until it expires. Expired ones are dropped.
	PutCode(hash []byte, email string, expires, now time.Time) error
	// TakeCode returns whose code it is and forgets it; ErrNotFound if it is unknown or expired.
	TakeCode(hash []byte, now time.Time) (email string, err error)
}
