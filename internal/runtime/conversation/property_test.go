package conversation

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// machine applies random commands to a conversation and to a reference that is told only what was asked and what was
// allowed. turns are the AI's turns, all of which may still try to speak: a real one that was cut does too.
type machine struct {
	conv Conversation
	log  []Event
	now  time.Time

	owner    OwnerKind
	agent    string // the owner, or who has the offer
	offered  bool
	expires  time.Time
	epoch    int64
	owed     int64 // newest customer's message without an answer
	answered int64 // newest one with an answer
	handoffs int
	turns    []turn
	texts    int
}

type turn struct{ epoch, answerTo int64 }

var agents = []Person{anna, boris, {Email: "chloe@agents.example", Name: "Chloé"}}

func newMachine() *machine {
	start := Start(Conversation{ID: "c1", Customer: Customer{ID: "u1"}}, "Hello!", t0)
	return &machine{conv: start.Conversation, log: start.Events, now: t0, owner: OwnerAI, epoch: 1}
}

// apply makes one call and checks that it was allowed exactly if the reference says so, and that a call never changes
// the value it was made on.
func (m *machine) apply(t *rapid.T, allowed bool, call func(c Conversation) (Change, error)) bool {
	before := asJSON(t, m.conv)
	change, err := call(m.conv)
	if after := asJSON(t, m.conv); after != before {
		t.Fatalf("the conversation was changed in place\nfrom %s\nto   %s", before, after)
	}
	var refusal *Refusal
	if err != nil && !errors.As(err, &refusal) && !errors.Is(err, ErrStale) {
		t.Fatalf("unexpected kind of error: %v", err)
	}
	if (err == nil) != allowed {
		t.Fatalf("allowed should be %v: %v (owner %s, epoch %d)", allowed, err, m.owner, m.epoch)
	}
	if err != nil {
		return false
	}
	m.conv = change.Conversation
	m.log = append(m.log, change.Events...)
	return true
}

// moved notes a new owner in the reference.
func (m *machine) moved(to OwnerKind, agent string) {
	m.owner, m.agent, m.offered = to, agent, false
	m.epoch++
	m.owed = 0
}

func (m *machine) text(kind string) string {
	m.texts++
	return fmt.Sprintf("%s %d", kind, m.texts)
}

func (m *machine) customerWrites(t *rapid.T) {
	reopens := m.owner == OwnerNobody
	m.apply(t, true, func(c Conversation) (Change, error) { return c.CustomerWrites("", m.text("question"), m.now) })
	if reopens {
		m.moved(OwnerAI, "")
	}
	if m.owner == OwnerAI {
		m.owed = m.log[len(m.log)-1].Seq
	}
}

func (m *machine) turnBegins(t *rapid.T) {
	if m.owner != OwnerAI || m.owed == 0 {
		t.Skip("the AI owes nothing")
	}
	m.turns = append(m.turns, turn{m.epoch, m.owed})
}

// aTurn draws a turn and says whether it may still speak.
func (m *machine) aTurn(t *rapid.T) (turn, bool) {
	if len(m.turns) == 0 {
		t.Skip("no turn has begun")
	}
	tn := rapid.SampledFrom(m.turns).Draw(t, "turn")
	return tn, m.owner == OwnerAI && tn.epoch == m.epoch && tn.answerTo > m.answered
}

func (m *machine) spoke(tn turn) {
	m.answered = tn.answerTo
	if m.owed == tn.answerTo {
		m.owed = 0
	}
}

func (m *machine) aiAnswers(t *rapid.T) {
	tn, may := m.aTurn(t)
	a := Answer{Text: m.text("answer"), Understood: rapid.Bool().Draw(t, "understood")}
	if m.apply(t, may, func(c Conversation) (Change, error) { return c.AIAnswers(tn.epoch, tn.answerTo, a, m.now) }) {
		m.spoke(tn)
	}
}

func (m *machine) handOff(t *rapid.T) {
	tn, may := m.aTurn(t)
	var cut *Answer
	if rapid.Bool().Draw(t, "released") {
		cut = &Answer{Text: m.text("prefix")}
	}
	if m.apply(t, may, func(c Conversation) (Change, error) {
		return c.HandOff(tn.epoch, tn.answerTo, secretHandoff(), cut, []string{"told"}, m.now)
	}) {
		if cut != nil {
			m.spoke(tn)
		}
		m.handoffs++
		m.moved(OwnerQueue, "")
	}
}

func (m *machine) takeOver(t *rapid.T) {
	agent := rapid.SampledFrom(agents).Draw(t, "agent")
	var cut *Cut
	if len(m.turns) > 0 && rapid.Bool().Draw(t, "released") {
		tn, may := m.aTurn(t)
		cut = &Cut{tn.epoch, tn.answerTo, Answer{Text: m.text("prefix")}}
		defer func() {
			if logged := m.says(cut.Answer.Text); logged != may {
				t.Fatalf("the released part of turn %+v is in the log: %v, want %v", tn, logged, may)
			}
		}()
		if may {
			defer m.spoke(tn)
		}
	}
	fromAI := m.owner == OwnerAI
	if m.apply(t, fromAI || m.owner == OwnerQueue, func(c Conversation) (Change, error) {
		return c.TakeOver(agent, 2, secretHandoff(), cut, "told", m.now)
	}) {
		if fromAI {
			m.handoffs++
		}
		m.moved(OwnerAgent, agent.Email)
	}
}

func (m *machine) says(text string) bool {
	return slices.ContainsFunc(m.log, func(e Event) bool { return e.Text == text })
}

func (m *machine) makeOffer(t *rapid.T) {
	o := Offer{Agent: rapid.SampledFrom(agents).Draw(t, "agent"), Pool: "p", Cost: 1, ExpiresAt: m.now.Add(time.Minute)}
	if m.apply(t, m.owner == OwnerQueue && !m.offered, func(c Conversation) (Change, error) { return c.MakeOffer(o, m.now) }) {
		m.agent, m.offered, m.expires = o.Agent.Email, true, o.ExpiresAt
	}
}

func (m *machine) offerExpires(t *rapid.T) {
	if m.apply(t, m.offered, func(c Conversation) (Change, error) { return c.OfferExpires(m.now) }) {
		m.agent, m.offered = "", false
	}
}

func (m *machine) accept(t *rapid.T) {
	agent := rapid.SampledFrom(agents).Draw(t, "agent")
	may := m.offered && m.agent == agent.Email && m.now.Before(m.expires)
	if m.apply(t, may, func(c Conversation) (Change, error) { return c.Accept(agent, "told", m.now) }) {
		m.moved(OwnerAgent, agent.Email)
	}
}

func (m *machine) agentWrites(t *rapid.T) {
	agent := rapid.SampledFrom(agents).Draw(t, "agent")
	if rapid.Bool().Draw(t, "note") {
		m.apply(t, true, func(c Conversation) (Change, error) { return c.AgentNotes(agent, "", secretNote, m.now) })
		return
	}
	may := m.owner == OwnerAgent && m.agent == agent.Email
	m.apply(t, may, func(c Conversation) (Change, error) { return c.AgentReplies(agent, "", m.text("reply"), m.now) })
}

func (m *machine) agentEnds(t *rapid.T) {
	agent := rapid.SampledFrom(agents).Draw(t, "agent")
	toAI, resolve := rapid.Bool().Draw(t, "toAI"), rapid.Bool().Draw(t, "resolve")
	may := m.owner == OwnerAgent && m.agent == agent.Email
	if m.apply(t, may, func(c Conversation) (Change, error) {
		if resolve {
			return c.Resolve(agent, toAI, "background", "told", m.now)
		}
		return c.ReturnToAI(agent, "background", "told", m.now)
	}) {
		if to := OwnerAI; toAI || !resolve {
			m.moved(to, "")
		} else {
			m.moved(OwnerNobody, "")
		}
	}
}

func (m *machine) timePasses(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
}

func TestConversationAgainstReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine()
		t.Repeat(map[string]func(*rapid.T){
			"customer writes": m.customerWrites, "turn begins": m.turnBegins, "AI answers": m.aiAnswers,
			"hand off": m.handOff, "take over": m.takeOver, "offer": m.makeOffer, "offer expires": m.offerExpires,
			"accept": m.accept, "agent writes": m.agentWrites, "agent ends": m.agentEnds, "time passes": m.timePasses,
			"": m.check,
		})
	})
}
