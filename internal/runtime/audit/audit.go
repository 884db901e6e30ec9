// Package audit proves from what was written down that the promises to customers and agents were kept. It is pure, and
// knows nothing of how the transitions are made: it reads logs as an outsider would.
package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Rule names a promise.
type Rule string

// The rules. Each is an invariant of docs/design.md, as far as a log can show it.
const (
	// Sequence: the events of a conversation are numbered from 1 without gaps, and its state is where its log ends.
	Sequence Rule = "sequence"
	// OneOwner: each epoch has one owner, epochs follow each other, and only the agent who owns a conversation speaks in it.
	OneOwner Rule = "one-owner"
	// AISilent: the AI says nothing in the epoch of another, and after its own only the part that was already seen.
	AISilent Rule = "ai-silent"
	// AnsweredOnce: each message of a customer has at most one answer of the AI.
	AnsweredOnce Rule = "answered-once"
	// HandoffFirst: nobody but the AI owns a conversation without a handoff that was written before, once.
	HandoffFirst Rule = "handoff-first"
	// Told: a customer is told of every step, with it and after it, and of none twice.
	Told Rule = "told"
	// Once: what was sent twice under the same id is in the log once.
	Once Rule = "once"
	// FreshWindow: what was said before the AI took over again neither hands off nor is answered.
	FreshWindow Rule = "fresh-window"
	// Room: an offer goes to nobody beyond their capacity.
	Room Rule = "room"
	// Present: an offer goes to nobody who is not online.
	Present Rule = "present"
	// Outbox: messages to a destination are numbered without gaps, have their own keys, and went out in order.
	Outbox Rule = "outbox"
)

// Rules lists all of them.
var Rules = []Rule{Sequence, OneOwner, AISilent, AnsweredOnce, HandoffFirst, Told, Once, FreshWindow, Room, Present, Outbox}

// Violation is one place where a promise was broken.
type Violation struct {
	Rule         Rule   `json:"rule"`
	Conversation string `json:"conversation"`
	// Seq is the event's number, or the message's of the outbox; 0 where it is about the whole.
	Seq     int64  `json:"seq,omitempty"`
	Message string `json:"message"`
}

// String is for people.
func (v Violation) String() string {
	return fmt.Sprintf("%s: conversation %s, %d: %s", v.Rule, v.Conversation, v.Seq, v.Message)
}

// Log is all that is kept of one conversation.
type Log struct {
	Conversation conversation.Conversation `json:"conversation"`
	Events       []conversation.Event      `json:"events"`
	Outbox       []Message                 `json:"outbox,omitempty"`
	// OutboxFrom is there if old messages were removed: those that ended at that time or before may be missing.
	OutboxFrom time.Time `json:"outboxFrom,omitzero"`
}

// Message is one of the outbox.
type Message struct {
	Destination string `json:"destination"`
	Seq         int64  `json:"seq"`
	Kind        string `json:"kind"`
	Key         string `json:"key"`
	// State is pending, delivered or dead.
	State string    `json:"state"`
	At    time.Time `json:"at"`
	// Replayed says that it was a dead letter before: its place in time is not its number's any more.
	Replayed bool `json:"replayed,omitempty"`
	// Next says that it may be tried.
	Next  bool      `json:"next,omitempty"`
	Ended time.Time `json:"ended,omitzero"`
}

// Presence is what an agent was from a time on.
type Presence struct {
	Email string    `json:"email"`
	At    time.Time `json:"at"`
	State string    `json:"state"`
}

// Auditor collects logs and what is wrong with them. The zero value is ready.
type Auditor struct {
	// PresencesFrom is since when all presences are known, with what agents were at that time; zero for always.
	PresencesFrom time.Time

	violations []Violation
	presences  map[string][]Presence
	offers     []offer
	holds      map[string][]hold
	// twice are the times over which a clock went again, as far as a conversation shows it.
	twice []span
}

// span is a time, both ends included.
type span struct{ from, to time.Time }

// offer is one that was made.
type offer struct {
	conversation string
	event        conversation.Event
}

// hold is a time in which a conversation takes units of an agent's capacity. to is zero for ever.
type hold struct {
	conversation string
	seq          int64
	units        int
	from, to     time.Time
}

// AddPresence adds entries of the log of presences, in order. Without any, Present is not judged.
func (a *Auditor) AddPresence(p Presence) {
	if a.presences == nil {
		a.presences = map[string][]Presence{}
	}
	a.presences[p.Email] = append(a.presences[p.Email], p)
}

// Add judges one conversation, and keeps what is needed to judge what agents held of all.
func (a *Auditor) Add(l Log) {
	r := &reading{Auditor: a, log: l, owners: map[int64]conversation.Owner{}}
	r.sequence()
	r.ownership()
	r.speech()
	r.handoffs()
	r.told()
	r.toldOnce()
	r.once()
	r.held()
	r.outbox()
}

// Result judges what goes beyond one conversation, and returns everything that was found. What happened in several
// conversations has an order by its times alone: where a clock was set back, and went over them again, there is none to
// judge by.
func (a *Auditor) Result() []Violation {
	for _, o := range a.offers {
		if !slices.ContainsFunc(a.twice, func(s span) bool { return !o.event.At.Before(s.from) && !o.event.At.After(s.to) }) {
			a.room(o)
			a.present(o)
		}
	}
	a.offers = nil
	return a.violations
}
