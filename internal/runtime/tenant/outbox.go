package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/events"
	"github.com/opencopilot/handoff-operator/internal/runtime/outbox"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

// The kinds of destinations, which begin their names.
const (
	ToWebhook  = "webhook/"
	ToHelpdesk = "helpdesk/"
	ToLine     = "line/"
)

// tell puts into the outbox what a change has to tell outside, in the transaction that saves it.
func (t *Tenant) tell(tx store.Tx, c conversation.Change) error {
	in := t.current.Load()
	if in == nil || len(in.table.Copilot.Webhooks) == 0 {
		return nil
	}
	all, err := events.Of(c)
	if err != nil {
		return err
	}
	for _, w := range in.table.Copilot.Webhooks {
		for _, e := range all {
			if len(w.Events) > 0 && !slices.Contains(w.Events, e.Name) {
				continue
			}
			err := tx.Enqueue(store.Message{Conversation: c.Conversation.ID, Destination: ToWebhook + w.Name, Kind: e.Name, Payload: e.Data, At: e.At})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// newSenders makes the senders of all destinations of a set of inputs.
func (t *Tenant) newSenders(in table.Inputs) map[string]outbox.Sender {
	senders := map[string]outbox.Sender{}
	c := in.Table.Copilot
	for _, w := range c.Webhooks {
		h := &events.Webhook{URL: w.URL, Organization: c.Namespace + "/" + c.Name, Client: t.webhooks, Now: t.clock.Now,
			Secret: in.Secrets[w.SigningSecret.Name][w.SigningSecret.Key]}
		if len(h.Secret) == 0 {
			h.Missing = fmt.Sprintf("Secret %q has no key %q, or it is empty", w.SigningSecret.Name, w.SigningSecret.Key)
		}
		senders[ToWebhook+w.Name] = h
	}
	return senders
}

// sender returns who delivers to a destination now, or nil.
func (t *Tenant) sender(destination string) outbox.Sender {
	in := t.current.Load()
	if in == nil {
		return notYet{}
	}
	return in.senders[destination]
}

// notYet sends nothing before there is a table that says where to.
type notYet struct{}

func (notYet) Send(context.Context, store.Delivery) (string, error) { return "", ErrNotReady }

// Echo says whether something that a helpdesk or line tells of, by its id there, is what we put there ourselves: it must
// not come back into the conversation.
func (t *Tenant) Echo(ctx context.Context, destination, remote string) (ours bool, err error) {
	err = t.store.View(ctx, func(r store.Reader) error {
		_, err := r.SentAs(destination, remote)
		ours = err == nil
		return err
	})
	return ours, ignoreNotFound(err)
}

// Outbox returns how much is pending and dead, and up to limit of the dead letters behind one.
func (t *Tenant) Outbox(ctx context.Context, after int64, limit int) (levels []store.Level, dead []store.Delivery, err error) {
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		if levels, err = r.OutboxLevels(); err != nil {
			return err
		}
		dead, err = r.DeadLetters(after, limit)
		return err
	})
	return levels, dead, err
}

// Replay lets dead letters be tried again, for a supervisor: one by its id, or with 0 all of a destination, of which an
// empty one is any. It returns how many.
func (t *Tenant) Replay(ctx context.Context, who Session, id int64, destination string) (n int, err error) {
	dead := []store.Delivery{{ID: id}}
	if id == 0 {
		if dead, err = t.allDead(ctx, destination); err != nil {
			return 0, err
		}
	}
	for _, d := range dead {
		err := t.store.Update(ctx, func(tx store.Tx) error {
			if err := tx.Replay(d.ID); err != nil {
				return err
			}
			return t.trail(tx, who, store.AuditEntry{Action: "dead_letter_replayed", Conversation: d.Conversation, Subject: d.Key, Detail: fmt.Sprint(d.ID)})
		})
		if id == 0 && ignoreNotFound(err) == nil {
			err = nil // another one replayed it meanwhile
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// allDead reads all dead letters of a destination.
func (t *Tenant) allDead(ctx context.Context, destination string) (all []store.Delivery, err error) {
	for after := int64(0); ; {
		_, page, err := t.Outbox(ctx, after, queuePage)
		if err != nil {
			return nil, err
		}
		for _, d := range page {
			after = d.ID
			if destination == "" || strings.EqualFold(d.Destination, destination) {
				all = append(all, d)
			}
		}
		if len(page) < queuePage {
			return all, nil
		}
	}
}
