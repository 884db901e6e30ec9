package conversation

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/golden"
)

const docHead = `# Who owns a conversation

<!-- Drawn from Transitions in internal/runtime/conversation by
     go test ./internal/runtime/conversation -run TestDoc -update; edit that table, not this file. -->

A conversation belongs to exactly one owner at any time: the AI, the queue, one agent, a phone line, a helpdesk, or
nobody (closed). Each change of owner raises its epoch by one, in the transaction that writes the change down. What the
AI says is written only at the epoch at which its turn began, so the AI never speaks over a human: an answer that is cut by
a handoff or a takeover ends with the part that the customer has seen. What is not in this table cannot happen; it is
refused with the reason.

What the table does not show:

- **Transfer.** An agent sends a conversation on with a note, which the next human finds in its handoff. A colleague must be
  there at that moment, and gets an offer before anybody else, as to a known worker in Twilio TaskRouter: nobody is given
  work that they did not take, and a colleague who declines, lets the offer pass or goes away does not hold the customer up,
  since their pool comes next. A pool is offered it as from the queue. In the queue its wait counts from the transfer.
- **Snooze.** The agent keeps a snoozed conversation, but it takes none of their capacity, as a pending ticket does not in
  Zendesk and a snoozed one in Intercom. It wakes at its time, when the customer writes, or when the agent wants it, and then
  counts again, also beyond the agent's capacity: no offer comes before there is room.
- **Wrap-up.** It is the agent's own and outlasts whatever becomes of the conversation: their units stay taken until its time is up, they
  are done, or they have the conversation again.
- **Line and helpdesk.** The transitions to and from them are here for the adapters that will make them. This release serves neither:
  nothing leads to them, and an agent who names one is refused.
- **Silence.** ` + "`returnToAI.customerIdle`" + ` counts from a human's message. A message of the customer, a snooze or a new owner ends
  the count. The time is that of the policy at the human's message.
- **Bouncing.** What went back to the AI three times, a constant that no field sets, stays with humans: an agent who returns it is refused, told why; resolved or
  left by a silent customer it is closed, with a note, and reopened it goes to a human. A supervisor may give it to the AI all
  the same, which begins the count anew.
- **Leaving.** A customer leaves when their page says so. If the AI owes them an answer, or had none for their last question, a
  human follows it up (CustomerLeft). Otherwise it is noted for who owns it.
- **Reopening.** A message to a conversation that was closed at most seven days ago, a constant as well, reopens it: for the agent who had it last,
  before their pool, as long as they are an agent, and else for the AI with a fresh window. A later one begins a new
  conversation, which the same token opens.
- **Merging.** Two conversations of one customer become one: one is closed, the other goes on. Both logs stay. What the customer
  wrote without an answer goes along, and what they write to the closed one later is taken there. Since nothing proves that
  they are one person, the token of the closed one opens the other only from the merge on, and the other's token does not show what
  went along. Who exports or erases a customer exports or erases all that was merged with what they have.

`

// renderDoc draws the state machine: a diagram of the changes of owner, and a table of every transition.
func renderDoc(rows []Transition) string {
	var b strings.Builder
	b.WriteString(docHead + "```mermaid\nstateDiagram-v2\n    [*] --> AI: Start\n")
	type edge struct{ from, to OwnerKind }
	var order []edge
	names := map[edge][]string{}
	for _, row := range rows {
		for _, from := range row.From {
			for _, to := range row.to(from) {
				e := edge{from, to}
				if names[e] == nil {
					order = append(order, e)
				}
				names[e] = append(names[e], string(row.Name))
			}
		}
	}
	for _, e := range order {
		fmt.Fprintf(&b, "    %s --> %s: %s\n", e.from, e.to, strings.Join(names[e], ", "))
	}
	b.WriteString("```\n\n| Transition | While it belongs to | Then it belongs to | If | Written |\n| --- | --- | --- | --- | --- |\n")
	for _, row := range rows {
		to := "the same, same epoch"
		if len(row.To) > 0 {
			to = list(row.To)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", row.Name, list(row.From), to, row.Guard, row.Effect)
	}
	return b.String()
}

func (t Transition) to(from OwnerKind) []OwnerKind {
	if len(t.To) == 0 {
		return []OwnerKind{from}
	}
	return t.To
}

func list(kinds []OwnerKind) string {
	var s []string
	for _, k := range kinds {
		s = append(s, string(k))
	}
	return strings.Join(s, ", ")
}

func TestDoc(t *testing.T) {
	t.Parallel()
	golden.Compare(t, filepath.Join("..", "..", "..", "docs", "conversation.md"), []byte(renderDoc(Transitions)))
}

// Each owner can be reached and left.
func TestNoOwnerIsADeadEnd(t *testing.T) {
	t.Parallel()
	for _, owner := range owners {
		var in, out bool
		for _, row := range Transitions {
			in = in || slices.Contains(row.To, owner)
			out = out || (slices.Contains(row.From, owner) && slices.ContainsFunc(row.To, func(to OwnerKind) bool { return to != owner }))
		}
		if !in || !out {
			t.Errorf("owner %s can be reached: %v, left: %v", owner, in, out)
		}
	}
}
