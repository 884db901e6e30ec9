package conversation

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

var (
	t0    = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	anna  = Person{Email: "anna@agents.example", Name: "Anna"}
	boris = Person{Email: "boris@agents.example", Name: "Boris"}
	lead  = Person{Email: "lead@agents.example", Name: "Lea"}
)

// start returns a conversation of the AI that owes an answer.
func start(t testing.TB) Conversation {
	t.Helper()
	c := Start(Conversation{ID: "c1", Customer: Customer{ID: "u1"}}, "Hello!", t0).Conversation
	return must(t)(c.CustomerWrites("m1", "Where is my parcel?", t0))
}

// must returns the conversation after a change, and ends the test on an error.
func must(t testing.TB) func(Change, error) Conversation {
	t.Helper()
	return func(c Change, err error) Conversation {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c.Conversation
	}
}

func offerTo(p Person) Offer {
	return Offer{Agent: p, Pool: "support", Cost: 2, ExpiresAt: t0.Add(time.Minute)}
}

// owned returns a conversation of each owner: the queue's is offered to Anna, the agent's is Anna's.
func owned(t testing.TB, kind OwnerKind) Conversation {
	t.Helper()
	c := start(t)
	if kind == OwnerAI {
		return c
	}
	c = must(t)(c.HandOff(c.Epoch, c.Pending, Handoff{}, nil, []string{"One moment."}, t0))
	c = must(t)(c.MakeOffer(offerTo(anna), t0))
	switch kind {
	case OwnerQueue:
		return c
	case OwnerLine:
		return must(t)(c.Overflow(Target{Line: "desk"}, "", t0))
	case OwnerHelpdesk:
		return must(t)(c.Overflow(Target{Helpdesk: "zendesk"}, "", t0))
	}
	c = must(t)(c.Accept(anna, "Anna is here.", t0))
	if kind == OwnerAgent {
		return c
	}
	return must(t)(c.Resolve(anna, Outcome{Background: "solved"}, t0))
}

// another returns another open conversation of the same customer.
func another(t testing.TB) Conversation {
	t.Helper()
	c := start(t)
	c.ID = "c2"
	return c
}

func reassign(r Reassignment) func(t testing.TB, c Conversation) (Change, error) {
	return func(_ testing.TB, c Conversation) (Change, error) { return c.Reassign(lead, r, t0) }
}

// calls makes each transition with arguments that hold wherever the owner allows it.
var calls = map[string]func(t testing.TB, c Conversation) (Change, error){
	"CustomerWrites": func(_ testing.TB, c Conversation) (Change, error) { return c.CustomerWrites("m2", "Hello?", t0) },
	"CustomerLeaves": func(_ testing.TB, c Conversation) (Change, error) { return c.CustomerLeaves(t0) },
	"CustomerReturns": func(_ testing.TB, c Conversation) (Change, error) {
		c.LeftAt = t0
		return c.CustomerReturns(t0)
	},
	"FollowUp":     func(_ testing.TB, c Conversation) (Change, error) { return c.FollowUp(Handoff{}, nil, nil, t0) },
	"Reopen to AI": func(_ testing.TB, c Conversation) (Change, error) { return c.Reopen("m2", "Hello?", nil, nil, t0) },
	"Reopen to Queue": func(_ testing.TB, c Conversation) (Change, error) {
		return c.Reopen("m2", "Hello?", &Handoff{}, nil, t0)
	},
	"Continue":    func(_ testing.TB, c Conversation) (Change, error) { return c.Continue("c2", t0) },
	"GiveContact": func(_ testing.TB, c Conversation) (Change, error) { return c.GiveContact("u@example.org", "", t0) },
	"AIAnswers": func(_ testing.TB, c Conversation) (Change, error) {
		return c.AIAnswers(c.Epoch, c.Pending, Answer{Text: "Soon.", Understood: true}, t0)
	},
	"HandOff": func(_ testing.TB, c Conversation) (Change, error) {
		return c.HandOff(c.Epoch, c.Pending, Handoff{}, nil, []string{"One moment."}, t0)
	},
	"MakeOffer": func(_ testing.TB, c Conversation) (Change, error) {
		c.Offer = nil
		return c.MakeOffer(offerTo(anna), t0)
	},
	"OfferExpires": func(_ testing.TB, c Conversation) (Change, error) { return c.OfferExpires(t0) },
	"Decline":      func(_ testing.TB, c Conversation) (Change, error) { return c.Decline(anna, t0) },
	"Withdraw":     func(_ testing.TB, c Conversation) (Change, error) { return c.Withdraw(t0) },
	"Accept":       func(_ testing.TB, c Conversation) (Change, error) { return c.Accept(anna, "", t0) },
	"AskContact": func(_ testing.TB, c Conversation) (Change, error) {
		return c.AskContact(v1alpha1.ChannelTypeEmail, "Your address?", t0)
	},
	"RecordVoicemail": func(_ testing.TB, c Conversation) (Change, error) {
		return c.RecordVoicemail(Voicemail{Seconds: 4}, t0)
	},
	"Overflow to Line":     func(_ testing.TB, c Conversation) (Change, error) { return c.Overflow(Target{Line: "desk"}, "", t0) },
	"Overflow to Helpdesk": func(_ testing.TB, c Conversation) (Change, error) { return c.Overflow(Target{Helpdesk: "z"}, "", t0) },
	"NobodyThere": func(_ testing.TB, c Conversation) (Change, error) {
		return c.NobodyThere(Closed, []string{"Closed."}, t0)
	},
	"Inform":      func(_ testing.TB, c Conversation) (Change, error) { return c.Inform("Hm.", t0) },
	"AgentGone":   func(_ testing.TB, c Conversation) (Change, error) { return c.AgentGone([]string{"One moment."}, t0) },
	"BeginWrapUp": func(_ testing.TB, c Conversation) (Change, error) { return c.BeginWrapUp(WrapUp{Agent: anna}, t0) },
	"EndWrapUp":   func(_ testing.TB, c Conversation) (Change, error) { return c.EndWrapUp(WrapUp{Agent: anna}, t0) },
	"TakeOver": func(_ testing.TB, c Conversation) (Change, error) {
		return c.TakeOver(boris, 1, Handoff{}, nil, "", t0)
	},
	"Adopt":        func(_ testing.TB, c Conversation) (Change, error) { return c.Adopt(boris, 1, "", t0) },
	"AgentReplies": func(_ testing.TB, c Conversation) (Change, error) { return c.AgentReplies(anna, "r1", "Hi.", 0, t0) },
	"AgentNotes":   func(_ testing.TB, c Conversation) (Change, error) { return c.AgentNotes(boris, "n1", "Hm.", t0) },
	"Transfer to Queue": func(_ testing.TB, c Conversation) (Change, error) {
		return c.Transfer(anna, Target{Agent: boris.Email, Pool: "support"}, "", nil, t0)
	},
	"Transfer to Line": func(_ testing.TB, c Conversation) (Change, error) {
		return c.Transfer(anna, Target{Line: "desk"}, "", nil, t0)
	},
	"Transfer to Helpdesk": func(_ testing.TB, c Conversation) (Change, error) {
		return c.Transfer(anna, Target{Helpdesk: "z"}, "", nil, t0)
	},
	"Snooze": func(_ testing.TB, c Conversation) (Change, error) { return c.Snooze(anna, t0.Add(time.Hour), t0) },
	"Wake": func(_ testing.TB, c Conversation) (Change, error) {
		c.SnoozedUntil = t0
		return c.Wake(nil, t0)
	},
	"Resolve to AI":     func(_ testing.TB, c Conversation) (Change, error) { return c.Resolve(anna, Outcome{ToAI: true}, t0) },
	"Resolve to Nobody": func(_ testing.TB, c Conversation) (Change, error) { return c.Resolve(anna, Outcome{}, t0) },
	"Erase":             func(_ testing.TB, c Conversation) (Change, error) { return c.Erase(Author{Kind: AuthorSystem}, t0) },
	"ReturnToAI":        func(_ testing.TB, c Conversation) (Change, error) { return c.ReturnToAI(anna, "", "", t0) },
	"IdleReturn to AI": func(_ testing.TB, c Conversation) (Change, error) {
		c.ReturnAt = t0
		return c.IdleReturn("", "", t0)
	},
	"IdleReturn to Nobody": func(_ testing.TB, c Conversation) (Change, error) {
		c.ReturnAt, c.Returns = t0, MaxReturns
		return c.IdleReturn("", "", t0)
	},
	"OutsideReplies":        func(_ testing.TB, c Conversation) (Change, error) { return c.OutsideReplies("Zoe", "z1", "Hi.", t0) },
	"OutsideEnds to AI":     func(_ testing.TB, c Conversation) (Change, error) { return c.OutsideEnds(Outcome{ToAI: true}, t0) },
	"OutsideEnds to Nobody": func(_ testing.TB, c Conversation) (Change, error) { return c.OutsideEnds(Outcome{}, t0) },
	"Requeue":               func(_ testing.TB, c Conversation) (Change, error) { return c.Requeue("no answer", nil, t0) },
	"Reassign to Agent":     reassign(Reassignment{To: OwnerAgent, Agent: boris, Cost: 1}),
	"Reassign to Queue":     reassign(Reassignment{To: OwnerQueue, Target: &Target{Pool: "billing"}}),
	"Reassign to Nobody":    reassign(Reassignment{To: OwnerNobody}),
	"ReassignToAI":          reassign(Reassignment{To: OwnerAI}),
	"Merge": func(t testing.TB, c Conversation) (Change, error) {
		merged, _, err := c.MergeInto(another(t), anna, nil, nil, t0)
		return merged, err
	},
	"Absorb": func(t testing.TB, c Conversation) (Change, error) {
		_, goesOn, err := another(t).MergeInto(c, anna, nil, nil, t0)
		return goesOn, err
	},
}

// stays is where a transition leaves the owner as it is, to where it gives the conversation to another one.
func stays(in ...OwnerKind) map[OwnerKind]OwnerKind {
	m := map[OwnerKind]OwnerKind{}
	for _, kind := range in {
		m[kind] = kind
	}
	return m
}

func to(kind OwnerKind, from ...OwnerKind) map[OwnerKind]OwnerKind {
	m := map[OwnerKind]OwnerKind{}
	for _, k := range from {
		m[k] = kind
	}
	return m
}

// leads is the state machine once more, written by hand: who owns the conversation after each call, by who owned it
// before. What is missing is refused.
var leads = map[string]map[OwnerKind]OwnerKind{
	"CustomerWrites":        stays(OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
	"CustomerLeaves":        stays(OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
	"CustomerReturns":       stays(OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
	"FollowUp":              to(OwnerQueue, OwnerAI),
	"Reopen to AI":          to(OwnerAI, OwnerNobody),
	"Reopen to Queue":       to(OwnerQueue, OwnerNobody),
	"Continue":              stays(OwnerNobody),
	"GiveContact":           stays(OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
	"AIAnswers":             stays(OwnerAI),
	"HandOff":               to(OwnerQueue, OwnerAI),
	"MakeOffer":             stays(OwnerQueue),
	"OfferExpires":          stays(OwnerQueue),
	"Decline":               stays(OwnerQueue),
	"Withdraw":              stays(OwnerQueue),
	"Accept":                to(OwnerAgent, OwnerQueue),
	"AskContact":            stays(OwnerQueue),
	"RecordVoicemail":       stays(OwnerQueue),
	"Overflow to Line":      to(OwnerLine, OwnerQueue),
	"Overflow to Helpdesk":  to(OwnerHelpdesk, OwnerQueue),
	"NobodyThere":           stays(OwnerQueue),
	"Inform":                stays(OwnerQueue),
	"AgentGone":             to(OwnerQueue, OwnerAgent),
	"BeginWrapUp":           stays(OwnerAI, OwnerNobody),
	"EndWrapUp":             stays(owners...),
	"TakeOver":              to(OwnerAgent, OwnerAI, OwnerQueue, OwnerLine),
	"Adopt":                 to(OwnerAgent, OwnerAgent),
	"AgentReplies":          stays(OwnerAgent),
	"AgentNotes":            stays(owners...),
	"Transfer to Queue":     to(OwnerQueue, OwnerAgent),
	"Transfer to Line":      to(OwnerLine, OwnerAgent),
	"Transfer to Helpdesk":  to(OwnerHelpdesk, OwnerAgent),
	"Snooze":                stays(OwnerAgent),
	"Wake":                  stays(OwnerAgent),
	"Resolve to AI":         to(OwnerAI, OwnerAgent),
	"Resolve to Nobody":     to(OwnerNobody, OwnerAgent),
	"ReturnToAI":            to(OwnerAI, OwnerAgent),
	"IdleReturn to AI":      to(OwnerAI, OwnerAgent),
	"IdleReturn to Nobody":  to(OwnerNobody, OwnerAgent),
	"OutsideReplies":        stays(OwnerHelpdesk),
	"OutsideEnds to AI":     to(OwnerAI, OwnerLine, OwnerHelpdesk),
	"OutsideEnds to Nobody": to(OwnerNobody, OwnerLine, OwnerHelpdesk),
	"Requeue":               to(OwnerQueue, OwnerLine, OwnerHelpdesk),
	"Reassign to Agent":     to(OwnerAgent, OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
	"Reassign to Queue":     to(OwnerQueue, OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
	"Reassign to Nobody":    to(OwnerNobody, OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
	"ReassignToAI":          to(OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
	"Merge":                 to(OwnerNobody, owners...),
	"Erase":                 to(OwnerNobody, owners...),
	"Absorb":                stays(OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk),
}

var owners = []OwnerKind{OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk, OwnerNobody}

func TestEveryTransitionByEveryOwner(t *testing.T) {
	t.Parallel()
	for name, call := range calls {
		for _, owner := range owners {
			t.Run(name+" while "+string(owner), func(t *testing.T) {
				t.Parallel()
				before := owned(t, owner)
				change, err := call(t, before)
				after, allowed := leads[name][owner]
				if !allowed {
					wantRefused(t, change, err)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				epoch := before.Epoch
				if change.Conversation.Owner != before.Owner { // also from one agent to another
					epoch++
				}
				if got := change.Conversation; got.Owner.Kind != after || got.Epoch != epoch {
					t.Errorf("owner %s at epoch %d, want %s at %d", got.Owner.Kind, got.Epoch, after, epoch)
				}
			})
		}
	}
}

func wantRefused(t *testing.T, change Change, err error) {
	t.Helper()
	var refusal *Refusal
	if !errors.As(err, &refusal) && !errors.Is(err, ErrStale) {
		t.Errorf("error %v, want a Refusal or ErrStale", err)
	}
	if len(change.Events) != 0 {
		t.Errorf("a refused transition wrote %v", change.Events)
	}
}

// The table that begin reads is the one that the calls above show: no row more, none less.
func TestTransitionsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	type edge struct {
		name     string
		from, to OwnerKind
	}
	var got, want []edge
	for _, row := range Transitions {
		for _, from := range row.From {
			for _, to := range row.To {
				got = append(got, edge{string(row.Name), from, to})
			}
			if len(row.To) == 0 {
				got = append(got, edge{string(row.Name), from, from})
			}
		}
	}
	for name, by := range leads {
		for from, to := range by {
			row, _, _ := strings.Cut(name, " ")
			want = append(want, edge{row, from, to})
		}
	}
	for _, e := range want {
		if !slices.Contains(got, e) {
			t.Errorf("%v happens, but is not in Transitions", e)
		}
	}
	for _, e := range got {
		if !slices.Contains(want, e) {
			t.Errorf("Transitions has %v, which does not happen", e)
		}
	}
}
