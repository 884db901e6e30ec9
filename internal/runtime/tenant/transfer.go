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

// Transfer sends an agent's conversation on, with a note for the next human. A colleague, who must be there, is offered it
// before their pool is; a pool is offered it as from the queue.
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
		var h conversation.Handoff // none in progress: it is not the agent's, which the transition says
		if c.Handoff != nil {
			h = *c.Handoff
		}
		h.Pinned, h.At = &to, now
		out, err = enqueue(tx, in.table, c, h, now, save, func(_ conversation.Handoff, told []string) (conversation.Change, error) {
			return c.Transfer(person(a), to, note, told, now)
		})
		if err != nil {
			return err
		}
		return tx.Touch(a.Email, now)
	})
	return out, err
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
		return to, notServed(tb, "to.helpdesk", to.Helpdesk, "helpdesks are not served yet")
	default:
		return to, notServed(tb, "to.line", to.Line, "no table names lines")
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

// notServed refuses a target, and says where it can go instead.
func notServed(tb *routing.Table, field, value, why string) error {
	return &Invalid{field, fmt.Sprintf("%q: %s; transfer it to an agent, or to one of the pools %s", clip(value), why, strings.Join(poolNames(tb), ", "))}
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
