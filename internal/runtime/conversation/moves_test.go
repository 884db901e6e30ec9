package conversation

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// line is what a test compares of an event.
type line struct {
	Type   EventType
	Epoch  int64
	Author AuthorKind
	Text   string
}

func lines(events []Event) (all []line) {
	for _, e := range events {
		all = append(all, line{e.Type, e.Epoch, e.Author.Kind, e.Text})
	}
	return all
}

func wantLines(t *testing.T, change Change, err error, want ...line) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, lines(change.Events)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestHandOffKeepsWhatWasReleasedAndTellsTheCustomer(t *testing.T) {
	t.Parallel()
	c := start(t)
	answer := Answer{Text: "Your parcel is", Understood: true}
	change, err := c.HandOff(c.Epoch, c.Pending, Handoff{Reason: v1alpha1.HandoffHumanRequested}, &answer,
		[]string{"A colleague takes over.", "You are second in the queue."}, t0)
	wantLines(t, change, err,
		line{EventMessage, 1, AuthorAI, "Your parcel is"},
		line{EventHandoff, 2, AuthorSystem, ""},
		line{EventMessage, 2, AuthorSystem, "A colleague takes over."},
		line{EventMessage, 2, AuthorSystem, "You are second in the queue."})
	if cut := change.Events[0]; !cut.Interrupted || cut.Unanswered || cut.AnswerTo != c.Pending {
		t.Errorf("the cut answer is %+v, want it interrupted, in answer to %d", cut, c.Pending)
	}
	if answer.Interrupted {
		t.Error("the caller's answer was changed")
	}
	if h := change.Conversation.Handoff; h == nil || h.Number != 1 || !h.At.Equal(t0) || h.Reason != v1alpha1.HandoffHumanRequested {
		t.Errorf("handoff in progress is %+v", h)
	}
}

func TestTakeOverFromTheAIIsAHandoff(t *testing.T) {
	t.Parallel()
	c := start(t)
	cut := &Cut{Epoch: c.Epoch, AnswerTo: c.Pending, Answer: Answer{Text: "Your"}}
	change, err := c.TakeOver(anna, 3, Handoff{Summary: "parcel"}, cut, "Anna is here.", t0)
	wantLines(t, change, err,
		line{EventMessage, 1, AuthorAI, "Your"},
		line{EventHandoff, 2, AuthorSystem, ""},
		line{EventTakenOver, 2, AuthorAgent, ""},
		line{EventMessage, 2, AuthorSystem, "Anna is here."})
	got := change.Conversation
	if got.Owner != (Owner{OwnerAgent, anna.Email}) || got.Cost != 3 || got.Pending != 0 {
		t.Errorf("owner %v, cost %d, pending %d", got.Owner, got.Cost, got.Pending)
	}
	if got.Handoff == nil || got.Handoff.Reason != v1alpha1.HandoffAgentTookOver || got.Handoff.Summary != "parcel" {
		t.Errorf("handoff %+v", got.Handoff)
	}
}

func TestTakeOverFromTheQueueGoesOnWithItsHandoff(t *testing.T) {
	t.Parallel()
	c := owned(t, OwnerQueue)
	change, err := c.TakeOver(boris, 1, Handoff{Summary: "another"}, nil, "", t0)
	wantLines(t, change, err, line{EventTakenOver, 3, AuthorAgent, ""})
	if got := change.Conversation; got.Offer != nil || got.Handoff == nil || got.Handoff.Summary != "" || got.Handoffs != 1 {
		t.Errorf("offer %v, handoff %+v, %d handoffs", got.Offer, got.Handoff, got.Handoffs)
	}
}

// The turn's answer was committed, its end is not known yet, and the customer has written again.
func TestTakeOverDoesNotRepeatAnAnswer(t *testing.T) {
	t.Parallel()
	c := start(t)
	cut := &Cut{Epoch: c.Epoch, AnswerTo: c.Pending, Answer: Answer{Text: "Tomorrow."}}
	c = must(t)(c.CustomerWrites("m2", "Hello?", t0))
	c = must(t)(c.AIAnswers(cut.Epoch, cut.AnswerTo, Answer{Text: "Tomorrow.", Understood: true}, t0))
	if c.Pending == 0 {
		t.Fatal("the second message is not owed an answer")
	}
	change, err := c.TakeOver(anna, 1, Handoff{}, cut, "", t0)
	wantLines(t, change, err, line{EventHandoff, 2, AuthorSystem, ""}, line{EventTakenOver, 2, AuthorAgent, ""})
}

func TestAMessageWrittenMeanwhileStaysOwed(t *testing.T) {
	t.Parallel()
	c := start(t)
	first := c.Pending
	c = must(t)(c.CustomerWrites("m2", "And the bill?", t0))
	second := c.Pending
	c = must(t)(c.AIAnswers(c.Epoch, first, Answer{Text: "Tomorrow.", Understood: true}, t0))
	if c.Pending != second || c.Answered != first {
		t.Fatalf("pending %d, answered %d; want %d, %d", c.Pending, c.Answered, second, first)
	}
	c = must(t)(c.AIAnswers(c.Epoch, second, Answer{Text: "Enclosed.", Understood: true}, t0))
	if c.Pending != 0 {
		t.Errorf("message %d is owed an answer still", c.Pending)
	}
}

func TestNotUnderstoodCountsConsecutiveTurns(t *testing.T) {
	t.Parallel()
	c := start(t)
	var got []int
	for _, understood := range []bool{false, false, true, false} {
		c = must(t)(c.CustomerWrites("", "Hm?", t0))
		c = must(t)(c.AIAnswers(c.Epoch, c.Pending, Answer{Text: "x", Understood: understood}, t0))
		got = append(got, c.NotUnderstood)
	}
	if want := []int{1, 2, 0, 1}; !slices.Equal(got, want) || c.Turns != len(want) {
		t.Errorf("not understood %v, want %v; %d turns", got, want, c.Turns)
	}
}

func TestAnExpiredOfferKeepsThePlaceInTheQueue(t *testing.T) {
	t.Parallel()
	c := owned(t, OwnerQueue)
	at := c.Handoff.At
	later := t0.Add(time.Hour)
	c = must(t)(c.OfferExpires(later))
	c = must(t)(c.MakeOffer(offerTo(anna), later))
	c = must(t)(c.OfferExpires(later))
	if c.Offer != nil || !slices.Equal(c.Passed, []string{anna.Email}) || !c.Handoff.At.Equal(at) {
		t.Errorf("offer %v, passed %v, waiting since %s", c.Offer, c.Passed, c.Handoff.At)
	}
}

// Two changes of one value, of which at most one is saved, share no memory.
func TestChangesDoNotShareWhoPassed(t *testing.T) {
	t.Parallel()
	c := owned(t, OwnerQueue)
	c.Passed = make([]string, 0, 4)
	first := must(t)(c.OfferExpires(t0))
	c.Offer = &Offer{Agent: boris}
	second := must(t)(c.OfferExpires(t0))
	if !slices.Equal(first.Passed, []string{anna.Email}) || !slices.Equal(second.Passed, []string{boris.Email}) {
		t.Errorf("passed: %v and %v", first.Passed, second.Passed)
	}
}

func TestReturnToTheAIBeginsAFreshWindow(t *testing.T) {
	t.Parallel()
	c := owned(t, OwnerAgent)
	c = must(t)(c.CustomerWrites("m2", "I want a human!", t0))
	change, err := c.ReturnToAI(anna, "The parcel was lost.", "The assistant is back.", t0)
	wantLines(t, change, err,
		line{EventReturned, 4, AuthorAgent, ""}, line{EventMessage, 4, AuthorSystem, "The assistant is back."})
	got := change.Conversation
	want := c
	want.Owner, want.Epoch, want.Seq = Owner{Kind: OwnerAI}, c.Epoch+1, c.Seq+2
	want.Window, want.Background, want.Messages = want.Seq, "The parcel was lost.", c.Messages+1
	want.Turns, want.NotUnderstood, want.Pending, want.Handoff, want.Passed, want.Cost = 0, 0, 0, nil, nil, 0
	want.Pool, want.AssignedAt = "", time.Time{}
	want.Previous, want.Returns, want.Course = c.Handoff, 1, Course{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
}

func TestReopenKeepsTheBackground(t *testing.T) {
	t.Parallel()
	c := owned(t, OwnerNobody)
	change, err := c.Reopen("m2", "It broke again.", nil, nil, t0)
	wantLines(t, change, err,
		line{EventReopened, 5, AuthorSystem, ""}, line{EventMessage, 5, AuthorCustomer, "It broke again."})
	got := change.Conversation
	if got.Background != "solved" || got.Window != change.Events[0].Seq || got.Pending != change.Events[1].Seq {
		t.Errorf("background %q, window %d, pending %d", got.Background, got.Window, got.Pending)
	}
}
