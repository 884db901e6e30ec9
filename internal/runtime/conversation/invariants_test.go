package conversation

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// What a customer must never see; agents' addresses contain agentDomain.
const (
	secretNote  = "SECRET-NOTE"
	agentDomain = "@agents.example"
)

func secretHandoff() Handoff {
	return Handoff{Reason: v1alpha1.HandoffHumanRequested, Sentiment: v1alpha1.SentimentAngry, Confidence: 0.5,
		Evidence: []string{"SECRET-EVIDENCE"}, Summary: "SECRET-SUMMARY", CustomerSummary: "summary for the customer"}
}

// check compares the conversation with the reference and replays the log.
func (m *machine) check(t *rapid.T) {
	c := m.conv
	want := Owner{Kind: m.owner}
	if m.owner == OwnerAgent {
		want.ID = m.agent
	}
	if c.Owner != want || c.Epoch != m.epoch {
		t.Fatalf("owner %v at epoch %d, want %v at %d", c.Owner, c.Epoch, want, m.epoch)
	}
	if c.Pending != m.owed {
		t.Fatalf("pending %d, want %d", c.Pending, m.owed)
	}
	if c.Handoffs != m.handoffs {
		t.Fatalf("%d handoffs, want %d", c.Handoffs, m.handoffs)
	}
	m.checkParts(t)
	m.replay(t)
	for _, e := range m.log {
		checkForCustomer(t, e)
	}
	var stored Conversation
	if err := json.Unmarshal([]byte(asJSON(t, c)), &stored); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, stored); diff != "" {
		t.Fatalf("a conversation is not what is stored of it:\n%s", diff)
	}
}

// checkParts checks what may be set under which owner.
func (m *machine) checkParts(t *rapid.T) {
	c := m.conv
	if (c.Offer != nil) != m.offered || (m.offered && c.Offer.Agent.Email != m.agent) {
		t.Fatalf("offer %+v, want one: %v to %s", c.Offer, m.offered, m.agent)
	}
	human := m.owner == OwnerQueue || m.owner == OwnerAgent
	if (c.Handoff != nil) != human || (human && c.Handoff.Number != m.handoffs) {
		t.Fatalf("handoff %+v under owner %s, want number %d", c.Handoff, m.owner, m.handoffs)
	}
	if (c.Cost > 0) != (m.owner == OwnerAgent) {
		t.Fatalf("cost %d under owner %s", c.Cost, m.owner)
	}
}

// replay walks through the log, which alone has to show every invariant.
func (m *machine) replay(t *rapid.T) {
	var (
		owner      OwnerKind
		epoch      int64
		handoffs   int
		turns      int
		asked      = map[int64]int64{} // customers' messages to the AI: the epoch of each
		answeredBy = map[int64]string{}
		since      int64 // the event that began the owner's time
	)
	for i, e := range m.log {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d has number %d", i+1, e.Seq)
		}
		raised := e.Epoch - epoch
		if e.Owner != nil && e.Owner.Kind != owner {
			owner, since, turns = e.Owner.Kind, e.Seq, 0
		} else if raised != 0 && (e.Type != EventHandoff || m.log[i+1].Type != EventTakenOver) {
			t.Fatalf("event %d (%s) raises the epoch without a new owner", e.Seq, e.Type)
		}
		if raised < 0 || raised > 1 {
			t.Fatalf("event %d goes from epoch %d to %d", e.Seq, epoch, e.Epoch)
		}
		epoch = e.Epoch
		switch {
		case e.Type == EventHandoff:
			if handoffs++; e.Handoff.Number != handoffs {
				t.Fatalf("handoff %d has number %d", handoffs, e.Handoff.Number)
			}
		case e.Type != EventMessage:
		case e.Author.Kind == AuthorCustomer && owner == OwnerAI:
			asked[e.Seq] = epoch
		case e.Author.Kind == AuthorAI && e.AnswerTo != 0:
			if owner != OwnerAI {
				t.Fatalf("the AI says %q while %s owns the conversation", e.Text, owner)
			}
			if at, ok := asked[e.AnswerTo]; !ok || at != epoch {
				t.Fatalf("at epoch %d the AI answers message %d, asked at epoch %d", epoch, e.AnswerTo, at)
			}
			if before, ok := answeredBy[e.AnswerTo]; ok {
				t.Fatalf("message %d is answered twice: %q, %q", e.AnswerTo, before, e.Text)
			}
			answeredBy[e.AnswerTo] = e.Text
			if !e.Interrupted {
				turns++
			}
		}
	}
	if m.conv.Seq != int64(len(m.log)) {
		t.Fatalf("the conversation is at %d, the log at %d", m.conv.Seq, len(m.log))
	}
	if owner == OwnerAI && m.conv.Turns != turns {
		t.Fatalf("%d turns since the window began, want %d", m.conv.Turns, turns)
	}
	if owner == OwnerAI && since > 1 && m.conv.Window < since {
		t.Fatalf("the window begins at %d, before the AI got the conversation back at %d", m.conv.Window, since)
	}
}

func asJSON(t interface{ Fatal(...any) }, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func checkForCustomer(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, e Event) {
	shown, ok := e.ForCustomer()
	if !ok {
		return
	}
	text := asJSON(t, shown)
	if strings.Contains(text, "SECRET") || strings.Contains(text, agentDomain) || strings.Contains(text, `"confidence"`) {
		t.Fatalf("a customer sees %s", text)
	}
}

func TestForCustomer(t *testing.T) {
	t.Parallel()
	agent := Author{Kind: AuthorAgent, ID: anna.Email, Name: anna.Name}
	h := secretHandoff()
	all := Event{Seq: 7, Epoch: 3, At: t0, Author: agent, Agent: &agent, Text: "text", ClientID: "m1",
		Owner: &Owner{OwnerAgent, anna.Email}, Handoff: &h}
	public := Author{Kind: AuthorAgent, Name: anna.Name}
	tests := map[EventType]bool{
		EventStarted: true, EventMessage: true, EventHandoff: true, EventAssigned: true, EventTakenOver: true,
		EventResolved: true, EventReturned: true, EventReopened: true,
		EventNote: false, EventOffered: false, EventOfferExpired: false, "of a later release": false,
	}
	for kind, shown := range tests {
		e := all
		e.Type = kind
		got, ok := e.ForCustomer()
		if ok != shown {
			t.Errorf("%s is shown: %v, want %v", kind, ok, shown)
		}
		want := Event{}
		if shown {
			want = e
			want.Author, want.Agent, want.Owner = public, &public, &Owner{Kind: OwnerAgent}
			want.Handoff = &Handoff{Reason: h.Reason, Sentiment: h.Sentiment, CustomerSummary: h.CustomerSummary}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	if all.Author.ID == "" || all.Agent.ID == "" || all.Handoff.Summary == "" || all.Owner.ID == "" {
		t.Error("ForCustomer changed the event itself")
	}
}
