package tenant

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// reasonSupervisor is why an agent is away whom a supervisor set so without saying why.
const reasonSupervisor = "Supervisor"

// Member is an agent as supervisors see them.
type Member struct {
	Agent routing.Agent
	Pools []string
	// Presence is what counts now.
	Presence store.Presence
	// Units is what they hold of their capacity.
	Units int
}

// Staff lists the agents of all pools by their e-mail address, for a supervisor, and notes who read it.
func (t *Tenant) Staff(ctx context.Context, who Session) (staff []Member, err error) {
	in, err := t.inputs()
	if err != nil {
		return nil, err
	}
	members := map[string]*Member{}
	for _, p := range in.table.Pools {
		for _, a := range p.Agents {
			if members[a.Email] == nil {
				members[a.Email] = &Member{Agent: a}
			}
			members[a.Email].Pools = append(members[a.Email].Pools, p.Name)
		}
	}
	err = t.store.Update(ctx, func(tx store.Tx) error {
		presences, err := tx.Presences()
		if err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		loads, err := tx.Loads()
		if err != nil {
			return err
		}
		for email, m := range members {
			m.Presence, m.Units = shown(presences[email], email, now), loads[email].Units
		}
		return t.trail(tx, who, store.AuditEntry{Action: "staff_listed", Detail: fmt.Sprintf("%d agents", len(members))})
	})
	for _, m := range members {
		staff = append(staff, *m)
	}
	slices.SortFunc(staff, func(a, b Member) int { return strings.Compare(a.Agent.Email, b.Agent.Email) })
	return staff, err
}

// SetAgentAway sets an agent busy, away or offline, as a supervisor wants it: what they were offered goes back to its old
// place in the queue. They come back by themselves. It is in the audit trail.
func (t *Tenant) SetAgentAway(ctx context.Context, who Session, email string, state store.PresenceState, reason string) (p store.Presence, err error) {
	in, err := t.inputs()
	if err != nil {
		return p, err
	}
	a, ok := in.table.AgentByEmail(email)
	if !ok {
		return p, unknown("email", email, "agent", emails(in.table))
	}
	if state == store.Online {
		return p, &Invalid{"state", fmt.Sprintf("%q is for the agent to say; use busy, away or offline", state)}
	}
	if reason == "" {
		reason = reasonSupervisor
	}
	return t.setPresenceOf(ctx, a, state, reason, time.Time{}, func(tx store.Tx) error {
		return t.trail(tx, who, store.AuditEntry{Action: "agent_presence_set", Subject: a.Email, Detail: string(state)})
	})
}
