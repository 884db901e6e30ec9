package conversation

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	t0    = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	anna  = Person{Email: "anna@agents.example", Name: "Anna"}
	boris = Person{Email: "boris@agents.example", Name: "Boris"}
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
	if kind == OwnerQueue {
		return c
	}
	c = must(t)(c.Accept(anna, "Anna is here.", t0))
	if kind == OwnerAgent {
		return c
	}
	return must(t)(c.Resolve(anna, false, "solved", "", t0))
}

// calls makes each transition with arguments that hold wherever the owner allows it.
var calls = map[string]func(c Conversation) (Change, error){
	"CustomerWrites": func(c Conversation) (Change, error) { return c.CustomerWrites("m2", "Hello?", t0) },
	"AIAnswers": func(c Conversation) (Change, error) {
		return c.AIAnswers(c.Epoch, c.Pending, Answer{Text: "Soon.", Understood: true}, t0)
	},
	"HandOff": func(c Conversation) (Change, error) {
		return c.HandOff(c.Epoch, c.Pending, Handoff{}, nil, []string{"One moment."}, t0)
	},
	"MakeOffer": func(c Conversation) (Change, error) {
		c.Offer = nil
		return c.MakeOffer(offerTo(anna), t0)
	},
	"OfferExpires":      func(c Conversation) (Change, error) { return c.OfferExpires(t0) },
	"Accept":            func(c Conversation) (Change, error) { return c.Accept(anna, "", t0) },
	"TakeOver":          func(c Conversation) (Change, error) { return c.TakeOver(boris, 1, Handoff{}, nil, "", t0) },
	"Adopt":             func(c Conversation) (Change, error) { return c.Adopt(boris, 1, "", t0) },
	"AgentReplies":      func(c Conversation) (Change, error) { return c.AgentReplies(anna, "r1", "Hi.", t0) },
	"AgentNotes":        func(c Conversation) (Change, error) { return c.AgentNotes(boris, "n1", "Hm.", t0) },
	"Resolve to AI":     func(c Conversation) (Change, error) { return c.Resolve(anna, true, "", "", t0) },
	"Resolve to Nobody": func(c Conversation) (Change, error) { return c.Resolve(anna, false, "", "", t0) },
	"ReturnToAI":        func(c Conversation) (Change, error) { return c.ReturnToAI(anna, "", "", t0) },
}

// leads is the state machine once more, written by hand: who owns the conversation after each call, by who owned it
// before. What is missing is refused.
var leads = map[string]map[OwnerKind]OwnerKind{
	"CustomerWrites":    {OwnerAI: OwnerAI, OwnerQueue: OwnerQueue, OwnerAgent: OwnerAgent, OwnerNobody: OwnerAI},
	"AIAnswers":         {OwnerAI: OwnerAI},
	"HandOff":           {OwnerAI: OwnerQueue},
	"MakeOffer":         {OwnerQueue: OwnerQueue},
	"OfferExpires":      {OwnerQueue: OwnerQueue},
	"Accept":            {OwnerQueue: OwnerAgent},
	"TakeOver":          {OwnerAI: OwnerAgent, OwnerQueue: OwnerAgent},
	"Adopt":             {OwnerAgent: OwnerAgent},
	"AgentReplies":      {OwnerAgent: OwnerAgent},
	"AgentNotes":        {OwnerAI: OwnerAI, OwnerQueue: OwnerQueue, OwnerAgent: OwnerAgent, OwnerNobody: OwnerNobody},
	"Resolve to AI":     {OwnerAgent: OwnerAI},
	"Resolve to Nobody": {OwnerAgent: OwnerNobody},
	"ReturnToAI":        {OwnerAgent: OwnerAI},
}

var owners = []OwnerKind{OwnerAI, OwnerQueue, OwnerAgent, OwnerNobody}

func TestEveryTransitionByEveryOwner(t *testing.T) {
	t.Parallel()
	for name, call := range calls {
		for _, owner := range owners {
			t.Run(name+" while "+string(owner), func(t *testing.T) {
				t.Parallel()
				before := owned(t, owner)
				change, err := call(before)
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
			if row == "CustomerWrites" && from == OwnerNobody {
				row = "Reopen"
			}
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

func TestGuards(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		owner OwnerKind
		call  func(c Conversation) (Change, error)
		says  string
	}{
		"accept another's offer": {OwnerQueue, func(c Conversation) (Change, error) { return c.Accept(boris, "", t0) },
			"not offered to boris@agents.example"},
		"accept when the time is up": {OwnerQueue, func(c Conversation) (Change, error) { return c.Accept(anna, "", c.Offer.ExpiresAt) },
			"expired at 2026-03-02T09:01:00Z"},
		"a second offer": {OwnerQueue, func(c Conversation) (Change, error) { return c.MakeOffer(offerTo(boris), t0) },
			"offered to anna@agents.example until"},
		"no offer to end": {OwnerQueue, func(c Conversation) (Change, error) {
			c.Offer = nil
			return c.OfferExpires(t0)
		}, "no offer is open"},
		"another's conversation": {OwnerAgent, func(c Conversation) (Change, error) { return c.AgentReplies(boris, "", "Hi.", t0) },
			"belongs to agent anna@agents.example"},
		"resolve another's": {OwnerAgent, func(c Conversation) (Change, error) { return c.Resolve(boris, true, "", "", t0) },
			"belongs to agent anna@agents.example"},
		"return another's": {OwnerAgent, func(c Conversation) (Change, error) { return c.ReturnToAI(boris, "", "", t0) },
			"belongs to agent anna@agents.example"},
		"take over from a colleague": {OwnerAgent, func(c Conversation) (Change, error) {
			return c.TakeOver(boris, 1, Handoff{}, nil, "", t0)
		}, "belongs to agent anna@agents.example"},
		"reply to a closed one": {OwnerNobody, func(c Conversation) (Change, error) { return c.AgentReplies(anna, "", "Hi.", t0) },
			"it is closed"},
		"answer at an older epoch": {OwnerAI, func(c Conversation) (Change, error) {
			return c.AIAnswers(c.Epoch-1, c.Pending, Answer{Text: "x"}, t0)
		}, ErrStale.Error()},
		"answer what was not asked": {OwnerAI, func(c Conversation) (Change, error) {
			return c.AIAnswers(c.Epoch, c.Pending+1, Answer{Text: "x"}, t0)
		}, ErrStale.Error()},
		"hand off at an older epoch": {OwnerAI, func(c Conversation) (Change, error) {
			return c.HandOff(c.Epoch-1, c.Pending, Handoff{}, nil, nil, t0)
		}, ErrStale.Error()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change, err := test.call(owned(t, test.owner))
			wantRefused(t, change, err)
			if err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q does not say %q", err, test.says)
			}
		})
	}
}
