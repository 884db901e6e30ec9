package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Reassignment is to whom a supervisor gives a conversation.
type Reassignment struct {
	// To is the new owner: Agent, Queue, AI or Nobody.
	To conversation.OwnerKind
	// Agent is an e-mail address, for Agent.
	Agent string
	// Pool is who it waits for in the queue; empty for whoever the policy's route names.
	Pool string
	// Note is for the next human.
	Note string
}

func (r Reassignment) check() error {
	kinds := []conversation.OwnerKind{conversation.OwnerAgent, conversation.OwnerQueue, conversation.OwnerAI, conversation.OwnerNobody}
	switch {
	case !slices.Contains(kinds, r.To):
		return &Invalid{"to", fmt.Sprintf("%q is no owner to reassign to; use Agent, Queue, AI or Nobody", clip(string(r.To)))}
	case r.Agent != "" && r.To != conversation.OwnerAgent:
		return &Invalid{"agent", fmt.Sprintf("is for an agent; leave it out with to %s", r.To)}
	case r.Pool != "" && r.To != conversation.OwnerQueue:
		return &Invalid{"pool", fmt.Sprintf("is for the queue; leave it out with to %s", r.To)}
	}
	return checkNote(r.Note)
}

// Reassign gives a conversation to whom a supervisor says, whoever has it. An agent must be there to be given one; they
// get it as their own, also beyond their capacity.
func (t *Tenant) Reassign(ctx context.Context, id string, by routing.Agent, r Reassignment) (out conversation.Conversation, err error) {
	in, err := t.inputs()
	if err != nil {
		return out, err
	}
	if err := r.check(); err != nil {
		return out, err
	}
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		re := conversation.Reassignment{To: r.To, Note: r.Note}
		if re.Handoff, re.Cut, err = handoffOf(tx, c, in, v1alpha1.HandoffAgentTookOver); err != nil {
			return err
		}
		if r.To == conversation.OwnerQueue {
			out, err = t.reassignToQueue(tx, c, by, r, re, now, save)
			return err
		}
		if out, err = t.reassign(tx, c, by, r, re, now, save); err != nil {
			return err
		}
		for _, o := range []conversation.Owner{c.Owner, out.Owner} {
			if o.Kind == conversation.OwnerAgent {
				if err := tx.Touch(o.ID, now); err != nil {
					return err
				}
			}
		}
		if out.Owner.Kind == conversation.OwnerAgent {
			out, err = endWrapUpOf(tx, out, out.Owner.ID, now, save)
		}
		return err
	})
	return out, err
}

// reassign gives it to an agent, the AI or nobody.
func (t *Tenant) reassign(tx store.Tx, c conversation.Conversation, by routing.Agent, r Reassignment, re conversation.Reassignment, now time.Time, save func(conversation.Change) error) (conversation.Conversation, error) {
	in, err := t.inputs()
	if err != nil {
		return c, err
	}
	switch r.To {
	case conversation.OwnerAgent:
		to, err := colleague(tx, in.table, strings.ToLower(r.Agent), now)
		if err != nil {
			return c, renamed(err, "agent")
		}
		a, _ := in.table.AgentByEmail(to.Agent)
		re.Agent, re.Cost = person(a), in.table.Cost(a.Email, c.AnswerBy())
		re.Told = []string{assigned(in.table, c, a)}
	case conversation.OwnerAI:
		re.Told = []string{in.table.Text(v1alpha1.MessageReturned, languageOf(c), c.ChannelType, "", nil)}
	default:
		re.Told = []string{in.table.Text(v1alpha1.MessageResolved, languageOf(c), c.ChannelType, "", nil)}
	}
	if r.To != conversation.OwnerAgent {
		events, err := tx.Events(c.ID, max(c.Window, c.Seq-maxWindow), maxWindow)
		if err != nil {
			return c, err
		}
		re.Background = humanPart(events)
	}
	change, err := c.Reassign(person(by), re, now)
	if err != nil {
		return c, err
	}
	return change.Conversation, save(change)
}

// reassignToQueue lets it wait for a pool, or for whoever the route names.
func (t *Tenant) reassignToQueue(tx store.Tx, c conversation.Conversation, by routing.Agent, r Reassignment, re conversation.Reassignment, now time.Time, save func(conversation.Change) error) (conversation.Conversation, error) {
	in, err := t.inputs()
	if err != nil {
		return c, err
	}
	h := re.Handoff
	if c.Handoff != nil {
		h = *c.Handoff
	} else {
		h.At = now
	}
	if r.Pool != "" {
		to, err := target(tx, in.table, conversation.Target{Pool: r.Pool}, now)
		if err != nil {
			return c, renamed(err, "pool")
		}
		re.Target = &to
	}
	h.Pinned = re.Target
	return enqueue(tx, in.table, c, h, now, save, func(assessed conversation.Handoff, told []string) (conversation.Change, error) {
		re.Handoff, re.Told = assessed, told
		return c.Reassign(person(by), re, now)
	})
}

// renamed is an Invalid about another field.
func renamed(err error, field string) error {
	if invalid := (*Invalid)(nil); errors.As(err, &invalid) {
		return &Invalid{field, invalid.Message}
	}
	return err
}
