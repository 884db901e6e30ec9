// Package audit proves from what was written down that the promises to customers and agents were kept. It is pure, and
// knows nothing of how the transitions are made: it reads logs as an outsider would.
package audit

import (
	"fmt"
	"slices"
	"strings"
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

// room judges what an agent held when an offer was made. Of what happened at the same instant the order is not known, so
// it does not count.
func (a *Auditor) room(o offer) {
	room := o.event.Room
	if room == nil {
		return
	}
	bad := func(held int) {
		a.violations = append(a.violations, Violation{Room, o.conversation, o.event.Seq, fmt.Sprintf(
			"the offer to %s makes it %d units of %d", o.event.Agent.ID, held, room.Capacity)})
	}
	if room.Held > room.Capacity {
		bad(room.Held)
		return
	}
	held := o.event.Cost
	for _, h := range a.holds[o.event.Agent.ID] {
		if h.from.Before(o.event.At) && (h.to.IsZero() || h.to.After(o.event.At)) {
			held += h.units
		}
	}
	if held > room.Capacity {
		bad(held)
	}
}

// present judges whether the agent of an offer was online.
func (a *Auditor) present(o offer) {
	if a.presences == nil || o.event.At.Before(a.PresencesFrom) {
		return
	}
	state := "never online"
	for _, p := range a.presences[o.event.Agent.ID] {
		if p.At.After(o.event.At) {
			break
		}
		if state != "online" || p.At.Before(o.event.At) { // of the same instant the order is not known
			state = p.State
		}
	}
	if state != "online" {
		a.violations = append(a.violations, Violation{Present, o.conversation, o.event.Seq, fmt.Sprintf(
			"the offer went to %s, who was %s", o.event.Agent.ID, state)})
	}
}

// reading is one conversation that is being judged.
type reading struct {
	*Auditor
	log    Log
	owners map[int64]conversation.Owner
}

func (r *reading) bad(rule Rule, seq int64, format string, args ...any) {
	r.violations = append(r.violations, Violation{rule, r.log.Conversation.ID, seq, fmt.Sprintf(format, args...)})
}

func (r *reading) sequence() {
	var latest time.Time
	for i, e := range r.log.Events {
		if e.At.Before(latest) {
			r.twice = append(r.twice, span{e.At, latest})
		} else {
			latest = e.At
		}
		if want := int64(i) + 1; e.Seq != want {
			r.bad(Sequence, e.Seq, "it stands where %d belongs", want)
			return
		}
	}
	if n := int64(len(r.log.Events)); r.log.Conversation.Seq != n {
		r.bad(Sequence, n, "the log ends here, and the conversation says %d", r.log.Conversation.Seq)
	}
}

// cutLate says whether an event is what the customer saw of an answer that a takeover cut, written behind the takeover.
func (r *reading) cutLate(e conversation.Event) bool {
	return e.Author.Kind == conversation.AuthorAI && e.Interrupted && r.owners[e.Epoch].Kind == conversation.OwnerAI
}

func (r *reading) ownership() {
	epoch := int64(0)
	for _, e := range r.log.Events {
		switch {
		case e.Epoch < epoch && !r.cutLate(e):
			r.bad(OneOwner, e.Seq, "epoch %d comes after epoch %d", e.Epoch, epoch)
		case e.Epoch > epoch+1:
			r.bad(OneOwner, e.Seq, "epoch %d follows on epoch %d", e.Epoch, epoch)
		}
		epoch = max(epoch, e.Epoch)
		if e.Owner == nil {
			continue
		}
		if before, twice := r.owners[e.Epoch]; twice {
			r.bad(OneOwner, e.Seq, "epoch %d is given to %s %s, and was %s %s's", e.Epoch, e.Owner.Kind, e.Owner.ID, before.Kind, before.ID)
			continue
		}
		r.owners[e.Epoch] = *e.Owner
	}
	for n := int64(1); n <= epoch; n++ {
		if _, owned := r.owners[n]; !owned {
			r.bad(OneOwner, 0, "nobody owns epoch %d", n)
		}
	}
	if c := r.log.Conversation; c.Epoch != epoch || c.Owner != r.owners[epoch] {
		r.bad(OneOwner, c.Seq, "the log ends with owner %s %s at epoch %d, and the conversation says %s %s at %d",
			r.owners[epoch].Kind, r.owners[epoch].ID, epoch, c.Owner.Kind, c.Owner.ID, c.Epoch)
	}
}

// speech judges who said what.
func (r *reading) speech() {
	answered, cut := map[int64]bool{}, map[int64]bool{}
	epoch := int64(0)
	for _, e := range r.log.Events {
		if e.Type == conversation.EventMessage {
			owner := r.owners[e.Epoch]
			switch {
			case e.Author.Kind == conversation.AuthorAI && owner.Kind != conversation.OwnerAI:
				r.bad(AISilent, e.Seq, "the AI speaks while %s %s owns the conversation", owner.Kind, owner.ID)
			case e.Author.Kind == conversation.AuthorAI && e.Epoch < epoch && (!e.Interrupted || cut[e.Epoch]):
				r.bad(AISilent, e.Seq, "the AI speaks after epoch %d, and more than what was seen of one answer", e.Epoch)
			case e.Author.Kind == conversation.AuthorAgent && !speaksFor(e.Author, owner):
				r.bad(OneOwner, e.Seq, "%s speaks while %s %s owns the conversation", e.Author.ID, owner.Kind, owner.ID)
			}
			cut[e.Epoch] = cut[e.Epoch] || e.Interrupted
		}
		epoch = max(epoch, e.Epoch)
		if e.AnswerTo == 0 {
			continue
		}
		if answered[e.AnswerTo] || !r.customers(e.AnswerTo, e.Seq) {
			r.bad(AnsweredOnce, e.Seq, "it answers event %d, which was answered before or is no message of a customer before it", e.AnswerTo)
		}
		answered[e.AnswerTo] = true
	}
}

// speaksFor says whether an author is the agent who owns a conversation, or a human at the helpdesk that does.
func speaksFor(a conversation.Author, owner conversation.Owner) bool {
	return owner.Kind == conversation.OwnerAgent && owner.ID == a.ID || owner.Kind == conversation.OwnerHelpdesk && a.ID == ""
}

// customers says whether an event is a customer's message that stands before another event.
func (r *reading) customers(seq, before int64) bool {
	return seq > 0 && seq < before && seq <= int64(len(r.log.Events)) && r.log.Events[seq-1].Author.Kind == conversation.AuthorCustomer
}

// handoffs judges that handoffs are written before anything follows from them, and that old words make none.
func (r *reading) handoffs() {
	h := humanPart{reading: r}
	for i, e := range r.log.Events {
		h.event(i, e)
		if e.Owner != nil {
			h.owner(i, e)
		}
	}
}

// humanPart is how far a reading of handoffs has come.
type humanPart struct {
	*reading
	// number counts the handoffs; active says that one is in progress.
	number int
	active bool
	// window is since when the AI has the conversation, written the customer's last message.
	window, written int64
}

func (h *humanPart) event(i int, e conversation.Event) {
	if e.Author.Kind == conversation.AuthorCustomer && e.Type == conversation.EventMessage {
		h.written = e.Seq
	}
	if e.AnswerTo != 0 && e.AnswerTo <= h.window {
		h.bad(FreshWindow, e.Seq, "it answers event %d, and the AI began anew at %d", e.AnswerTo, h.window)
	}
	if e.Type != conversation.EventHandoff || e.Handoff == nil {
		return
	}
	if h.number++; e.Handoff.Number != h.number || h.active {
		h.bad(HandoffFirst, e.Seq, "handoff %d comes where the %d. is expected, or while one is in progress", e.Handoff.Number, h.number)
	}
	h.active = true
	if e.Author.Kind != conversation.AuthorAgent && !byAgent(h.log.Events, i) && h.written <= h.window {
		h.bad(FreshWindow, e.Seq, "handoff %d comes of nothing that the customer wrote since %d", h.number, h.window)
	}
}

// owner judges a change of the owner.
func (h *humanPart) owner(i int, e conversation.Event) {
	switch e.Owner.Kind {
	case conversation.OwnerAI, conversation.OwnerNobody:
		h.active, h.window = false, e.Seq
	default:
		if !h.active && !h.handoffWith(i) {
			h.bad(HandoffFirst, e.Seq, "%s %s owns the conversation without a handoff", e.Owner.Kind, e.Owner.ID)
			h.active = true // said once
		}
	}
}

// byAgent says whether a handoff was an agent's or supervisor's doing: the takeover comes next.
func byAgent(events []conversation.Event, i int) bool {
	return i+1 < len(events) && (events[i+1].Type == conversation.EventTakenOver || events[i+1].Type == conversation.EventReassigned)
}

// handoffWith says whether the handoff was written with the change of owner i, as where a closed conversation is reopened
// for a human.
func (r *reading) handoffWith(i int) bool {
	owner := r.log.Events[i]
	for _, e := range r.log.Events[i+1:] {
		if !e.At.Equal(owner.At) || e.Owner != nil {
			return false
		}
		if e.Type == conversation.EventHandoff {
			return true
		}
	}
	return false
}

// step says whether an event is a step of which the customer is told: somebody else takes care of them, nobody is there,
// or they are asked for a way to be reached.
func step(e conversation.Event) bool {
	switch e.Type {
	case conversation.EventUnavailable, conversation.EventContactAsked, conversation.EventRequeued:
		return true
	case conversation.EventReassigned: // without an owner: to other humans, in the queue
		return e.Owner == nil || e.Owner.Kind != conversation.OwnerNobody
	case conversation.EventHandoff, conversation.EventAssigned, conversation.EventTakenOver, conversation.EventTransferred,
		conversation.EventReturned:
		return e.Owner != nil && e.Owner.Kind != conversation.OwnerNobody
	}
	return false
}

// told judges that the customer is told of each step in the transaction that wrote it, and of no handoff before it.
func (r *reading) told() {
	handedOff, due := false, int64(0)
	for i, e := range r.log.Events {
		if due != 0 && !e.At.Equal(r.log.Events[i-1].At) {
			r.bad(Told, due, "the customer was not told of it: %s", r.log.Events[due-1].Type)
			due = 0
		}
		handedOff = handedOff || e.Type == conversation.EventHandoff
		switch {
		case step(e) && due == 0:
			due = e.Seq
		case e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorSystem:
			due = 0
			if !handedOff && e.Epoch == 1 {
				r.bad(Told, e.Seq, "the customer is told of a handoff that was not written")
			}
		}
	}
	if due != 0 {
		r.bad(Told, due, "the customer was not told of it: %s", r.log.Events[due-1].Type)
	}
}

// toldOnce judges that the system says nothing again before the next step, or an answer of the customer's to what it said.
func (r *reading) toldOnce() {
	said := map[string]int64{}
	for _, e := range r.log.Events {
		switch {
		case e.Type != conversation.EventMessage:
			if step(e) || e.Owner != nil || e.Type == conversation.EventReassigned { // within the queue the epoch stays
				clear(said)
			}
		case e.Author.Kind == conversation.AuthorCustomer:
			clear(said)
		case e.Author.Kind == conversation.AuthorSystem:
			if before, twice := said[e.Text]; twice && e.Text != "" { // erased texts are all alike
				r.bad(Told, e.Seq, "the customer was told the same at %d, and nothing has happened since", before)
			}
			said[e.Text] = e.Seq
		}
	}
}

func (r *reading) once() {
	seen := map[string]int64{}
	for _, e := range r.log.Events {
		if e.ClientID == "" {
			continue
		}
		key := string(e.Author.Kind) + " " + e.ClientID
		if before, twice := seen[key]; twice {
			r.bad(Once, e.Seq, "it has the id %q that event %d has", e.ClientID, before)
		}
		seen[key] = e.Seq
	}
}

// held keeps what agents hold of the conversation, and the offers made.
func (r *reading) held() {
	var now *hold
	var agent string
	end := func(at time.Time) {
		if now != nil {
			now.to = at
			r.hold(agent, *now)
		}
		now = nil
	}
	begin := func(who string, e conversation.Event, units int) {
		end(e.At)
		agent = who
		now = &hold{conversation: r.log.Conversation.ID, seq: e.Seq, units: units, from: e.At}
	}
	units := 0
	wrapUps := map[string]hold{}
	for _, e := range r.log.Events {
		switch e.Type {
		case conversation.EventWrapUp:
			wrapUps[e.Agent.ID] = hold{conversation: r.log.Conversation.ID, seq: e.Seq, units: e.Cost, from: e.At}
			continue
		case conversation.EventWrapUpEnded:
			h := wrapUps[e.Agent.ID]
			h.to = e.At
			r.hold(e.Agent.ID, h)
			delete(wrapUps, e.Agent.ID)
			continue
		case conversation.EventOffered:
			r.offers = append(r.offers, offer{r.log.Conversation.ID, e})
			begin(e.Agent.ID, e, e.Cost)
			continue
		case conversation.EventOfferExpired, conversation.EventDeclined, conversation.EventOfferWithdrawn, conversation.EventSnoozed:
			end(e.At)
			continue
		case conversation.EventWoken:
			if units > 0 {
				begin(agent, e, units)
			}
			continue
		}
		if e.Owner == nil {
			continue
		}
		end(e.At)
		units = 0
		if e.Owner.Kind == conversation.OwnerAgent && e.Agent != nil {
			units = e.Cost
			begin(e.Agent.ID, e, units)
		}
	}
	end(time.Time{})
	for agent, h := range wrapUps {
		r.hold(agent, h)
	}
}

// hold keeps what an agent held.
func (a *Auditor) hold(agent string, h hold) {
	if a.holds == nil {
		a.holds = map[string][]hold{}
	}
	a.holds[agent] = append(a.holds[agent], h)
}

// follows says whether a number may stand where another belongs, behind some messages of a stream: old ones may be removed
// between, but not if those before it are younger, or the conversation is.
func (r *reading) follows(seq, want int64, before []Message) bool {
	begin := r.log.Conversation.CreatedAt
	if len(before) > 0 {
		begin = before[len(before)-1].At
	}
	return seq == want || seq > want && !begin.After(r.log.OutboxFrom)
}

// outbox judges the messages of each destination.
func (r *reading) outbox() {
	streams := map[string][]Message{}
	for _, m := range r.log.Outbox {
		streams[m.Destination] = append(streams[m.Destination], m)
	}
	for destination, all := range streams {
		slices.SortFunc(all, func(a, b Message) int { return int(a.Seq - b.Seq) })
		next, want := 0, int64(1)
		var last *Message // that waits, or ended in its turn
		for i, m := range all {
			if !r.follows(m.Seq, want, all[:i]) {
				r.bad(Outbox, m.Seq, "message %d to %s stands where %d belongs", m.Seq, destination, want)
				break
			}
			want = m.Seq + 1
			if want := strings.Join([]string{r.log.Conversation.ID, destination, fmt.Sprint(m.Seq)}, "/"); m.Key != want {
				r.bad(Outbox, m.Seq, "message %d to %s has the key %q and not %q", m.Seq, destination, m.Key, want)
			}
			if m.Next {
				next++
			}
			if m.Replayed {
				continue
			}
			if last != nil && !m.Ended.IsZero() && (last.Ended.IsZero() || last.Ended.After(m.Ended)) {
				r.bad(Outbox, m.Seq, "message %d to %s ended before message %d, which comes first", m.Seq, destination, last.Seq)
			}
			last = &all[i]
		}
		if waiting := slices.ContainsFunc(all, func(m Message) bool { return m.State == "pending" }); waiting && next == 0 {
			r.bad(Outbox, 0, "none of what waits for %s may be tried", destination)
		}
	}
}
