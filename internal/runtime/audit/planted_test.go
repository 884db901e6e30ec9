package audit_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/audit"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

var (
	t0    = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	anna  = conversation.Person{Email: "anna@agents.example", Name: "Anna"}
	boris = conversation.Person{Email: "boris@agents.example", Name: "Boris"}
)

// world is what a clean run left: two conversations, their outboxes and the presences.
type world struct {
	logs      []*audit.Log
	presences []audit.Presence
}

// play plays a conversation with the real state machine, a second between the transitions.
func play(t *testing.T, id string, begin time.Time, moves ...func(c conversation.Conversation, now time.Time) (conversation.Change, error)) *audit.Log {
	t.Helper()
	now := begin
	change := conversation.Start(conversation.Conversation{ID: id, ChannelType: v1alpha1.ChannelTypeWeb}, "Hello", now)
	l := &audit.Log{Conversation: change.Conversation, Events: change.Events}
	for i, move := range moves {
		now = now.Add(time.Second)
		change, err := move(l.Conversation, now)
		if err != nil {
			t.Fatalf("move %d of %s: %v", i, id, err)
		}
		l.Conversation, l.Events = change.Conversation, append(l.Events, change.Events...)
	}
	return l
}

type move = func(c conversation.Conversation, now time.Time) (conversation.Change, error)

func writes(id string) move {
	return func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
		return c.CustomerWrites(id, "text "+id, now)
	}
}

func answers(c conversation.Conversation, now time.Time) (conversation.Change, error) {
	return c.AIAnswers(c.Epoch, c.Pending, conversation.Answer{Text: "answer", Understood: true}, now)
}

func handsOff(c conversation.Conversation, now time.Time) (conversation.Change, error) {
	return c.HandOff(c.Epoch, c.Pending, conversation.Handoff{Reason: v1alpha1.HandoffHumanRequested}, nil, []string{"connecting", "number 1"}, now)
}

func offers(p conversation.Person, held int) move {
	return func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
		return c.MakeOffer(conversation.Offer{Agent: p, Pool: "team", Cost: 1, ExpiresAt: now.Add(time.Minute), Room: conversation.Room{Held: held, Capacity: 2}}, now)
	}
}

func accepts(p conversation.Person) move {
	return func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
		return c.Accept(p, "you talk to "+p.Name, now)
	}
}

func replies(p conversation.Person, id string) move {
	return func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
		return c.AgentReplies(p, id, "reply", 0, now)
	}
}

func gives(p conversation.Person) move {
	return func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
		return c.ReturnToAI(p, "", "back", now)
	}
}

func expires(c conversation.Conversation, now time.Time) (conversation.Change, error) {
	return c.OfferExpires(now)
}

// clean is a run without a mistake: an answer that a takeover cut, an offer that expired, a second handoff, and three
// messages that went out.
func clean(t *testing.T) *world {
	t.Helper()
	cut := func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
		said := &conversation.Cut{Epoch: c.Epoch, AnswerTo: c.Pending, Answer: conversation.Answer{Text: "half an ans"}}
		return c.TakeOver(boris, 1, conversation.Handoff{}, said, "you talk to Boris", now)
	}
	w := &world{
		logs: []*audit.Log{
			play(t, "c1", t0, writes("m1"), answers, writes("m2"), handsOff, offers(anna, 1), expires, offers(boris, 1), accepts(boris), replies(boris, "r1"),
				gives(boris), writes("m3"), handsOff, offers(anna, 1), accepts(anna), replies(anna, "r2")),
			play(t, "c2", t0.Add(time.Hour), writes("m1"), cut, replies(boris, "r1"), gives(boris), writes("m2"), answers),
		},
		presences: []audit.Presence{{Email: anna.Email, At: t0, State: "online"}, {Email: boris.Email, At: t0, State: "away"}, {Email: boris.Email, At: t0.Add(time.Second), State: "online"}},
	}
	for i, l := range w.logs {
		for seq := range int64(3) {
			l.Outbox = append(l.Outbox, audit.Message{Destination: "webhook/crm", Seq: seq + 1, Key: fmt.Sprintf("c%d/webhook/crm/%d", i+1, seq+1),
				State: "delivered", At: t0, Ended: t0.Add(time.Duration(seq) * time.Second)})
		}
	}
	w.logs[1].Outbox[2] = audit.Message{Destination: "webhook/crm", Seq: 3, Key: "c2/webhook/crm/3", State: "pending", At: t0, Next: true}
	return w
}

func (w *world) judge() []audit.Violation {
	a := &audit.Auditor{}
	for _, l := range w.logs {
		a.Add(*l)
	}
	for _, p := range w.presences {
		a.AddPresence(p)
	}
	return a.Result()
}

func TestACleanRunHasNoViolation(t *testing.T) {
	t.Parallel()
	for _, v := range clean(t).judge() {
		t.Error(v)
	}
}

// event finds the nth event of a type in a log.
func event(t *testing.T, l *audit.Log, kind conversation.EventType, author conversation.AuthorKind, nth int) *conversation.Event {
	t.Helper()
	for i := range l.Events {
		if e := &l.Events[i]; e.Type == kind && (author == "" || e.Author.Kind == author) {
			if nth--; nth == 0 {
				return e
			}
		}
	}
	t.Fatalf("no such event: %s of %s", kind, author)
	return nil
}

// insert puts an event behind another and renumbers the rest, as a mistaken program would have written it.
func insert(l *audit.Log, after int64, e conversation.Event) {
	l.Events = slices.Insert(slices.Clone(l.Events), int(after), e)
	renumber(l)
}

// remove takes an event out, likewise.
func remove(l *audit.Log, seq int64) {
	l.Events = slices.Delete(slices.Clone(l.Events), int(seq)-1, int(seq))
	renumber(l)
}

func renumber(l *audit.Log) {
	moved := map[int64]int64{}
	for i := range l.Events {
		if old := l.Events[i].Seq; old != 0 {
			moved[old] = int64(i) + 1
		}
		l.Events[i].Seq = int64(i) + 1
	}
	for i := range l.Events {
		if to := l.Events[i].AnswerTo; to != 0 {
			l.Events[i].AnswerTo = moved[to]
		}
	}
	l.Conversation.Seq = int64(len(l.Events))
}

const (
	message = conversation.EventMessage
	ai      = conversation.AuthorAI
	agent   = conversation.AuthorAgent
	system  = conversation.AuthorSystem
	person  = conversation.AuthorCustomer
)

// planted are violations, each put into a clean run by a change of its own. Every rule has at least one.
var planted = []struct {
	name string
	rule audit.Rule
	do   func(t *testing.T, w *world)
}{
	{"an event is missing", audit.Sequence, func(_ *testing.T, w *world) { w.logs[0].Events = slices.Delete(slices.Clone(w.logs[0].Events), 4, 5) }},
	{"an event is there twice", audit.Sequence, func(_ *testing.T, w *world) {
		w.logs[0].Events = slices.Insert(slices.Clone(w.logs[0].Events), 5, w.logs[0].Events[5])
	}},
	{"the state is behind the log", audit.Sequence, func(_ *testing.T, w *world) { w.logs[0].Conversation.Seq-- }},
	{"the state has another owner than the log", audit.OneOwner, func(_ *testing.T, w *world) { w.logs[0].Conversation.Owner.ID = boris.Email }},
	{"an epoch has two owners", audit.OneOwner, func(t *testing.T, w *world) {
		event(t, w.logs[0], conversation.EventOffered, "", 1).Owner = &conversation.Owner{Kind: conversation.OwnerAgent, ID: anna.Email}
	}},
	{"an epoch is left out", audit.OneOwner, func(t *testing.T, w *world) {
		from := event(t, w.logs[0], conversation.EventReturned, "", 1).Seq
		for i := range w.logs[0].Events[from-1:] {
			w.logs[0].Events[from-1:][i].Epoch++
		}
		w.logs[0].Conversation.Epoch++
	}},
	{"an epoch goes back", audit.OneOwner, func(t *testing.T, w *world) { event(t, w.logs[0], message, agent, 1).Epoch = 1 }},
	{"an agent speaks who does not own it", audit.OneOwner, func(t *testing.T, w *world) {
		event(t, w.logs[0], message, agent, 1).Author.ID = anna.Email
	}},
	{"an agent speaks while the AI owns it", audit.OneOwner, func(t *testing.T, w *world) {
		e := event(t, w.logs[0], message, ai, 2)
		e.Author = conversation.Author{Kind: agent, ID: anna.Email}
	}},
	{"the AI speaks while an agent owns it", audit.AISilent, func(t *testing.T, w *world) {
		event(t, w.logs[0], message, agent, 1).Author = conversation.Author{Kind: ai}
	}},
	{"the AI speaks while it waits in the queue", audit.AISilent, func(t *testing.T, w *world) {
		e := *event(t, w.logs[0], message, system, 1)
		e.Author, e.Text = conversation.Author{Kind: ai}, "one more thing"
		insert(w.logs[0], e.Seq, e)
	}},
	{"the AI finishes its answer after the takeover", audit.AISilent, func(t *testing.T, w *world) {
		taken := event(t, w.logs[1], conversation.EventTakenOver, "", 1)
		late := *event(t, w.logs[1], message, ai, 2)
		late.Interrupted, late.AnswerTo = false, 0
		insert(w.logs[1], taken.Seq, late)
	}},
	{"more than one piece is kept of a cut answer", audit.AISilent, func(t *testing.T, w *world) {
		taken := event(t, w.logs[1], conversation.EventTakenOver, "", 1)
		late := *event(t, w.logs[1], message, ai, 2)
		late.AnswerTo = 0
		insert(w.logs[1], taken.Seq, late)
	}},
	{"a message is answered twice", audit.AnsweredOnce, func(t *testing.T, w *world) {
		e := *event(t, w.logs[0], message, ai, 2)
		insert(w.logs[0], e.Seq, e)
	}},
	{"an answer is to nobody's message", audit.AnsweredOnce, func(t *testing.T, w *world) { event(t, w.logs[0], message, ai, 2).AnswerTo = 1 }},
	{"a human owns it without a handoff", audit.HandoffFirst, func(t *testing.T, w *world) {
		remove(w.logs[1], event(t, w.logs[1], conversation.EventHandoff, "", 1).Seq)
	}},
	{"a handoff is written twice", audit.HandoffFirst, func(t *testing.T, w *world) {
		e := *event(t, w.logs[0], conversation.EventHandoff, "", 1)
		e.Owner = nil
		insert(w.logs[0], e.Seq, e)
	}},
	{"a handoff has another's number", audit.HandoffFirst, func(t *testing.T, w *world) {
		e := event(t, w.logs[0], conversation.EventHandoff, "", 2)
		h := *e.Handoff
		h.Number = 1
		e.Handoff = &h
	}},
	{"nobody tells the customer", audit.Told, func(t *testing.T, w *world) {
		h := event(t, w.logs[0], conversation.EventHandoff, "", 1)
		remove(w.logs[0], h.Seq+2)
		remove(w.logs[0], h.Seq+1)
	}},
	{"the customer is told twice", audit.Told, func(t *testing.T, w *world) {
		e := *event(t, w.logs[0], message, system, 1)
		insert(w.logs[0], e.Seq, e)
	}},
	{"the customer is told again a while later", audit.Told, func(t *testing.T, w *world) {
		offered := event(t, w.logs[0], conversation.EventOfferExpired, "", 1)
		e := *event(t, w.logs[0], message, system, 1)
		e.At = offered.At
		insert(w.logs[0], offered.Seq, e)
	}},
	{"the customer is told twice who has it", audit.Told, func(t *testing.T, w *world) {
		e := *event(t, w.logs[0], message, system, 3)
		e.At = e.At.Add(time.Second)
		insert(w.logs[0], event(t, w.logs[0], message, agent, 1).Seq, e)
	}},
	{"the customer is not told who has it", audit.Told, silence(conversation.EventAssigned)},
	{"the customer is not told of a takeover", audit.Told, silence(conversation.EventTakenOver)},
	{"the customer is not told of the way back", audit.Told, silence(conversation.EventReturned)},
	{"the customer is told late", audit.Told, func(t *testing.T, w *world) {
		told := event(t, w.logs[0], conversation.EventAssigned, "", 1).Seq + 1
		w.logs[0].Events[told-1].At = w.logs[0].Events[told-1].At.Add(time.Millisecond)
	}},
	{"the customer is told before it is written", audit.Told, func(t *testing.T, w *world) {
		e := *event(t, w.logs[0], message, system, 1)
		e.Epoch = 1
		insert(w.logs[0], event(t, w.logs[0], conversation.EventHandoff, "", 1).Seq-1, e)
	}},
	{"a repeated message is taken twice", audit.Once, func(t *testing.T, w *world) {
		e := *event(t, w.logs[0], message, person, 2)
		insert(w.logs[0], e.Seq, e)
	}},
	{"old words hand off at once", audit.FreshWindow, func(t *testing.T, w *world) {
		remove(w.logs[0], event(t, w.logs[0], message, person, 3).Seq)
	}},
	{"an old message is answered", audit.FreshWindow, func(t *testing.T, w *world) {
		event(t, w.logs[1], message, ai, 3).AnswerTo = event(t, w.logs[1], message, person, 1).Seq
		event(t, w.logs[1], message, ai, 2).AnswerTo = 0
	}},
	{"an offer was made beyond capacity, and says so", audit.Room, func(t *testing.T, w *world) {
		event(t, w.logs[0], conversation.EventOffered, "", 1).Room = &conversation.Room{Held: 3, Capacity: 2}
	}},
	{"an offer was made beyond capacity, and does not say so", audit.Room, func(t *testing.T, w *world) {
		for _, id := range []string{"x1", "x2"} {
			w.logs = append(w.logs, play(t, id, t0.Add(-time.Minute), writes("m"), handsOff, offers(anna, 1)))
		}
		w.presences = slices.Insert(w.presences, 0, audit.Presence{Email: anna.Email, At: t0.Add(-time.Hour), State: "online"})
	}},
	{"an offer was made to somebody away", audit.Present, func(_ *testing.T, w *world) { w.presences[0].State = "away" }},
	{"an offer was made to somebody who left", audit.Present, func(_ *testing.T, w *world) {
		w.presences = slices.Insert(w.presences, 1, audit.Presence{Email: anna.Email, At: t0.Add(time.Second), State: "offline"})
	}},
	{"an offer was made to somebody who never came", audit.Present, func(_ *testing.T, w *world) { w.presences = w.presences[1:] }},
	{"a message was lost", audit.Outbox, func(_ *testing.T, w *world) { w.logs[0].Outbox = slices.Delete(slices.Clone(w.logs[0].Outbox), 1, 2) }},
	{"a message was lost that is younger than what is kept", audit.Outbox, func(_ *testing.T, w *world) {
		w.logs[0].OutboxFrom = t0.Add(-time.Second)
		w.logs[0].Outbox = w.logs[0].Outbox[1:]
	}},
	{"a message was lost behind one that is younger than what is kept", audit.Outbox, func(_ *testing.T, w *world) {
		w.logs[0].OutboxFrom = t0
		w.logs[0].Outbox[0].At = t0.Add(time.Second)
		w.logs[0].Outbox = slices.Delete(slices.Clone(w.logs[0].Outbox), 1, 2)
	}},
	{"a message overtook another", audit.Outbox, func(_ *testing.T, w *world) { w.logs[0].Outbox[1].Ended = t0.Add(time.Hour) }},
	{"a message went before one that waits", audit.Outbox, func(_ *testing.T, w *world) {
		w.logs[0].Outbox[1].State, w.logs[0].Outbox[1].Ended, w.logs[0].Outbox[1].Next = "pending", time.Time{}, true
	}},
	{"a message has another's key", audit.Outbox, func(_ *testing.T, w *world) { w.logs[0].Outbox[1].Key = w.logs[0].Outbox[0].Key }},
	{"what waits is tried by nobody", audit.Outbox, func(_ *testing.T, w *world) { w.logs[1].Outbox[2].Next = false }},
}

// silence takes out what a customer is told with the first event of a type.
func silence(kind conversation.EventType) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		for _, l := range w.logs {
			if i := slices.IndexFunc(l.Events, func(e conversation.Event) bool { return e.Type == kind }); i >= 0 {
				remove(l, l.Events[i].Seq+1)
				return
			}
		}
		t.Fatalf("no event is %s", kind)
	}
}

// Every planted violation is found under its rule.
func TestPlantedViolationsAreFound(t *testing.T) {
	t.Parallel()
	tried := map[audit.Rule]bool{}
	for _, p := range planted {
		tried[p.rule] = true
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := clean(t)
			p.do(t, w)
			found := w.judge()
			if !slices.ContainsFunc(found, func(v audit.Violation) bool { return v.Rule == p.rule }) {
				t.Errorf("nothing is found under %s; found: %v", p.rule, found)
			}
		})
	}
	for _, rule := range audit.Rules {
		if !tried[rule] {
			t.Errorf("no violation of %s is planted", rule)
		}
	}
}

// What is not a violation: a message after its dead letter was replayed, and what a replica wrote behind a takeover of
// an answer that it was saying.
func TestWhatLooksLikeAViolation(t *testing.T) {
	t.Parallel()
	w := clean(t)
	w.logs[0].Outbox[0].Replayed, w.logs[0].Outbox[0].Ended = true, t0.Add(time.Hour)
	l := w.logs[1]
	cut := *event(t, l, message, ai, 2)
	remove(l, cut.Seq)
	cut.Seq = 0
	cut.AnswerTo = event(t, l, message, person, 1).Seq
	insert(l, event(t, l, conversation.EventTakenOver, "", 1).Seq, cut)
	for i := range l.Events { // remove and insert moved what the cut answer answers
		if l.Events[i].Interrupted {
			l.Events[i].AnswerTo = event(t, l, message, person, 1).Seq
		}
	}
	for _, v := range w.judge() {
		t.Error(v)
	}
}

// What is told again since the customer did it again is no violation either: no address in two messages.
func TestTheSameIsToldAgainWhereItHappensAgain(t *testing.T) {
	t.Parallel()
	asks := func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
		return c.AskContact(v1alpha1.ChannelTypeEmail, "Which address?", now)
	}
	hints := func(c conversation.Conversation, now time.Time) (conversation.Change, error) {
		return c.Inform("That is no address", now)
	}
	judge := func(moves ...move) []audit.Violation {
		a := &audit.Auditor{}
		a.Add(*play(t, "c", t0, append([]move{writes("m1"), handsOff, asks}, moves...)...))
		return a.Result()
	}
	if found := judge(writes("m2"), hints, writes("m3"), hints); len(found) > 0 {
		t.Error(found)
	}
	if found := judge(writes("m2"), hints, hints); len(found) != 1 || found[0].Rule != audit.Told {
		t.Errorf("told twice of one message: %v", found)
	}
}

// Where a clock was set back, as one conversation shows, the times of others say no order; elsewhere they do.
func TestWhereAClockWasSetBack(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		back time.Duration
		ok   bool
	}{
		"over the offer":   {time.Hour, true},
		"beside the offer": {time.Second, false},
	} {
		w := clean(t)
		w.presences[0].State = "away" // when anna was offered the first one
		turned := play(t, "c3", t0.Add(30*time.Minute), writes("m1"), answers)
		last := &turned.Events[len(turned.Events)-1]
		last.At = last.At.Add(-tc.back)
		w.logs = append(w.logs, turned)
		if found := w.judge(); (len(found) == 0) != tc.ok {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// A log that went through JSON is judged alike.
func TestThroughJSON(t *testing.T) {
	t.Parallel()
	w := clean(t)
	for i, l := range w.logs {
		raw, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		w.logs[i] = &audit.Log{}
		if err := json.Unmarshal(raw, w.logs[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range w.judge() {
		t.Error(v)
	}
	w.logs[0].Events[5].Epoch = 9
	if len(w.judge()) == 0 {
		t.Error("nothing is found any more")
	}
}

// What is older than the records are kept is not missing, and an offer of that time is not judged by what is left. Later
// ones are.
func TestOldRecordsAreGone(t *testing.T) {
	t.Parallel()
	w := clean(t)
	w.logs[0].Outbox, w.logs[1].Outbox[0].State = w.logs[0].Outbox[2:], "dead"
	w.logs[1].Outbox = slices.Delete(slices.Clone(w.logs[1].Outbox), 1, 2)
	for _, l := range w.logs {
		l.OutboxFrom = t0.Add(2 * time.Hour)
	}
	offered := event(t, w.logs[0], conversation.EventOffered, "", 2).At
	w.presences = []audit.Presence{{Email: "c@agents.example", At: t0, State: "online"}}
	judge := func(from time.Time) (found []audit.Violation) {
		a := &audit.Auditor{PresencesFrom: from}
		for _, l := range w.logs {
			a.Add(*l)
		}
		a.AddPresence(w.presences[0])
		return a.Result()
	}
	for _, v := range judge(t0.Add(time.Hour)) {
		t.Error(v)
	}
	if found := judge(offered); len(found) == 0 || found[0].Rule != audit.Present {
		t.Errorf("an offer at the time from which presences are kept: %v", found)
	}
}
