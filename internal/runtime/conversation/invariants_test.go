package conversation

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

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
	if m.owner != OwnerQueue {
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
	for _, text := range m.said {
		if !m.says(text) {
			t.Fatalf("the customer's message %q is lost", text)
		}
	}
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
	human := m.owner != OwnerAI && m.owner != OwnerNobody
	if (c.Handoff != nil) != human || (human && c.Handoff.Number != m.handoffs) {
		t.Fatalf("handoff %+v under owner %s, want number %d", c.Handoff, m.owner, m.handoffs)
	}
	if (c.Cost > 0) != (m.owner == OwnerAgent) {
		t.Fatalf("cost %d under owner %s", c.Cost, m.owner)
	}
	if !c.SnoozedUntil.Equal(m.snoozed) || !c.ReturnAt.Equal(m.returnAt) || (c.LeftAt.IsZero() == m.left) {
		t.Fatalf("snoozed until %s, want %s; returns at %s, want %s; left %s, want %v", c.SnoozedUntil, m.snoozed, c.ReturnAt, m.returnAt, c.LeftAt, m.left)
	}
	if c.Handoff != nil && !c.Handoff.At.Equal(m.since) {
		t.Fatalf("it waits since %s, want %s", c.Handoff.At, m.since)
	}
	if !slices.Equal(c.Absences, m.absences) {
		t.Fatalf("told of %v, want %v", c.Absences, m.absences)
	}
	if c.Returns != m.returns || c.MergedInto != m.merged || (c.ClosedAt.IsZero() != (m.owner != OwnerNobody)) {
		t.Fatalf("%d returns, want %d; merged into %q, want %q; closed at %s", c.Returns, m.returns, c.MergedInto, m.merged, c.ClosedAt)
	}
}

// replayed is what the log alone says about the conversation.
type replayed struct {
	owner    Owner
	epoch    int64
	handoffs int
	turns    int
	// since is the event that began the owner's time.
	since int64
	// holder is whose capacity it takes, and units how much.
	holder  string
	units   int
	snoozed time.Time
	left    bool
	merged  string
	// cost is what it takes of its owner when it is not snoozed.
	cost int
	// asked has the customers' messages to the AI with the epoch of each, answered the answers.
	asked    map[int64]int64
	answered map[int64]string
}

// replay walks through the log, which alone has to show every invariant.
func (m *machine) replay(t *rapid.T) {
	r := replayed{asked: map[int64]int64{}, answered: map[int64]string{}}
	for i, e := range m.log {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d has number %d", i+1, e.Seq)
		}
		m.ownership(t, &r, i, e)
		r.state(e)
		r.speech(t, e)
	}
	c := m.conv
	if c.Seq != int64(len(m.log)) || c.Owner != r.owner || c.Epoch != r.epoch || c.Handoffs != r.handoffs {
		t.Fatalf("the conversation is at %d, of %v at epoch %d with %d handoffs; the log says %d, %v, %d, %d",
			c.Seq, c.Owner, c.Epoch, c.Handoffs, len(m.log), r.owner, r.epoch, r.handoffs)
	}
	if !c.SnoozedUntil.Equal(r.snoozed) || c.LeftAt.IsZero() == r.left || c.MergedInto != r.merged {
		t.Fatalf("snoozed until %s, left at %s, merged into %q; the log says %s, %v, %q",
			c.SnoozedUntil, c.LeftAt, c.MergedInto, r.snoozed, r.left, r.merged)
	}
	holder, units := holds(c)
	if holder != r.holder || units != r.units {
		t.Fatalf("it takes %d units of %q, the log says %d of %q", units, holder, r.units, r.holder)
	}
	if r.owner.Kind == OwnerAI && (c.Turns != r.turns || r.since > 1 && c.Window < r.since) {
		t.Fatalf("%d turns in a window from %d on; the log says %d, and that the AI got it at %d", c.Turns, c.Window, r.turns, r.since)
	}
}

// holds is what a conversation takes of whose capacity.
func holds(c Conversation) (string, int) {
	switch {
	case c.Offer != nil:
		return c.Offer.Agent.Email, c.Offer.Cost
	case c.Owner.Kind != OwnerAgent:
		return "", 0
	case !c.SnoozedUntil.IsZero():
		return c.Owner.ID, 0
	default:
		return c.Owner.ID, c.Cost
	}
}

// ownership checks that each owner has an epoch, and each epoch an owner.
func (m *machine) ownership(t *rapid.T, r *replayed, i int, e Event) {
	raised := e.Epoch - r.epoch
	changed := e.Owner != nil && *e.Owner != r.owner
	// A handoff that somebody else's move begins stands just before that move.
	announced := e.Type == EventHandoff && i+1 < len(m.log) && (m.log[i+1].Type == EventTakenOver || m.log[i+1].Type == EventReassigned)
	if raised < 0 || raised > 1 || raised == 1 && !changed && !announced {
		t.Fatalf("event %d (%s) goes from epoch %d to %d", e.Seq, e.Type, r.epoch, e.Epoch)
	}
	if changed && raised == 0 && m.log[i-1].Type != EventHandoff {
		t.Fatalf("event %d (%s) changes the owner without an epoch", e.Seq, e.Type)
	}
	r.epoch = e.Epoch
	if changed {
		if e.Owner.Kind != r.owner.Kind {
			r.since, r.turns = e.Seq, 0
		}
		r.owner = *e.Owner
		r.holder, r.units, r.snoozed, r.cost = "", 0, time.Time{}, 0
	}
	if e.Type == EventHandoff {
		if r.handoffs++; e.Handoff.Number != r.handoffs {
			t.Fatalf("handoff %d has number %d", r.handoffs, e.Handoff.Number)
		}
	}
}

// state follows what the log says about offers, capacity, snoozes and the customer.
func (r *replayed) state(e Event) {
	switch e.Type {
	case EventOffered:
		r.holder, r.units = e.Agent.ID, e.Cost
	case EventOfferExpired, EventDeclined, EventOfferWithdrawn:
		r.holder, r.units = "", 0
	case EventAssigned, EventTakenOver, EventReassigned:
		if e.Agent != nil {
			r.holder, r.units, r.cost = e.Agent.ID, e.Cost, e.Cost
		}
	case EventSnoozed:
		r.snoozed, r.units = e.Until, 0
	case EventWoken:
		r.snoozed, r.units = time.Time{}, r.cost
	case EventCustomerLeft:
		r.left = true
	case EventCustomerReturned:
		r.left = false
	case EventMerged, EventContinued:
		r.merged = e.Other
	case EventMessage:
		r.left = r.left && e.Author.Kind != AuthorCustomer
	}
}

// speech checks that the AI speaks only while it is the owner, and answers each message once, in its own time.
func (r *replayed) speech(t *rapid.T, e Event) {
	switch {
	case e.Type != EventMessage:
	case e.Author.Kind == AuthorCustomer && r.owner.Kind == OwnerAI:
		r.asked[e.Seq] = r.epoch
	case e.Author.Kind == AuthorAI && e.AnswerTo != 0:
		if r.owner.Kind != OwnerAI {
			t.Fatalf("the AI says %q while %s owns the conversation", e.Text, r.owner.Kind)
		}
		if at, ok := r.asked[e.AnswerTo]; !ok || at != r.epoch {
			t.Fatalf("at epoch %d the AI answers message %d, asked at epoch %d", r.epoch, e.AnswerTo, at)
		}
		if before, ok := r.answered[e.AnswerTo]; ok {
			t.Fatalf("message %d is answered twice: %q, %q", e.AnswerTo, before, e.Text)
		}
		r.answered[e.AnswerTo] = e.Text
		if !e.Interrupted {
			r.turns++
		}
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
		Owner: &Owner{OwnerAgent, anna.Email}, Handoff: &h, Cost: 2, Target: &Target{Agent: boris.Email}, Disposition: "refunded"}
	public := Author{Kind: AuthorAgent, Name: anna.Name}
	tests := map[EventType]bool{
		EventStarted: true, EventMessage: true, EventHandoff: true, EventAssigned: true, EventTakenOver: true,
		EventResolved: true, EventReturned: true, EventReopened: true, EventTransferred: true, EventRequeued: true,
		EventReassigned: true, EventContactAsked: true, EventContactGiven: true, EventMerged: true, EventContinued: true,
		EventNote: false, EventOffered: false, EventOfferExpired: false, EventDeclined: false, EventOfferWithdrawn: false,
		EventSnoozed: false, EventWoken: false, EventCustomerLeft: false, EventCustomerReturned: false, EventVoicemail: false,
		EventAbsorbed: false, EventErased: false, "of a later release": false,
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
			want.Handoff, want.Cost, want.Target, want.Disposition = nil, 0, nil, ""
			if kind == EventHandoff {
				want.Handoff = &Handoff{Reason: h.Reason, Sentiment: h.Sentiment, CustomerSummary: h.CustomerSummary}
			}
			if kind != EventMessage {
				want.Text = ""
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	if all.Author.ID == "" || all.Agent.ID == "" || all.Handoff.Summary == "" || all.Owner.ID == "" {
		t.Error("ForCustomer changed the event itself")
	}
}
