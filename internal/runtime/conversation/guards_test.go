package conversation

import (
	"strings"
	"testing"
	"time"
)

// byCaller are the rows whose guard is not about the conversation: the caller looks, in the same transaction, at what
// else is stored or in the table. Package tenant has their tests.
var byCaller = map[Name]string{
	CustomerWrites: "the client id is new", AgentNotes: "an agent of the Copilot", Adopt: "the owner is in no pool",
	Overflow: "the route names the target", BeginWrapUp: "an agent has let go of it", EndWrapUp: "it goes on", ReassignToAI: "a supervisor", MakeOffer: "the agent is there and has room",
}

// guards are calls that a row refuses although the owner would allow it, and what the refusal says.
var guards = []struct {
	row   Name
	what  string
	owner OwnerKind
	call  func(t testing.TB, c Conversation) (Change, error)
	says  string
}{
	{CustomerLeaves, "twice", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		c.LeftAt = t0
		return c.CustomerLeaves(t0)
	}, "has left already"},
	{CustomerReturns, "not left", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) { return c.CustomerReturns(t0) },
		"the customer is there"},
	{FollowUp, "nothing open", OwnerAI, func(_ testing.TB, c Conversation) (Change, error) {
		c.Pending = 0
		return c.FollowUp(Handoff{}, nil, nil, t0)
	}, "the AI has answered"},
	{FollowUp, "left already", OwnerAI, func(_ testing.TB, c Conversation) (Change, error) {
		c.LeftAt = t0
		return c.FollowUp(Handoff{}, nil, nil, t0)
	}, "has left already"},
	{Reopen, "an erased one", OwnerNobody, func(_ testing.TB, c Conversation) (Change, error) {
		c.ErasedAt = t0
		return c.Reopen("", "Hello?", nil, nil, t0)
	}, "was erased"},
	{Continue, "an erased one", OwnerNobody, func(_ testing.TB, c Conversation) (Change, error) {
		c.ErasedAt = t0
		return c.Continue("c2", t0)
	}, "was erased"},
	{Erase, "twice", OwnerNobody, func(_ testing.TB, c Conversation) (Change, error) {
		c.ErasedAt = t0
		return c.Erase(Author{Kind: AuthorSystem}, t0)
	}, "it was erased at"},
	{Reopen, "a merged one", OwnerNobody, func(_ testing.TB, c Conversation) (Change, error) {
		c.MergedInto = "c9"
		return c.Reopen("", "Hello?", nil, nil, t0)
	}, "goes on in conversation c9"},
	{Continue, "a merged one", OwnerNobody, func(_ testing.TB, c Conversation) (Change, error) {
		c.MergedInto = "c9"
		return c.Continue("c2", t0)
	}, "goes on in conversation c9"},
	{GiveContact, "none", OwnerQueue, func(_ testing.TB, c Conversation) (Change, error) { return c.GiveContact("", "", t0) },
		"neither an e-mail address nor a number"},
	{AIAnswers, "at an older epoch", OwnerAI, func(_ testing.TB, c Conversation) (Change, error) {
		return c.AIAnswers(c.Epoch-1, c.Pending, Answer{Text: "x"}, t0)
	}, ErrStale.Error()},
	{AIAnswers, "what was not asked", OwnerAI, func(_ testing.TB, c Conversation) (Change, error) {
		return c.AIAnswers(c.Epoch, c.Pending+1, Answer{Text: "x"}, t0)
	}, ErrStale.Error()},
	{HandOff, "at an older epoch", OwnerAI, func(_ testing.TB, c Conversation) (Change, error) {
		return c.HandOff(c.Epoch-1, c.Pending, Handoff{}, nil, nil, t0)
	}, ErrStale.Error()},
	{MakeOffer, "a second one", OwnerQueue, func(_ testing.TB, c Conversation) (Change, error) { return c.MakeOffer(offerTo(boris), t0) },
		"offered to anna@agents.example until"},
	{OfferExpires, "none", OwnerQueue, func(_ testing.TB, c Conversation) (Change, error) {
		c.Offer = nil
		return c.OfferExpires(t0)
	}, "no offer is open"},
	{Withdraw, "none", OwnerQueue, func(_ testing.TB, c Conversation) (Change, error) {
		c.Offer = nil
		return c.Withdraw(t0)
	}, "no offer is open"},
	{Decline, "another's offer", OwnerQueue, func(_ testing.TB, c Conversation) (Change, error) { return c.Decline(boris, t0) },
		"not offered to boris@agents.example"},
	{Accept, "another's offer", OwnerQueue, func(_ testing.TB, c Conversation) (Change, error) { return c.Accept(boris, "", t0) },
		"not offered to boris@agents.example"},
	{Accept, "when the time is up", OwnerQueue, func(_ testing.TB, c Conversation) (Change, error) {
		return c.Accept(anna, "", c.Offer.ExpiresAt)
	}, "expired at 2026-03-02T09:01:00Z"},
	{AskContact, "twice", OwnerQueue, func(_ testing.TB, c Conversation) (Change, error) {
		c.Contact = &Contact{Asked: true}
		return c.AskContact("Email", "", t0)
	}, "was asked already"},
	{NobodyThere, "told already", OwnerQueue, func(t testing.TB, c Conversation) (Change, error) {
		c = must(t)(c.NobodyThere(Busy, nil, t0))
		c = must(t)(c.NobodyThere(Closed, nil, t0)) // another reason
		return c.NobodyThere(Closed, nil, t0)
	}, "was told that it is closed"},
	{AgentGone, "nothing to wait for", OwnerAgent, func(t testing.TB, c Conversation) (Change, error) {
		c = must(t)(c.AgentReplies(anna, "", "Tomorrow.", 0, t0))
		return c.AgentGone(nil, t0)
	}, "waits for nothing"},
	{AgentGone, "put off", OwnerAgent, func(t testing.TB, c Conversation) (Change, error) {
		c = must(t)(c.Snooze(anna, t0.Add(time.Hour), t0))
		return c.AgentGone(nil, t0)
	}, "waits for nothing"},
	{TakeOver, "from a colleague", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		return c.TakeOver(boris, 1, Handoff{}, nil, "", t0)
	}, "belongs to agent anna@agents.example"},
	{AgentReplies, "to another's", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		return c.AgentReplies(boris, "", "Hi.", 0, t0)
	}, "belongs to agent anna@agents.example"},
	{AgentReplies, "to a closed one", OwnerNobody, func(_ testing.TB, c Conversation) (Change, error) {
		return c.AgentReplies(anna, "", "Hi.", 0, t0)
	}, "it is closed"},
	{Transfer, "another's", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		return c.Transfer(boris, Target{Pool: "p"}, "", nil, t0)
	}, "belongs to agent anna@agents.example"},
	{Transfer, "to oneself", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		return c.Transfer(anna, Target{Agent: anna.Email, Pool: "p"}, "", nil, t0)
	}, "it is yours already"},
	{Snooze, "another's", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) { return c.Snooze(boris, t0.Add(1), t0) },
		"belongs to agent anna@agents.example"},
	{Snooze, "until now", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) { return c.Snooze(anna, t0, t0) },
		"2026-03-02T09:00:00Z is past"},
	{Wake, "not snoozed", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) { return c.Wake(&anna, t0) },
		"it is not snoozed"},
	{Wake, "too early", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		c.SnoozedUntil = t0.Add(time.Minute)
		return c.Wake(nil, t0)
	}, "snoozed until 2026-03-02T09:01:00Z"},
	{Wake, "another's", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		c.SnoozedUntil = t0.Add(time.Minute)
		return c.Wake(&boris, t0)
	}, "belongs to agent anna@agents.example"},
	{Resolve, "another's", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) { return c.Resolve(boris, Outcome{}, t0) },
		"belongs to agent anna@agents.example"},
	{ReturnToAI, "another's", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) { return c.ReturnToAI(boris, "", "", t0) },
		"belongs to agent anna@agents.example"},
	{ReturnToAI, "too often", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		c.Returns = MaxReturns
		return c.ReturnToAI(anna, "", "", t0)
	}, "it went back to the AI 3 times and needed a human again, so it stays with humans; resolve it, or transfer it"},
	{IdleReturn, "before its time", OwnerAgent, func(_ testing.TB, c Conversation) (Change, error) {
		c.ReturnAt = t0.Add(1)
		return c.IdleReturn("", "", t0)
	}, "has not been silent for long enough"},
	{IdleReturn, "with a message unanswered", OwnerAgent, func(t testing.TB, c Conversation) (Change, error) {
		c = must(t)(c.AgentReplies(anna, "", "Hi.", time.Minute, t0))
		c = must(t)(c.CustomerWrites("", "Hello?", t0))
		return c.IdleReturn("", "", t0.Add(time.Hour))
	}, "has not been silent for long enough"},
	{Reassign, "to who has it", OwnerAgent, reassign(Reassignment{To: OwnerAgent, Agent: anna}),
		"belongs to agent anna@agents.example already"},
	{Reassign, "to the queue that has it", OwnerQueue, reassign(Reassignment{To: OwnerQueue}), "belongs to the queue already"},
	{Merge, "into itself", OwnerAI, func(_ testing.TB, c Conversation) (Change, error) {
		merged, _, err := c.MergeInto(c, anna, nil, nil, t0)
		return merged, err
	}, "it is the same conversation"},
	{Merge, "again", OwnerNobody, func(t testing.TB, c Conversation) (Change, error) {
		c.MergedInto = "c9"
		merged, _, err := c.MergeInto(another(t), anna, nil, nil, t0)
		return merged, err
	}, "goes on in conversation c9 already"},
	{Merge, "another customer's", OwnerAI, func(t testing.TB, c Conversation) (Change, error) {
		other := another(t)
		other.Customer.ID = "u2"
		merged, _, err := c.MergeInto(other, anna, nil, nil, t0)
		return merged, err
	}, "not of one customer"},
	{Merge, "of customers who gave no name", OwnerAI, func(t testing.TB, c Conversation) (Change, error) {
		other := another(t)
		c.Customer, other.Customer = Customer{}, Customer{}
		merged, _, err := c.MergeInto(other, anna, nil, nil, t0)
		return merged, err
	}, "not of one customer"},
	{Absorb, "into a closed one", OwnerNobody, func(t testing.TB, c Conversation) (Change, error) {
		_, goesOn, err := another(t).MergeInto(c, anna, nil, nil, t0)
		return goesOn, err
	}, "it is closed"},
}

func TestGuards(t *testing.T) {
	t.Parallel()
	for _, test := range guards {
		t.Run(string(test.row)+" "+test.what, func(t *testing.T) {
			t.Parallel()
			change, err := test.call(t, owned(t, test.owner))
			wantRefused(t, change, err)
			if err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q does not say %q", err, test.says)
			}
		})
	}
}

// Every row of the table has a test of its guard, unless the caller keeps it, and one of its effect.
func TestEveryRowIsTested(t *testing.T) {
	t.Parallel()
	guarded := map[Name]bool{}
	for _, g := range guards {
		guarded[g.row] = true
	}
	for _, row := range Transitions {
		if row.Guard != "" && !guarded[row.Name] && byCaller[row.Name] == "" {
			t.Errorf("no test tries to break the guard of %s: %s", row.Name, row.Guard)
		}
		if effects[row.Name] == nil {
			t.Errorf("no test looks at the effect of %s: %s", row.Name, row.Effect)
		}
	}
	for name := range effects {
		if !hasRow(name) {
			t.Errorf("the effect of %s is tested, which has no row", name)
		}
	}
}

func hasRow(name Name) bool {
	for _, row := range Transitions {
		if row.Name == name {
			return true
		}
	}
	return false
}
