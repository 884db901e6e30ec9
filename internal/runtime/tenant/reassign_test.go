package tenant_test

import (
	"errors"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// What a supervisor puts into the queue has the route and points of any other handoff, whoever had it.
func TestReassignedToTheQueueIsRouted(t *testing.T) {
	t.Parallel()
	table := Table(1, 1)
	table.Policy.Routes[0].Name = "all"
	table.Policy.Priorities = []routing.Priority{{Name: "web", Expression: `channel.type == "Web"`, Add: 5}}
	w := New(t, Options{Table: table})
	a0 := w.AgentNamed("a0")
	byAI, _ := w.OpenConversation()
	byAgent, _ := w.OpenConversation()
	w.Do(w.TakeOver(t.Context(), byAgent, a0))
	for name, id := range map[string]string{"AI": byAI, "agent": byAgent} {
		c := w.Do(w.Reassign(t.Context(), id, a0, tenant.Reassignment{To: conversation.OwnerQueue}))
		if h := c.Handoff; h == nil || h.Route != "all" || h.Priority != 5 {
			t.Errorf("from the %s: the handoff is %+v", name, h)
		}
	}
}

// No database keeps U+0000 in a text, so who says that it is in their name is told.
func TestACustomerWithoutText(t *testing.T) {
	t.Parallel()
	w := New(t, Options{})
	for _, c := range []conversation.Customer{{ID: "a\x00b"}, {Name: "\x00"}, {Email: "ada\x00@example.com"}, {Name: "\xff"}} {
		_, _, err := w.Open(t.Context(), tenant.NewConversation{ChannelToken: Token, Customer: c})
		if invalid := (*tenant.Invalid)(nil); !errors.As(err, &invalid) || invalid.Field != "customer" {
			t.Errorf("%q: %v", c, err)
		}
	}
}
