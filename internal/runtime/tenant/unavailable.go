package tenant

import (
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// waiting is a conversation that has come into the queue, or waits in it, in the transaction that holds its lock.
type waiting struct {
	tx    store.Tx
	table *routing.Table
	route *routing.Route
	conv  conversation.Conversation
	// now is the store's time.
	now  time.Time
	save func(conversation.Change) error
}

// do saves a transition of the conversation.
func (w *waiting) do(change conversation.Change, err error) error {
	if err != nil {
		return err
	}
	w.conv = change.Conversation
	return w.save(change)
}

// text is what the customer is told, in their language.
func (w *waiting) text(event v1alpha1.MessageEvent, vars map[string]string) string {
	return w.table.Text(event, w.conv.Handoff.Language, w.conv.ChannelType, w.conv.Handoff.Reason, vars)
}

// look does what the policy says where nobody is there, if that is so and was not done yet, and sets when to look again.
// A conversation that is offered to somebody is looked at again when the offer ends.
func (w *waiting) look() error {
	if o := w.conv.Offer; o == nil || !w.now.Before(o.ExpiresAt) {
		switch {
		case w.table.Closed(w.route, w.now):
			if err := w.nobodyThere(conversation.Closed); err != nil {
				return err
			}
		case w.busy():
			if err := w.nobodyThere(conversation.Busy); err != nil {
				return err
			}
		}
	}
	if w.conv.Owner.Kind != conversation.OwnerQueue {
		return nil
	}
	return w.tx.SetDeadline(store.Deadline{Kind: store.DeadlineUnavailable, Conversation: w.conv.ID, Due: w.next()})
}

// busyAt is when the customer has waited for as long as the policy lets them; false if it does not say.
func (w *waiting) busyAt() (time.Time, bool) {
	if w.table.Policy == nil || w.table.Policy.Unavailable.BusyAfter.Duration == 0 {
		return time.Time{}, false
	}
	return w.conv.Handoff.At.Add(w.table.Policy.Unavailable.BusyAfter.Duration), true
}

// busy says whether the customer waited for long enough. Who was told that it is closed knows more than that.
func (w *waiting) busy() bool {
	at, ok := w.busyAt()
	return ok && !w.now.Before(at) && !w.conv.ToldOf(conversation.Closed)
}

// next is when to look again; the zero time stands for never.
func (w *waiting) next() (next time.Time) {
	if w.conv.ToldOf(conversation.Closed) {
		return next
	}
	if at, ok := w.table.NextClosing(w.route, w.now); ok {
		next = at
	}
	if w.table.Closed(w.route, w.now) { // but offered to somebody
		next = w.now
	}
	if at, ok := w.busyAt(); ok && !w.conv.ToldOf(conversation.Busy) {
		next = earliest(next, at)
	}
	if o := w.conv.Offer; o != nil && !next.IsZero() && next.Before(o.ExpiresAt) && w.now.Before(o.ExpiresAt) {
		next = o.ExpiresAt
	}
	return next
}

// nobodyThere does the step of the policy that fits the channel and tells the customer, once for each reason.
func (w *waiting) nobodyThere(why conversation.Absence) error {
	if w.conv.ToldOf(why) {
		return nil
	}
	var told []string
	step := w.table.WhenUnavailable(why == conversation.Busy, w.conv.ChannelType)
	switch step.Action {
	case v1alpha1.UnavailableCollectContact, v1alpha1.UnavailableCallback:
		return w.askContact(why, step.Action)
	case v1alpha1.UnavailableVoicemail:
		told = append(told, w.text(routing.TextVoicemail, nil))
	default:
		standing, err := w.standingText(why)
		if err != nil {
			return err
		}
		told = append(told, standing)
	}
	return w.do(w.conv.NobodyThere(why, told, w.now))
}

// standingText is what a customer is told who keeps waiting.
func (w *waiting) standingText(why conversation.Absence) (string, error) {
	if why == conversation.Closed {
		return w.text(v1alpha1.MessageUnavailable, nil), nil
	}
	return w.queuedText()
}

// askContact asks the customer for an address or number, unless they were asked before in this wait. Who left one is told
// that it will be used.
func (w *waiting) askContact(why conversation.Absence, action v1alpha1.UnavailableAction) error {
	by, ask := v1alpha1.ChannelTypeEmail, routing.TextAskEmail
	if action == v1alpha1.UnavailableCallback {
		by, ask = v1alpha1.ChannelTypePhone, routing.TextAskPhone
	}
	if err := w.do(w.conv.NobodyThere(why, nil, w.now)); err != nil {
		return err
	}
	told := w.text(ask, nil)
	if k := w.conv.Contact; k != nil {
		if k.Asked {
			return nil
		}
		known := conversation.Contact{Asked: true, By: by, Email: k.Email, Phone: k.Phone}
		told = w.kept(known)
	}
	return w.do(w.conv.AskContact(by, told, w.now))
}

// kept tells a customer how they will be answered.
func (w *waiting) kept(k conversation.Contact) string {
	if k.Over() == v1alpha1.ChannelTypeEmail {
		return w.text(routing.TextEmailKept, map[string]string{"contact": k.Email})
	}
	return w.text(routing.TextPhoneKept, map[string]string{"contact": k.Phone})
}

// readContact looks for the address or number that a customer who waits was asked for, in what they wrote. One that
// cannot be right is answered with what is wrong with it, and so is the first message without any.
func (w *waiting) readContact(text string) error {
	k := w.conv.Contact
	if w.conv.Owner.Kind != conversation.OwnerQueue || k == nil || !k.Asked {
		return nil
	}
	found := decide.Contact(text)
	given := k.Email != "" || k.Phone != ""
	switch {
	case found.Email == "" && found.Phone == "" && (given || !found.Attempt):
		return nil
	case found.Email == "" && found.Phone == "":
		hint := routing.TextEmailUnreadable
		if k.By == v1alpha1.ChannelTypePhone {
			hint = routing.TextPhoneUnreadable
		}
		return w.do(w.conv.Inform(w.text(hint, nil), w.now))
	case given && !found.Alone: // they write about some address, not about theirs
		return nil
	}
	return w.giveContact(found.Email, found.Phone)
}

// giveContact notes how a customer can be reached, and tells one who was asked how they will be answered.
func (w *waiting) giveContact(email, phone string) error {
	if err := w.do(w.conv.GiveContact(email, phone, w.now)); err != nil {
		return err
	}
	if k := w.conv.Contact; k.Asked && w.conv.Owner.Kind == conversation.OwnerQueue {
		return w.do(w.conv.Inform(w.kept(*k), w.now))
	}
	return nil
}

// customerWrote reacts to a message of a customer who waits for a human: it may be the address that they were asked for,
// or the first word to an agent who is gone since.
func (t *Tenant) customerWrote(tx store.Tx, c conversation.Conversation, text string, save func(conversation.Change) error) error {
	if c.Owner.Kind != conversation.OwnerQueue && c.Owner.Kind != conversation.OwnerAgent {
		return nil
	}
	in, err := t.inputs()
	if err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	if c.Owner.Kind == conversation.OwnerQueue {
		return newWaiting(tx, in.table, c, now, save).readContact(text)
	}
	return ownerGone(tx, in.table, c, now, save)
}

// ownerGone puts a conversation back whose customer waits for an agent who is offline, or never said to be there. Whoever goes offline locks all
// they own before: either they see what the customer waits for, or this sees that they are gone.
func ownerGone(tx store.Tx, tb *routing.Table, c conversation.Conversation, now time.Time, save func(conversation.Change) error) error {
	p, err := tx.Presence(c.Owner.ID)
	if err != nil || p.State != store.Offline && p.State != "" {
		return err
	}
	return agentGone(tx, tb, c, now, save)
}

// meetUnavailable looks at a conversation that waits.
func (d dueWork) meetUnavailable() error {
	c, err := d.tx.Conversation(d.Conversation)
	if err != nil {
		return err
	}
	if c.Owner.Kind != conversation.OwnerQueue {
		return nil
	}
	return newWaiting(d.tx, d.table, c, d.now, d.save).look()
}

func newWaiting(tx store.Tx, tb *routing.Table, c conversation.Conversation, now time.Time, save func(conversation.Change) error) *waiting {
	return &waiting{tx: tx, table: tb, route: routeOf(tb, c), conv: c, now: now, save: save}
}

// routeOf is the route of a conversation that waits.
func routeOf(tb *routing.Table, c conversation.Conversation) *routing.Route {
	return tb.Follow(wayOf(*c.Handoff), facts(c, *c.Handoff))
}

// agentGone puts a conversation whose agent is gone back to its old place in the queue, if the customer waits for an
// answer, and tells them. Whoever is in no pool any more keeps what they own: a colleague or supervisor takes it.
func agentGone(tx store.Tx, tb *routing.Table, c conversation.Conversation, now time.Time, save func(conversation.Change) error) error {
	if _, known := tb.AgentByEmail(c.Owner.ID); !known || !c.Unanswered() || !c.SnoozedUntil.IsZero() {
		return nil
	}
	w := newWaiting(tx, tb, c, now, save)
	told := []string{w.text(v1alpha1.MessageHandoff, nil)}
	if !tb.Closed(w.route, now) { // which look tells
		queued, err := w.queuedText()
		if err != nil {
			return err
		}
		told = append(told, queued)
	}
	if err := w.do(c.AgentGone(told, now)); err != nil {
		return err
	}
	return w.look() // the assigner offers it: agents' locks come after those of conversations
}
