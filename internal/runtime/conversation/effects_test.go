package conversation

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// is compares what a test says with what there is.
func is[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var (
	agentAnna = Owner{OwnerAgent, anna.Email}
	reasons   = Handoff{Reason: v1alpha1.HandoffNegativeSentiment, Summary: "angry about a parcel"}
)

// effects show what each row writes and leaves behind.
var effects = map[Name]func(t *testing.T){
	CustomerWrites: func(t *testing.T) {
		c := owned(t, OwnerAgent)
		c.SnoozedUntil, c.ReturnAt, c.LeftAt = t0.Add(time.Hour), t0.Add(time.Minute), t0
		change, err := c.CustomerWrites("m2", "Hello?", t0)
		wantLines(t, change, err, line{EventWoken, 3, AuthorSystem, ""}, line{EventMessage, 3, AuthorCustomer, "Hello?"})
		got := change.Conversation
		if !got.SnoozedUntil.IsZero() || !got.ReturnAt.IsZero() || !got.LeftAt.IsZero() || got.Pending != 0 || !got.Unanswered() {
			t.Errorf("after a customer's message: %+v", got)
		}
		ai := must(t)(owned(t, OwnerAI).CustomerWrites("m2", "Hello?", t0))
		is(t, "what the AI owes", ai.Seq, ai.Pending)
	},
	NobodyThere: func(t *testing.T) {
		change, err := owned(t, OwnerQueue).NobodyThere(Busy, []string{"All are busy.", "Hm."}, t0)
		wantLines(t, change, err, line{EventUnavailable, 2, AuthorSystem, ""}, line{EventMessage, 2, AuthorSystem, "All are busy."},
			line{EventMessage, 2, AuthorSystem, "Hm."})
		is(t, "absence in the log", Busy, change.Events[0].Absence)
		got := change.Conversation
		if !got.ToldOf(Busy) || got.ToldOf(Closed) || got.Offer == nil {
			t.Errorf("absences %v, offer %v", got.Absences, got.Offer)
		}
		is(t, "absences of the next wait", []Absence(nil), must(t)(got.Accept(anna, "", t0)).Absences)
	},
	Inform: func(t *testing.T) {
		change, err := owned(t, OwnerQueue).Inform("Thank you.", t0)
		wantLines(t, change, err, line{EventMessage, 2, AuthorSystem, "Thank you."})
	},
	AgentGone: func(t *testing.T) {
		c := owned(t, OwnerAgent)
		change, err := c.AgentGone([]string{"One moment."}, t0.Add(time.Hour))
		wantLines(t, change, err, line{EventRequeued, 4, AuthorSystem, ""}, line{EventMessage, 4, AuthorSystem, "One moment."})
		is(t, "who is gone", anna.Email, change.Events[0].Agent.ID)
		got := change.Conversation
		is(t, "place in the queue", c.Handoff.At, got.Handoff.At)
		is(t, "units", 0, got.Cost)
		is(t, "last agent", anna.Email, got.LastAgent)
	},
	BeginWrapUp: func(t *testing.T) {
		c := owned(t, OwnerAgent)
		w := WrapUp{Agent: anna, Pool: c.Pool, Units: c.Cost, Since: c.AssignedAt, Until: t0.Add(time.Minute)}
		is(t, "pool", "support", c.Pool)
		is(t, "assigned at", t0, c.AssignedAt)
		c = must(t)(c.Resolve(anna, Outcome{ToAI: true}, t0))
		change, err := c.BeginWrapUp(w, t0)
		wantLines(t, change, err, line{EventWrapUp, 4, AuthorSystem, ""})
		is(t, "wrap-up", &w, change.WrapUp)
		is(t, "end in the log", w.Until, change.Events[0].Until)
		is(t, "units in the log", w.Units, change.Events[0].Cost)
	},
	EndWrapUp: func(t *testing.T) {
		w := WrapUp{Agent: anna, Pool: "support", Over: v1alpha1.ChannelTypeWeb, Since: t0, Until: t0.Add(time.Hour)}
		c := owned(t, OwnerNobody)
		change, err := c.EndWrapUp(w, t0.Add(time.Minute))
		wantLines(t, change, err, line{EventWrapUpEnded, c.Epoch, AuthorSystem, ""})
		is(t, "wrap-up", &w, change.WrapUp)
		is(t, "whose", anna.Email, change.Events[0].Agent.ID)
		is(t, "handled", &Handled{"support", v1alpha1.ChannelTypeWeb, t0.Add(time.Minute), time.Minute}, change.Handled)
		change, err = c.EndWrapUp(w, t0.Add(2*time.Hour))
		wantLines(t, change, err, line{EventWrapUpEnded, c.Epoch, AuthorSystem, ""})
		is(t, "handled when nobody looked in time", &Handled{"support", v1alpha1.ChannelTypeWeb, w.Until, time.Hour}, change.Handled)
	},
	CustomerLeaves: func(t *testing.T) {
		change, err := owned(t, OwnerAgent).CustomerLeaves(t0)
		wantLines(t, change, err, line{EventCustomerLeft, 3, AuthorCustomer, ""})
		is(t, "left at", t0, change.Conversation.LeftAt)
	},
	CustomerReturns: func(t *testing.T) {
		c := must(t)(owned(t, OwnerAgent).CustomerLeaves(t0))
		change, err := c.CustomerReturns(t0)
		wantLines(t, change, err, line{EventCustomerReturned, 3, AuthorCustomer, ""})
		is(t, "left at", time.Time{}, change.Conversation.LeftAt)
	},
	FollowUp: func(t *testing.T) {
		c := start(t)
		cut := &Cut{Epoch: c.Epoch, AnswerTo: c.Pending, Answer: Answer{Text: "Your"}}
		change, err := c.FollowUp(reasons, cut, []string{"Somebody will answer."}, t0)
		wantLines(t, change, err, line{EventCustomerLeft, 1, AuthorCustomer, ""}, line{EventMessage, 1, AuthorAI, "Your"},
			line{EventHandoff, 2, AuthorSystem, ""}, line{EventMessage, 2, AuthorSystem, "Somebody will answer."})
		is(t, "reason", v1alpha1.HandoffCustomerLeft, change.Conversation.Handoff.Reason)

		c = must(t)(c.AIAnswers(c.Epoch, c.Pending, Answer{Text: "I do not know."}, t0))
		if _, err := c.FollowUp(reasons, nil, nil, t0); err != nil {
			t.Errorf("the AI had no answer, but: %v", err)
		}
	},
	Reopen: func(t *testing.T) {
		c := owned(t, OwnerNobody)
		change, err := c.Reopen("m2", "It broke again.", c.Previous, []string{"One moment."}, t0)
		wantLines(t, change, err, line{EventReopened, 5, AuthorSystem, ""}, line{EventMessage, 5, AuthorCustomer, "It broke again."},
			line{EventHandoff, 5, AuthorSystem, ""}, line{EventMessage, 5, AuthorSystem, "One moment."})
		got := change.Conversation
		if got.Handoff.Number != 2 || got.Pending != 0 || !got.ClosedAt.IsZero() || got.LastAgent != anna.Email {
			t.Errorf("handoff %+v, pending %d, closed at %s, last agent %q", got.Handoff, got.Pending, got.ClosedAt, got.LastAgent)
		}
	},
	Continue: func(t *testing.T) {
		change, err := owned(t, OwnerNobody).Continue("c2", t0)
		wantLines(t, change, err, line{EventContinued, 4, AuthorSystem, ""})
		is(t, "goes on in", "c2", change.Conversation.MergedInto)
	},
	GiveContact: func(t *testing.T) {
		c := must(t)(owned(t, OwnerQueue).AskContact(v1alpha1.ChannelTypePhone, "", t0))
		c = must(t)(c.GiveContact("u@example.org", "", t0))
		is(t, "answered by", v1alpha1.ChannelTypeEmail, c.AnswerBy()) // asked for a number, they gave an address
		c = must(t)(c.GiveContact("", "+31201234567", t0))
		is(t, "contact", &Contact{Asked: true, By: v1alpha1.ChannelTypePhone, Email: "u@example.org", Phone: "+31201234567"}, c.Contact)
		is(t, "answered by", v1alpha1.ChannelTypePhone, c.AnswerBy())
	},
	AIAnswers: func(t *testing.T) {
		c := start(t)
		change, err := c.AIAnswers(c.Epoch, c.Pending, Answer{Text: "Soon.", Understood: true, Sources: []Source{{Name: "faq"}}}, t0)
		wantLines(t, change, err, line{EventMessage, 1, AuthorAI, "Soon."})
		is(t, "sources", []Source{{Name: "faq"}}, change.Events[0].Sources)
		is(t, "owed", 0, change.Conversation.Pending)
	},
	HandOff:   TestHandOffKeepsWhatWasReleasedAndTellsTheCustomer,
	MakeOffer: func(t *testing.T) { checkOffer(t) },
	OfferExpires: func(t *testing.T) {
		endsOffer(t, EventOfferExpired, AuthorSystem, []string{anna.Email}, Conversation.OfferExpires)
	},
	Decline: func(t *testing.T) {
		endsOffer(t, EventDeclined, AuthorAgent, []string{anna.Email}, func(c Conversation, now time.Time) (Change, error) { return c.Decline(anna, now) })
	},
	Withdraw: func(t *testing.T) { endsOffer(t, EventOfferWithdrawn, AuthorSystem, nil, Conversation.Withdraw) },
	Accept: func(t *testing.T) {
		change, err := owned(t, OwnerQueue).Accept(anna, "Anna is here.", t0)
		wantLines(t, change, err, line{EventAssigned, 3, AuthorAgent, ""}, line{EventMessage, 3, AuthorSystem, "Anna is here."})
		got := change.Conversation
		if got.Owner != agentAnna || got.Cost != 2 || change.Events[0].Cost != 2 || got.LastAgent != anna.Email {
			t.Errorf("owner %v, cost %d, in the log %d, last agent %q", got.Owner, got.Cost, change.Events[0].Cost, got.LastAgent)
		}
	},
	AskContact: func(t *testing.T) {
		change, err := owned(t, OwnerQueue).AskContact(v1alpha1.ChannelTypeEmail, "Your address?", t0)
		wantLines(t, change, err, line{EventContactAsked, 2, AuthorSystem, ""}, line{EventMessage, 2, AuthorSystem, "Your address?"})
		is(t, "contact", &Contact{Asked: true, By: v1alpha1.ChannelTypeEmail}, change.Conversation.Contact)
	},
	RecordVoicemail: func(t *testing.T) {
		v := Voicemail{Recording: "r1", Seconds: 12, From: "+31201234567"}
		change, err := owned(t, OwnerQueue).RecordVoicemail(v, t0)
		wantLines(t, change, err, line{EventVoicemail, 2, AuthorCustomer, ""})
		is(t, "voicemail", &v, change.Events[0].Voicemail)
		is(t, "answered by", v1alpha1.ChannelTypePhone, change.Conversation.AnswerBy())
	},
	Overflow: func(t *testing.T) {
		change, err := owned(t, OwnerQueue).Overflow(Target{Helpdesk: "zendesk"}, "Elsewhere.", t0)
		wantLines(t, change, err, line{EventTransferred, 3, AuthorSystem, ""}, line{EventMessage, 3, AuthorSystem, "Elsewhere."})
		got := change.Conversation
		if got.Owner != (Owner{OwnerHelpdesk, "zendesk"}) || got.Offer != nil || got.Handoff.Number != 1 {
			t.Errorf("owner %v, offer %v, handoff %+v", got.Owner, got.Offer, got.Handoff)
		}
	},
	TakeOver: TestTakeOverFromTheAIIsAHandoff,
	Adopt: func(t *testing.T) {
		change, err := owned(t, OwnerAgent).Adopt(boris, 4, "Boris is here.", t0)
		wantLines(t, change, err, line{EventTakenOver, 4, AuthorAgent, ""}, line{EventMessage, 4, AuthorSystem, "Boris is here."})
		is(t, "owner", Owner{OwnerAgent, boris.Email}, change.Conversation.Owner)
		is(t, "cost", 4, change.Conversation.Cost)
	},
	AgentReplies: func(t *testing.T) {
		c := must(t)(owned(t, OwnerAgent).Snooze(anna, t0.Add(time.Hour), t0))
		change, err := c.AgentReplies(anna, "r1", "Hi.", time.Minute, t0)
		wantLines(t, change, err, line{EventWoken, 3, AuthorAgent, ""}, line{EventMessage, 3, AuthorAgent, "Hi."})
		is(t, "returns at", t0.Add(time.Minute), change.Conversation.ReturnAt)
		c = must(t)(change.Conversation.AgentReplies(anna, "r2", "Bye.", 0, t0))
		is(t, "returns at", time.Time{}, c.ReturnAt)
	},
	AgentNotes: func(t *testing.T) {
		change, err := owned(t, OwnerNobody).AgentNotes(boris, "n1", "Hm.", t0)
		wantLines(t, change, err, line{EventNote, 4, AuthorAgent, "Hm."})
		if _, shown := change.Events[0].ForCustomer(); shown {
			t.Error("the customer sees a note")
		}
	},
	Transfer: func(t *testing.T) {
		later := t0.Add(time.Hour)
		c := owned(t, OwnerAgent)
		c.Passed = []string{boris.Email}
		to := Target{Agent: boris.Email, Pool: "support"}
		change, err := c.Transfer(anna, to, "Needs a refund.", []string{"One moment."}, later)
		wantLines(t, change, err, line{EventTransferred, 4, AuthorAgent, "Needs a refund."}, line{EventMessage, 4, AuthorSystem, "One moment."})
		got := change.Conversation
		want := Handoff{Number: 1, Pinned: &to, Note: "Needs a refund.", At: later}
		is(t, "handoff", &want, got.Handoff)
		if len(got.Passed) != 0 || got.Cost != 0 || c.Handoff.Pinned != nil {
			t.Errorf("passed %v, cost %d, and before %+v", got.Passed, got.Cost, c.Handoff)
		}
		if shown, _ := change.Events[0].ForCustomer(); shown.Text != "" || shown.Target != nil || shown.Handoff != nil {
			t.Errorf("the customer sees %+v", shown)
		}
	},
	Snooze: func(t *testing.T) {
		c := must(t)(owned(t, OwnerAgent).AgentReplies(anna, "r1", "Hi.", time.Minute, t0))
		until := t0.Add(time.Hour)
		change, err := c.Snooze(anna, until, t0)
		wantLines(t, change, err, line{EventSnoozed, 3, AuthorAgent, ""})
		got := change.Conversation
		if got.Owner != agentAnna || !got.SnoozedUntil.Equal(until) || !got.ReturnAt.IsZero() || got.Cost != 2 {
			t.Errorf("owner %v, snoozed until %s, returns at %s, cost %d", got.Owner, got.SnoozedUntil, got.ReturnAt, got.Cost)
		}
	},
	Wake: func(t *testing.T) {
		c := must(t)(owned(t, OwnerAgent).Snooze(anna, t0.Add(time.Minute), t0))
		for by, agent := range map[AuthorKind]*Person{AuthorAgent: &anna, AuthorSystem: nil} {
			change, err := c.Wake(agent, t0.Add(time.Minute))
			wantLines(t, change, err, line{EventWoken, 3, by, ""})
			is(t, "snoozed until", time.Time{}, change.Conversation.SnoozedUntil)
		}
	},
	Resolve: func(t *testing.T) {
		change, err := owned(t, OwnerAgent).Resolve(anna, Outcome{Disposition: "refunded", Told: "Bye."}, t0)
		wantLines(t, change, err, line{EventResolved, 4, AuthorAgent, ""}, line{EventMessage, 4, AuthorSystem, "Bye."})
		got := change.Conversation
		if got.Disposition != "refunded" || change.Events[0].Disposition != "refunded" || !got.ClosedAt.Equal(t0) || got.Previous == nil {
			t.Errorf("disposition %q, closed at %s, previous handoff %v", got.Disposition, got.ClosedAt, got.Previous)
		}
		again := must(t)(owned(t, OwnerAgent).Snooze(anna, t0.Add(time.Hour), t0))
		is(t, "snoozed until", time.Time{}, must(t)(again.Resolve(anna, Outcome{}, t0)).SnoozedUntil)
		again.Returns = MaxReturns
		again = must(t)(again.Resolve(anna, Outcome{ToAI: true}, t0))
		is(t, "owner of what bounced", OwnerNobody, again.Owner.Kind)
	},
	ReturnToAI: TestReturnToTheAIBeginsAFreshWindow,
	IdleReturn: func(t *testing.T) {
		c := must(t)(owned(t, OwnerAgent).AgentReplies(anna, "r1", "Hi.", time.Minute, t0))
		change, err := c.IdleReturn("said hi", "The assistant is back.", t0.Add(time.Minute))
		wantLines(t, change, err, line{EventReturned, 4, AuthorSystem, ""}, line{EventMessage, 4, AuthorSystem, "The assistant is back."})
		got := change.Conversation
		if got.Background != "said hi" || got.Window != got.Seq || got.Returns != 1 || !got.ReturnAt.IsZero() {
			t.Errorf("background %q, window %d of %d, %d returns, returns at %s", got.Background, got.Window, got.Seq, got.Returns, got.ReturnAt)
		}
		c.Returns = MaxReturns
		change, err = c.IdleReturn("", "", t0.Add(time.Minute))
		wantLines(t, change, err, line{EventReturned, 4, AuthorSystem, ""}, line{EventNote, 4, AuthorSystem, "Closed, and not given to the AI: " +
			"it went back to the AI 3 times and needed a human again, so it stays with humans. If the customer writes again it goes to a human."})
	},
	OutsideReplies: func(t *testing.T) {
		c := must(t)(owned(t, OwnerHelpdesk).CustomerWrites("m2", "Hello?", t0))
		change, err := c.OutsideReplies("Zoe", "z1", "Hi.", t0)
		wantLines(t, change, err, line{EventMessage, 3, AuthorAgent, "Hi."})
		if change.Conversation.Unanswered() {
			t.Error("the customer's message counts as unanswered")
		}
	},
	OutsideEnds: func(t *testing.T) {
		change, err := owned(t, OwnerLine).OutsideEnds(Outcome{ToAI: true, Background: "called", Told: "Bye."}, t0)
		wantLines(t, change, err, line{EventResolved, 4, AuthorSystem, ""}, line{EventMessage, 4, AuthorSystem, "Bye."})
		is(t, "background", "called", change.Conversation.Background)
	},
	Requeue: func(t *testing.T) {
		later := t0.Add(time.Hour)
		change, err := owned(t, OwnerLine).Requeue("nobody picked up", []string{"One moment."}, later)
		wantLines(t, change, err, line{EventRequeued, 4, AuthorSystem, "nobody picked up"}, line{EventMessage, 4, AuthorSystem, "One moment."})
		is(t, "place", t0, change.Conversation.Handoff.At)
	},
	Reassign: func(t *testing.T) { checkReassign(t) },
	ReassignToAI: func(t *testing.T) {
		c := owned(t, OwnerAgent)
		c.Returns = MaxReturns
		change, err := c.Reassign(lead, Reassignment{To: OwnerAI, Background: "tried", Told: []string{"The assistant is back."}}, t0)
		wantLines(t, change, err, line{EventReassigned, 4, AuthorAgent, ""}, line{EventMessage, 4, AuthorSystem, "The assistant is back."})
		got := change.Conversation
		if got.Returns != 0 || got.Background != "tried" || got.Window != got.Seq || got.Handoff != nil || got.Cost != 0 {
			t.Errorf("after a supervisor gave it to the AI: %+v", got)
		}
	},
	Merge:  func(t *testing.T) { checkMerge(t) },
	Absorb: func(t *testing.T) { checkMerge(t) },
	Erase: func(t *testing.T) {
		change, err := owned(t, OwnerAgent).Erase(Author{Kind: AuthorSystem}, t0)
		wantLines(t, change, err, line{EventErased, 4, AuthorSystem, ""})
		got := change.Conversation
		if got.Customer != (Customer{}) || got.Handoff != nil || got.Previous != nil || got.Background != "" || got.Cost != 0 || !got.ErasedAt.Equal(t0) {
			t.Errorf("after the erasure: %+v", got)
		}
	},
}

func TestEffects(t *testing.T) {
	t.Parallel()
	for name, test := range effects {
		switch name {
		case HandOff, TakeOver, ReturnToAI: // tests of their own
		default:
			t.Run(string(name), func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	}
}

func checkOffer(t *testing.T) {
	t.Helper()
	c := must(t)(owned(t, OwnerQueue).OfferExpires(t0))
	change, err := c.MakeOffer(offerTo(boris), t0)
	wantLines(t, change, err, line{EventOffered, 2, AuthorSystem, ""})
	is(t, "cost in the log", 2, change.Events[0].Cost)
	want := offerTo(boris)
	is(t, "offer", &want, change.Conversation.Offer)
}

// endsOffer checks that the place in the queue stays, and who comes after the others.
func endsOffer(t *testing.T, event EventType, by AuthorKind, passed []string, end func(Conversation, time.Time) (Change, error)) {
	t.Helper()
	c := owned(t, OwnerQueue)
	change, err := end(c, t0.Add(time.Hour))
	wantLines(t, change, err, line{event, 2, by, ""})
	got := change.Conversation
	if got.Offer != nil || !slices.Equal(got.Passed, passed) || !got.Handoff.At.Equal(t0) || change.Events[0].Agent.ID != anna.Email {
		t.Errorf("offer %v, passed %v, waiting since %s, agent %v", got.Offer, got.Passed, got.Handoff.At, change.Events[0].Agent)
	}
}

func checkReassign(t *testing.T) {
	t.Helper()
	c := start(t)
	cut := &Cut{Epoch: c.Epoch, AnswerTo: c.Pending, Answer: Answer{Text: "Your"}}
	change, err := c.Reassign(lead, Reassignment{To: OwnerAgent, Agent: boris, Cost: 3, Note: "Yours.", Handoff: reasons, Cut: cut,
		Told: []string{"Boris is here."}}, t0)
	wantLines(t, change, err, line{EventMessage, 1, AuthorAI, "Your"}, line{EventHandoff, 2, AuthorSystem, ""},
		line{EventReassigned, 2, AuthorAgent, "Yours."}, line{EventMessage, 2, AuthorSystem, "Boris is here."})
	got := change.Conversation
	if got.Owner != (Owner{OwnerAgent, boris.Email}) || got.Cost != 3 || got.Handoff.Note != "Yours." || got.LastAgent != boris.Email {
		t.Errorf("owner %v, cost %d, handoff %+v, last agent %q", got.Owner, got.Cost, got.Handoff, got.LastAgent)
	}

	change, err = owned(t, OwnerQueue).Reassign(lead, Reassignment{To: OwnerQueue, Target: &Target{Pool: "billing"}}, t0)
	wantLines(t, change, err, line{EventOfferWithdrawn, 2, AuthorAgent, ""}, line{EventReassigned, 2, AuthorAgent, ""})
	is(t, "pinned", &Target{Pool: "billing"}, change.Conversation.Handoff.Pinned)
	is(t, "offer", nil, change.Conversation.Offer)

	change, err = owned(t, OwnerHelpdesk).Reassign(lead, Reassignment{To: OwnerNobody, Told: []string{"Bye."}}, t0)
	wantLines(t, change, err, line{EventReassigned, 4, AuthorAgent, ""}, line{EventMessage, 4, AuthorSystem, "Bye."})
	is(t, "closed at", t0, change.Conversation.ClosedAt)
}

func checkMerge(t *testing.T) {
	t.Helper()
	from, into := start(t), owned(t, OwnerAgent)
	into.ID, into.SnoozedUntil = "c2", t0.Add(time.Hour)
	asked := Event{Text: "Where is my parcel?"}
	cut := &Cut{Epoch: from.Epoch, AnswerTo: from.Pending, Answer: Answer{Text: "Your"}}
	merged, goesOn, err := from.MergeInto(into, anna, []Event{asked}, cut, t0)
	wantLines(t, merged, err, line{EventMessage, 1, AuthorAI, "Your"}, line{EventMerged, 2, AuthorAgent, ""})
	wantLines(t, goesOn, err, line{EventAbsorbed, 3, AuthorAgent, ""}, line{EventWoken, 3, AuthorSystem, ""},
		line{EventMessage, 3, AuthorCustomer, "Where is my parcel?"})
	got := merged.Conversation
	if got.Owner.Kind != OwnerNobody || got.MergedInto != "c2" || got.MergedAt != goesOn.Events[0].Seq || got.Pending != 0 {
		t.Errorf("merged: %+v", got)
	}
	is(t, "names of the other one", []string{"c2", "c1"}, []string{merged.Events[1].Other, goesOn.Events[0].Other})
	if !goesOn.Conversation.Unanswered() {
		t.Error("the message that went along counts as answered")
	}

	_, goesOn, err = from.MergeInto(another(t), anna, []Event{asked}, nil, t0)
	if err != nil || goesOn.Conversation.Pending != goesOn.Conversation.Seq {
		t.Errorf("the AI owes %d of %d, %v", goesOn.Conversation.Pending, goesOn.Conversation.Seq, err)
	}
}
