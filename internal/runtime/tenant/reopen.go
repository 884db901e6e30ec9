package tenant

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// ReopenWindow is how long a closed conversation can be reopened: a week, in which customers find out that what was said
// to be solved is not. A message that comes later begins a new one.
const ReopenWindow = 7 * 24 * time.Hour

// maxMerges bounds how many merges a look-up follows. Each took a person's decision or a week.
const maxMerges = 1000

// GoesOn returns the id of the conversation that goes on for one: another one for what was merged, or came to its end and
// was continued; else the same.
func (t *Tenant) GoesOn(ctx context.Context, id string) (string, error) {
	err := t.store.View(ctx, func(r store.Reader) error {
		chain, err := goesOn(r, id)
		if err == nil {
			id = chain[len(chain)-1].ID
		}
		return err
	})
	return id, err
}

// goesOn follows a conversation to the one that goes on for it, which is the last.
func goesOn(r store.Reader, id string) (chain []conversation.Conversation, err error) {
	for range maxMerges {
		c, err := r.Conversation(id)
		if err != nil {
			return nil, fmt.Errorf("conversation %s: %w", id, err)
		}
		chain = append(chain, c)
		if id = c.MergedInto; id == "" {
			return chain, nil
		}
	}
	return nil, fmt.Errorf("conversation %s: more than %d merges", chain[0].ID, maxMerges)
}

// write saves a customer's message where it belongs: into the conversation if it is open, as its reopening if it was closed
// not long ago, and else into a new one.
func (t *Tenant) write(tx store.Tx, c conversation.Conversation, clientID, text string, save func(conversation.Change) error) (conversation.Event, error) {
	now, err := tx.Now()
	if err != nil {
		return conversation.Event{}, err
	}
	var change conversation.Change
	switch {
	case c.Owner.Kind != conversation.OwnerNobody:
		change, err = c.CustomerWrites(clientID, text, now)
	case now.Sub(c.ClosedAt) <= ReopenWindow:
		return t.reopen(tx, c, clientID, text, now, save)
	default:
		if c, err = t.continued(tx, c, now, save); err == nil {
			change, err = c.CustomerWrites(clientID, text, now)
		}
	}
	if err != nil {
		return conversation.Event{}, err
	}
	if err := save(change); err != nil {
		return conversation.Event{}, err
	}
	return said(change, clientID), t.customerWrote(tx, change.Conversation, text, save)
}

func said(change conversation.Change, clientID string) conversation.Event {
	i := slices.IndexFunc(change.Events, func(e conversation.Event) bool {
		return e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorCustomer && e.ClientID == clientID
	})
	return change.Events[i]
}

// reopen gives a closed conversation back to the human who had it, who comes before their pool, as long as they are an
// agent; otherwise to the AI. What went back to the AI too often goes to a human in any case.
func (t *Tenant) reopen(tx store.Tx, c conversation.Conversation, clientID, text string, now time.Time, save func(conversation.Change) error) (e conversation.Event, err error) {
	in, err := t.inputs()
	if err != nil {
		return e, err
	}
	last, there := in.table.AgentByEmail(c.LastAgent)
	if in.table.Policy == nil || c.Previous == nil || !there && !c.Bounced() {
		change, err := c.Reopen(clientID, text, nil, nil, now)
		if err != nil {
			return e, err
		}
		return said(change, clientID), save(change)
	}
	h := *c.Previous
	h.Pinned, h.Note, h.At = nil, "", now
	if there {
		h.Pinned = &conversation.Target{Agent: last.Email, Pool: poolOf(in.table, last.Email)}
	}
	_, err = enqueue(tx, in.table, c, h, now, save, func(h conversation.Handoff, told []string) (conversation.Change, error) {
		change, err := c.Reopen(clientID, text, &h, told, now)
		if err == nil {
			e = said(change, clientID)
		}
		return change, err
	})
	return e, err
}

// continued begins the conversation that goes on for a closed one. Who can open the one can open the other.
func (t *Tenant) continued(tx store.Tx, c conversation.Conversation, now time.Time, save func(conversation.Change) error) (next conversation.Conversation, err error) {
	token, err := tx.TokenHash(c.ID)
	if err != nil {
		return next, err
	}
	start := conversation.Start(conversation.Conversation{
		ID: rand.Text(), Channel: c.Channel, ChannelType: c.ChannelType, Customer: c.Customer, Language: c.Language,
		LastAgent: c.LastAgent, LastAgentAt: c.LastAgentAt,
	}, "", now)
	if err := tx.Create(start, token); err != nil {
		return next, fmt.Errorf("beginning a conversation that goes on for %s: %w", c.ID, err)
	}
	change, err := c.Continue(start.Conversation.ID, now)
	if err != nil {
		return next, err
	}
	return start.Conversation, save(change)
}
