package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Transfer sends an agent's conversation on, with a note for the next human. A colleague, who must be there, is offered it
// before their pool is; a pool is offered it as from the queue; a line or helpdesk owns it at once.
func (t *Tenant) Transfer(ctx context.Context, id string, a routing.Agent, to conversation.Target, note string) (out conversation.Conversation, err error) {
	in, err := t.inputs()
	if err != nil {
		return out, err
	}
	if err := checkNote(note); err != nil {
		return out, err
	}
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		to, err := target(tx, in.table, to, now)
		if err != nil {
			return err
		}
		if to.Line == "" && to.Helpdesk == "" && c.Handoff != nil {
			h := *c.Handoff
			h.Pinned, h.At = &to, now
			out, err = enqueue(tx, in.table, c, h, now, save, func(_ conversation.Handoff, told []string) (conversation.Change, error) {
				return c.Transfer(person(a), to, note, told, now)
			})
		} else {
			var change conversation.Change
			if change, err = c.Transfer(person(a), to, note, handedOn(in.table, c), now); err != nil {
				return err
			}
			out, err = change.Conversation, save(change)
		}
		if err != nil {
			return err
		}
		return tx.Touch(a.Email, now)
	})
	return out, err
}

// handedOn is what the customer is told whose conversation goes to a line or helpdesk.
func handedOn(tb *routing.Table, c conversation.Conversation) []string {
	reason := v1alpha1.HandoffAgentTookOver
	if c.Handoff != nil {
		reason = c.Handoff.Reason
	}
	return []string{tb.Text(v1alpha1.MessageHandoff, languageOf(c), c.ChannelType, reason, nil)}
}

func checkNote(note string) error {
	if len(note) > MaxText {
		return &Invalid{"note", fmt.Sprintf("has %d bytes; at most %d are taken", len(note), MaxText)}
	}
	return nil
}

// target checks who a conversation is sent to, and completes it: an agent's pool is who comes after them.
func target(r store.Reader, tb *routing.Table, to conversation.Target, now time.Time) (conversation.Target, error) {
	named := slices.DeleteFunc([]string{to.Agent, to.Pool, to.Line, to.Helpdesk}, func(s string) bool { return s == "" })
	switch {
	case len(named) != 1:
		return to, &Invalid{"to", "name one of agent, pool, line and helpdesk"}
	case to.Agent != "":
		return colleague(r, tb, strings.ToLower(to.Agent), now)
	case to.Pool != "":
		names := poolNames(tb)
		if !slices.Contains(names, to.Pool) {
			return to, unknown("to.pool", to.Pool, "pool", names)
		}
	case to.Helpdesk != "":
		if names := helpdesks(tb); !slices.Contains(names, to.Helpdesk) {
			return to, unknown("to.helpdesk", to.Helpdesk, "helpdesk of its policy", names)
		}
	default:
		return to, &Invalid{"to.line", fmt.Sprintf("%q: no table names lines; transfer it to an agent, or to one of the pools %s", clip(to.Line), strings.Join(poolNames(tb), ", "))}
	}
	return to, nil
}

// colleague is the target for an agent: they come first while they are there, and their pool when they let it pass.
func colleague(r store.Reader, tb *routing.Table, email string, now time.Time) (to conversation.Target, err error) {
	a, ok := tb.AgentByEmail(email)
	if !ok {
		return to, unknown("to.agent", email, "agent", emails(tb))
	}
	p, err := r.Presence(a.Email)
	if err != nil {
		return to, err
	}
	to = conversation.Target{Agent: a.Email, Pool: poolOf(tb, a.Email)}
	if !p.Present(now) {
		return to, &Invalid{"to.agent", fmt.Sprintf("%s is not there now; transfer it to the pool %s, or to somebody who is online", a.Email, to.Pool)}
	}
	return to, nil
}

func unknown(field, value, what string, known []string) error {
	if len(known) == 0 {
		return &Invalid{field, fmt.Sprintf("%q is no %s of this Copilot, which has none", clip(value), what)}
	}
	return &Invalid{field, fmt.Sprintf("%q is no %s of this Copilot; there are %s", clip(value), what, strings.Join(known, ", "))}
}

func poolNames(tb *routing.Table) (names []string) {
	for _, p := range tb.Pools {
		names = append(names, p.Name)
	}
	return names
}

// poolOf is the first pool that an agent is in, or "".
func poolOf(tb *routing.Table, email string) string {
	for _, p := range tb.Pools {
		if slices.ContainsFunc(p.Agents, func(a routing.Agent) bool { return a.Email == email }) {
			return p.Name
		}
	}
	return ""
}

// helpdesks are the names of those that the policy hands off to.
func helpdesks(tb *routing.Table) (names []string) {
	if tb.Policy == nil {
		return nil
	}
	for _, r := range tb.Policy.Routes {
		for _, target := range r.Targets {
			names = append(names, target.Helpdesk)
		}
	}
	for _, step := range slices.Concat(tb.Policy.Unavailable.Closed, tb.Policy.Unavailable.Busy) {
		names = append(names, step.Helpdesk)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(s string) bool { return s == "" })
}
