package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Agent returns the agent of the table in use who has an e-mail address; false if there is none.
func (t *Tenant) Agent(email string) (routing.Agent, bool, error) {
	in, err := t.inputs()
	if err != nil {
		return routing.Agent{}, false, err
	}
	a, ok := in.table.AgentByEmail(email)
	return a, ok, nil
}

func agentAuthor(a routing.Agent) conversation.Author {
	return conversation.Author{Kind: conversation.AuthorAgent, ID: a.Email, Name: a.DisplayName}
}

func person(a routing.Agent) conversation.Person {
	return conversation.Person{Email: a.Email, Name: a.DisplayName}
}

// Queue returns up to limit conversations that wait without an offer, longest waiting first, and how many wait.
func (t *Tenant) Queue(ctx context.Context, skip, limit int) (out []conversation.Conversation, waiting int, err error) {
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		if waiting, err = r.CountWaiting(); err != nil {
			return err
		}
		out, err = r.Waiting(skip, limit)
		return err
	})
	return out, waiting, err
}

// Mine returns the conversations that an agent owns or is offered, longest waiting first, and their wrap-ups.
func (t *Tenant) Mine(ctx context.Context, email string) (out []conversation.Conversation, wrapUps []store.WrapUp, err error) {
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		if out, err = r.OwnedBy(email); err != nil {
			return err
		}
		wrapUps, err = r.WrapUpsOf(email)
		return err
	})
	return out, wrapUps, err
}

// Accept takes the offer that an agent has.
func (t *Tenant) Accept(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error) {
	return t.take(ctx, id, a, func(_ store.Tx, c conversation.Conversation, told string, now time.Time) (conversation.Change, error) {
		return c.Accept(person(a), told, now)
	})
}

// Decline says no to the offer that an agent has.
func (t *Tenant) Decline(ctx context.Context, id string, a routing.Agent) (out conversation.Conversation, err error) {
	err = t.move(ctx, id, &out, func(tx store.Tx, c conversation.Conversation, now time.Time) (change conversation.Change, err error) {
		if change, err = c.Decline(person(a), now); err != nil {
			return change, err
		}
		locked, err := tx.Agents(a.Email)
		if err != nil {
			return change, err
		}
		return change, answered(tx, locked[a.Email].Presence)
	})
	return out, err
}

// TakeOver gives an agent a conversation that the AI, the queue or a line owns, or an agent who is in no pool any more. An
// answer in progress is cut: what was released of it is kept as an interrupted message, and nothing more of it is. Taking
// over what one owns changes nothing.
func (t *Tenant) TakeOver(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error) {
	in, err := t.inputs()
	if err != nil {
		return conversation.Conversation{}, err
	}
	return t.take(ctx, id, a, func(tx store.Tx, c conversation.Conversation, told string, now time.Time) (conversation.Change, error) {
		cost := in.table.Cost(a.Email, c.AnswerBy())
		if _, there := in.table.AgentByEmail(c.Owner.ID); c.Owner.Kind == conversation.OwnerAgent && !there {
			return c.Adopt(person(a), cost, told, now)
		}
		h, cut, err := handoffOf(tx, c, in, v1alpha1.HandoffAgentTookOver)
		if err != nil {
			return conversation.Change{}, err
		}
		return c.TakeOver(person(a), cost, h, cut, told, now)
	})
}

// take saves a transition that makes an agent the owner, and tells the customer who it is. A repeated request of the
// owner's changes nothing.
func (t *Tenant) take(ctx context.Context, id string, a routing.Agent, move func(store.Tx, conversation.Conversation, string, time.Time) (conversation.Change, error)) (out conversation.Conversation, err error) {
	in, err := t.inputs()
	if err != nil {
		return out, err
	}
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		if c.Owner == (conversation.Owner{Kind: conversation.OwnerAgent, ID: a.Email}) {
			out = c
			return nil
		}
		change, err := move(tx, c, assigned(in.table, c, a), now)
		if err != nil {
			return err
		}
		agents := []string{a.Email}
		if c.Offer != nil { // who loses it
			agents = append(agents, c.Offer.Agent.Email)
		}
		if c.Owner.Kind == conversation.OwnerAgent {
			agents = append(agents, c.Owner.ID)
		}
		locked, err := tx.Agents(agents...)
		if err != nil {
			return err
		}
		if err := t.atWork(tx, a.Email, locked[a.Email].Presence, now); err != nil {
			return err
		}
		if err := tx.Touch(a.Email, now); err != nil {
			return err
		}
		if err := save(change); err != nil {
			return err
		}
		out, err = endWrapUpOf(tx, change.Conversation, a.Email, now, save) // they have it again
		return err
	})
	return out, err
}

// Reply takes a message of the agent who owns the conversation. A clientID that was used before returns the event of
// the first time.
func (t *Tenant) Reply(ctx context.Context, id string, a routing.Agent, clientID, text string) (conversation.Event, error) {
	return t.post(ctx, post{id: id, author: agentAuthor(a), kind: conversation.EventMessage, clientID: clientID, text: text},
		once(func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
			return c.AgentReplies(person(a), clientID, text, t.idle(c), now)
		}))
}

// Note takes a note that only agents see. A clientID that was used before returns the event of the first time.
func (t *Tenant) Note(ctx context.Context, id string, a routing.Agent, clientID, text string) (conversation.Event, error) {
	return t.post(ctx, post{id: id, author: agentAuthor(a), kind: conversation.EventNote, clientID: clientID, text: text},
		once(func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
			return c.AgentNotes(person(a), clientID, text, now)
		}))
}

// maxDisposition bounds a disposition, in bytes: a name, not a report.
const maxDisposition = 64

// Resolve ends the human part, with what came of it: the AI answers again, or the conversation is closed, as the policy
// says.
func (t *Tenant) Resolve(ctx context.Context, id string, a routing.Agent, disposition string) (conversation.Conversation, error) {
	if len(disposition) > maxDisposition {
		return conversation.Conversation{}, &Invalid{"disposition", fmt.Sprintf("%q is no name of an outcome; give up to %d bytes", clip(disposition), maxDisposition)}
	}
	return t.release(ctx, id, a, func(c conversation.Conversation, tb *routing.Table, background, language string, now time.Time) (conversation.Change, error) {
		return c.Resolve(person(a), conversation.Outcome{
			ToAI: tb.Policy == nil || tb.Policy.ReturnToAI.OnResolve, Disposition: disposition, Background: background,
			Told: tb.Text(v1alpha1.MessageResolved, language, c.ChannelType, "", nil),
		}, now)
	})
}

// ReturnToAI gives the conversation back to the AI.
func (t *Tenant) ReturnToAI(ctx context.Context, id string, a routing.Agent) (conversation.Conversation, error) {
	return t.release(ctx, id, a, func(c conversation.Conversation, tb *routing.Table, background, language string, now time.Time) (conversation.Change, error) {
		told := tb.Text(v1alpha1.MessageReturned, language, c.ChannelType, "", nil)
		return c.ReturnToAI(person(a), background, told, now)
	})
}

// release saves a transition that ends an agent's work on a conversation.
func (t *Tenant) release(ctx context.Context, id string, a routing.Agent, move func(c conversation.Conversation, tb *routing.Table, background, language string, now time.Time) (conversation.Change, error)) (out conversation.Conversation, err error) {
	in, err := t.inputs()
	if err != nil {
		return out, err
	}
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		events, err := tx.Events(id, max(c.Window, c.Seq-maxWindow), maxWindow)
		if err != nil {
			return err
		}
		change, err := move(c, in.table, humanPart(events), languageOf(c), now)
		if err != nil {
			return err
		}
		if err := tx.Touch(a.Email, now); err != nil {
			return err
		}
		out, err = finish(change, wrapUpAfter(in.table, c, now), now, save)
		return err
	})
	return out, err
}

// languageOf is the language in which a customer is told what happens to their conversation.
func languageOf(c conversation.Conversation) string {
	if c.Handoff != nil && c.Handoff.Language != "" {
		return c.Handoff.Language
	}
	return c.Language
}

// assigned is what a customer is told when an agent gets their conversation.
func assigned(tb *routing.Table, c conversation.Conversation, a routing.Agent) string {
	reason := v1alpha1.HandoffAgentTookOver
	if c.Handoff != nil {
		reason = c.Handoff.Reason
	}
	return tb.Text(v1alpha1.MessageAssigned, languageOf(c), c.ChannelType, reason, map[string]string{"agent": a.DisplayName})
}
