package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// SetPresence says whether an agent can be offered work, until a time at most. An agent who goes away gives the offers
// they have back to the queue.
func (t *Tenant) SetPresence(ctx context.Context, a routing.Agent, state store.PresenceState, until time.Time) (store.Presence, error) {
	p := store.Presence{Email: a.Email, State: state, Until: until}
	if !slices.Contains([]store.PresenceState{store.Online, store.Away, store.Offline}, state) {
		return p, &Invalid{"state", fmt.Sprintf("%q is not a presence; use online, away or offline", clip(string(state)))}
	}
	if state != store.Online {
		p.Until = time.Time{}
	}
	err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		if state == store.Online {
			return tx.SetPresence(p)
		}
		offered, err := lockOffers(tx, a.Email)
		if err != nil {
			return err
		}
		if err := tx.SetPresence(p); err != nil {
			return err
		}
		for _, c := range offered {
			change, err := c.OfferExpires(t.clock.Now())
			if err != nil {
				return err
			}
			if err := save(change); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && state == store.Online {
		t.wakeAssigner()
	}
	return p, err
}

// lockOffers locks the conversations that an agent is offered, and then the agent, who is offered nothing more before
// the transaction ends. It returns store.ErrAgain if there was another offer between.
func lockOffers(tx store.Tx, email string) (offered []conversation.Conversation, err error) {
	held, err := tx.OwnedBy(email)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(held, func(a, b conversation.Conversation) int { return strings.Compare(a.ID, b.ID) })
	locked := map[string]bool{}
	for _, c := range held {
		if c, err = tx.Conversation(c.ID); err != nil {
			return nil, err
		}
		if c.Offer != nil && c.Offer.Agent.Email == email {
			offered = append(offered, c)
			locked[c.ID] = true
		}
	}
	if _, err := tx.Agents(email); err != nil {
		return nil, err
	}
	held, err = tx.OwnedBy(email)
	for _, c := range held {
		if c.Offer != nil && !locked[c.ID] {
			return nil, fmt.Errorf("offers of %s: %w", email, store.ErrAgain)
		}
	}
	return offered, err
}

// Presence returns an agent's presence; an agent who never said anything is offline.
func (t *Tenant) Presence(ctx context.Context, email string) (p store.Presence, err error) {
	err = t.store.View(ctx, func(r store.Reader) error {
		all, err := r.Presences()
		p = all[email]
		return err
	})
	if p.State == "" || (p.State == store.Online && !p.Present(t.clock.Now())) {
		p = store.Presence{Email: email, State: store.Offline}
	}
	return p, err
}
