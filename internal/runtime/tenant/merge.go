package tenant

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Merge closes a conversation in favour of another one of the same customer. Both logs stay; what the customer wrote in
// the closed one without an answer goes on in the other, and so does all that they write later.
func (t *Tenant) Merge(ctx context.Context, id, into string, by routing.Agent, supervisor bool) (out conversation.Conversation, err error) {
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		both, err := lockBoth(tx, id, into)
		if err != nil {
			return err
		}
		from, to := both[id], both[into]
		if err := mayMerge(from, to, by, supervisor); err != nil {
			return err
		}
		open, err := unanswered(tx, from)
		if err != nil {
			return err
		}
		cut, err := cutOf(tx, id)
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		merged, goesOn, err := from.MergeInto(to, person(by), open, cut, now)
		if err != nil {
			return err
		}
		out = goesOn.Conversation
		if err := save(merged); err != nil {
			return err
		}
		return save(goesOn)
	})
	return out, err
}

// lockBoth locks two conversations, in the order of their ids.
func lockBoth(tx store.Tx, ids ...string) (map[string]conversation.Conversation, error) {
	both := map[string]conversation.Conversation{}
	for _, id := range slices.Sorted(slices.Values(ids)) {
		c, err := tx.Conversation(id)
		if err != nil {
			return nil, fmt.Errorf("conversation %s: %w", id, err)
		}
		both[id] = c
	}
	return both, nil
}

// mayMerge lets an agent merge what they have with what no colleague has, and a supervisor anything.
func mayMerge(from, to conversation.Conversation, by routing.Agent, supervisor bool) error {
	mine := func(c conversation.Conversation) bool {
		return c.Owner == conversation.Owner{Kind: conversation.OwnerAgent, ID: by.Email}
	}
	for _, c := range []conversation.Conversation{from, to} {
		if !supervisor && c.Owner.Kind == conversation.OwnerAgent && !mine(c) {
			return &conversation.Refusal{Transition: conversation.Merge, Owner: c.Owner,
				Message: fmt.Sprintf("conversation %s belongs to agent %s; ask them or a supervisor", c.ID, c.Owner.ID)}
		}
	}
	if !supervisor && !mine(from) && !mine(to) {
		return &conversation.Refusal{Transition: conversation.Merge, Owner: from.Owner, Message: "neither conversation is yours; take one of them over first"}
	}
	return nil
}

// unanswered are the customer's newest messages, up to those of a window, that neither the AI nor a human answered.
func unanswered(r store.Reader, c conversation.Conversation) (open []conversation.Event, err error) {
	events, err := r.Events(c.ID, max(0, c.Seq-maxWindow), maxWindow)
	for _, e := range events {
		switch {
		case e.Type != conversation.EventMessage:
		case e.Author.Kind == conversation.AuthorCustomer:
			open = append(open, e)
		case e.Author.Kind == conversation.AuthorAgent:
			open = nil
		case e.Author.Kind == conversation.AuthorAI && !e.Unanswered && !e.Interrupted:
			open = slices.DeleteFunc(open, func(asked conversation.Event) bool { return asked.Seq <= e.AnswerTo })
		}
	}
	return open, err
}
