package logcheck

import (
	"slices"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
)

const (
	first, second = "c1", "c2"
	ann, bob      = "ann@agents.example", "bob@agents.example"
)

// run is a run in which nothing went wrong, made by the state machine itself.
type run struct {
	t          *testing.T
	journal    Journal
	logs       map[string][]conversation.Event
	capacities map[string]int
	now        time.Time
	conv       conversation.Conversation
}

var (
	annPerson = conversation.Person{Email: ann, Name: "Ann"}
	bobPerson = conversation.Person{Email: bob, Name: "Bob"}
)

// cleanRun has two conversations. The first: an answer, a handoff, an offer that expires, an assignment, a reply, a note,
// a resolve, an answer that Bob cuts by taking over, a return and an answer. The second is a plain handoff to Ann.
func cleanRun(t *testing.T) *run {
	r := &run{t: t, logs: map[string][]conversation.Event{}, capacities: map[string]int{ann: 1, bob: 1},
		now: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}
	r.journal.Seen = map[string][]Seen{}
	r.begin(first)
	r.customer("m1", "When are you open?")
	r.answer("Nine to six.", false)
	r.customer("m2", "A human, please")
	r.handOff(ann)
	r.do(r.conv.OfferExpires(r.now))
	r.offer(bobPerson)
	r.do(r.conv.Accept(bobPerson, "Bob is here", r.now))
	r.move(bob, conversation.EventAssigned, 1)
	r.agent(bobPerson, "r1", "Hello")
	r.customer("m3", "Thanks")
	r.do(r.conv.AgentNotes(bobPerson, "n1", "nice", r.now))
	r.sent(conversation.EventNote, conversation.AuthorAgent, bob, "n1", "nice")
	r.do(r.conv.Resolve(bobPerson, conversation.Outcome{ToAI: true, Told: "The assistant is back"}, r.now))
	r.move(bob, conversation.EventResolved, 1)
	r.customer("m4", "And on Sunday?")
	r.pieces("On Sun", "day we")
	r.do(r.conv.TakeOver(bobPerson, 1, conversation.Handoff{}, &conversation.Cut{Epoch: r.conv.Epoch, AnswerTo: r.conv.Pending,
		Answer: conversation.Answer{Text: "On Sunday we are", Understood: true}}, "Bob is here", r.now))
	r.move(bob, conversation.EventTakenOver, 2)
	r.do(r.conv.ReturnToAI(bobPerson, "", "The assistant is back", r.now))
	r.move(bob, conversation.EventReturned, 2)
	r.customer("m5", "Closed, then?")
	r.cut()
	r.answer("Yes.", false)

	r.begin(second)
	r.customer("m1", "A human, please")
	r.handOff(ann)
	r.do(r.conv.Accept(annPerson, "Ann is here", r.now))
	r.move(ann, conversation.EventAssigned, 1)
	r.do(r.conv.Resolve(annPerson, conversation.Outcome{Told: "Bye"}, r.now))
	r.move(ann, conversation.EventResolved, 1)
	return r
}

func (r *run) begin(id string) {
	r.journal.Opened = append(r.journal.Opened, id)
	r.do(conversation.Start(conversation.Conversation{ID: id}, "Hello!", r.now), nil)
}

// do takes a change and shows its events to the customer.
func (r *run) do(change conversation.Change, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	r.now = r.now.Add(time.Second)
	r.conv = change.Conversation
	id := r.conv.ID
	r.logs[id] = append(r.logs[id], change.Events...)
	for _, e := range change.Events {
		if view, ok := e.ForCustomer(); ok {
			s := Seen{Event: view}
			if h := view.Handoff; h != nil {
				p := decide.NewPayload(id, decide.Decision{Reason: h.Reason, Sentiment: h.Sentiment, Language: h.Language, IssueType: h.IssueType},
					decide.Summary{Customer: h.CustomerSummary})
				s.Event.Handoff, s.Payload = nil, &p
			}
			r.journal.Seen[id] = append(r.journal.Seen[id], s)
		}
	}
}

func (r *run) sent(kind conversation.EventType, author conversation.AuthorKind, agent, clientID, text string) {
	r.journal.Sent = append(r.journal.Sent, Sent{Conversation: r.conv.ID, Type: kind,
		Author: conversation.Author{Kind: author, ID: agent}, ClientID: clientID, Text: text, Acknowledged: true})
}

func (r *run) customer(clientID, text string) {
	r.t.Helper()
	r.do(r.conv.CustomerWrites(clientID, text, r.now))
	r.sent(conversation.EventMessage, conversation.AuthorCustomer, "", clientID, text)
}

func (r *run) agent(p conversation.Person, clientID, text string) {
	r.t.Helper()
	r.do(r.conv.AgentReplies(p, clientID, text, 0, r.now))
	r.sent(conversation.EventMessage, conversation.AuthorAgent, p.Email, clientID, text)
}

func (r *run) answer(text string, interrupted bool) {
	r.t.Helper()
	r.pieces(text[:2], text[2:])
	r.do(r.conv.AIAnswers(r.conv.Epoch, r.conv.Pending, conversation.Answer{Text: text, Understood: true, Interrupted: interrupted}, r.now))
}

func (r *run) handOff(to string) {
	r.t.Helper()
	h := conversation.Handoff{Reason: v1alpha1.HandoffHumanRequested, Sentiment: v1alpha1.SentimentNeutral, Language: "en",
		Summary: "for the human", CustomerSummary: "for the customer"}
	r.do(r.conv.HandOff(r.conv.Epoch, r.conv.Pending, h, nil, []string{"Somebody will be here soon"}, r.now))
	r.offer(conversation.Person{Email: to, Name: to})
}

func (r *run) offer(to conversation.Person) {
	r.t.Helper()
	r.do(r.conv.MakeOffer(conversation.Offer{Agent: to, Cost: 1, ExpiresAt: r.now.Add(time.Minute)}, r.now))
}

func (r *run) move(agent string, kind conversation.EventType, handoff int) {
	r.journal.Moves = append(r.journal.Moves, Move{Conversation: r.conv.ID, Agent: agent, Type: kind, Handoff: handoff, Acknowledged: true})
}

// pieces shows the customer parts of an answer to the message that is owed one.
func (r *run) pieces(parts ...string) {
	offset := 0
	for _, p := range parts {
		r.journal.Seen[r.conv.ID] = append(r.journal.Seen[r.conv.ID],
			Seen{Event: conversation.Event{AnswerTo: r.conv.Pending, Text: p}, Offset: offset})
		offset += len(p)
	}
}

func (r *run) cut() {
	r.journal.Seen[r.conv.ID] = append(r.journal.Seen[r.conv.ID], Seen{Cut: true})
}

// find returns the place of the nth event of a type in a log.
func (r *run) find(id string, kind conversation.EventType, nth int) int {
	r.t.Helper()
	for i, e := range r.logs[id] {
		if e.Type == kind {
			if nth--; nth == 0 {
				return i
			}
		}
	}
	r.t.Fatalf("conversation %s has not that many events %s", id, kind)
	return 0
}

// message returns the place of a message in a log.
func (r *run) message(id, text string) int {
	r.t.Helper()
	i := slices.IndexFunc(r.logs[id], func(e conversation.Event) bool { return e.Text == text })
	if i < 0 {
		r.t.Fatalf("conversation %s has no message %q", id, text)
	}
	return i
}

// remove takes events out of a log and closes the gap, as if they had never been; the customer saw nothing.
func (r *run) remove(id string, i, n int) {
	r.logs[id] = slices.Delete(r.logs[id], i, i+n)
	r.renumber(id, i, int64(-n))
}

// insert puts an event into a log.
func (r *run) insert(id string, i int, e conversation.Event) {
	r.logs[id] = slices.Insert(r.logs[id], i, e)
	r.renumber(id, i, 1)
}

func (r *run) renumber(id string, from int, by int64) {
	delete(r.journal.Seen, id)
	for i := range r.logs[id] {
		e := &r.logs[id][i]
		e.Seq = int64(i) + 1
		if e.AnswerTo > int64(from) {
			e.AnswerTo += by
		}
	}
}

// see returns what the customer was shown of an event.
func (r *run) see(id string, seq int64) *Seen {
	r.t.Helper()
	for i := range r.journal.Seen[id] {
		if s := &r.journal.Seen[id][i]; s.Event.Seq == seq {
			return s
		}
	}
	r.t.Fatalf("the customer of %s did not see event %d", id, seq)
	return nil
}
