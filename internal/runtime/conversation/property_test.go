package conversation

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
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
	// said are the customer's messages, of which none may be lost.
	said     []string
	since    time.Time // when the wait of the handoff in progress began
	snoozed  time.Time
	returnAt time.Time
	left     bool
	open     bool // the AI had no answer to its last question
	returns  int
	asked    bool // for a contact
	merged   string
	pinned   *Target
	absences []Absence // of which the customer was told in this wait
	// unanswered says that no human answered the customer's newest message.
	unanswered bool
}

type turn struct{ epoch, answerTo int64 }

var agents = []Person{anna, boris, {Email: "chloe@agents.example", Name: "Chloé"}}

// anAgent draws an agent: most often the one who has it, since others are only refused.
func (m *machine) anAgent(t *rapid.T) Person {
	has := slices.IndexFunc(agents, func(p Person) bool { return p.Email == m.agent })
	if has >= 0 && rapid.IntRange(0, 3).Draw(t, "has it") != 0 {
		return agents[has]
	}
	return rapid.SampledFrom(agents).Draw(t, "agent")
}

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
	m.snoozed, m.returnAt, m.absences = time.Time{}, time.Time{}, nil
	if to == OwnerAI || to == OwnerNobody {
		m.pinned, m.open, m.asked = nil, false, false
	}
}

// handedOff notes a handoff that begins now.
func (m *machine) handedOff() {
	m.handoffs++
	m.since, m.pinned, m.open = m.now, nil, false
}

// wrote notes a customer's message.
func (m *machine) wrote(text string) {
	m.said = append(m.said, text)
	m.unanswered = true
	m.snoozed, m.returnAt, m.left = time.Time{}, time.Time{}, false
	if m.owner == OwnerAI {
		m.owed = m.log[len(m.log)-1].Seq
	}
}

func (m *machine) text(kind string) string {
	m.texts++
	return fmt.Sprintf("%s %d", kind, m.texts)
}

func (m *machine) customerWrites(t *rapid.T) {
	text := m.text("question")
	if m.apply(t, m.owner != OwnerNobody, func(c Conversation) (Change, error) { return c.CustomerWrites("", text, m.now) }) {
		m.wrote(text)
	}
}

func (m *machine) reopens(t *rapid.T) {
	text := m.text("question")
	may := m.owner == OwnerNobody && m.merged == ""
	if rapid.Bool().Draw(t, "to the AI") {
		if m.apply(t, may, func(c Conversation) (Change, error) { return c.Reopen("", text, nil, nil, m.now) }) {
			m.moved(OwnerAI, "")
			m.wrote(text)
		}
		return
	}
	h := secretHandoff()
	if m.apply(t, may, func(c Conversation) (Change, error) { return c.Reopen("", text, &h, nil, m.now) }) {
		m.moved(OwnerQueue, "")
		m.wrote(text)
		m.handedOff()
	}
}

func (m *machine) continues(t *rapid.T) {
	may := m.owner == OwnerNobody && m.merged == ""
	if m.apply(t, may, func(c Conversation) (Change, error) { return c.Continue("c9", m.now) }) {
		m.merged = "c9"
	}
}

func (m *machine) customerGoes(t *rapid.T) {
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		if m.apply(t, m.owner != OwnerNobody && !m.left, func(c Conversation) (Change, error) { return c.CustomerLeaves(m.now) }) {
			m.left = true
		}
	case 1:
		if m.apply(t, m.owner != OwnerNobody && m.left, func(c Conversation) (Change, error) { return c.CustomerReturns(m.now) }) {
			m.left = false
		}
	default:
		may := m.owner == OwnerAI && !m.left && (m.owed != 0 || m.open)
		if m.apply(t, may, func(c Conversation) (Change, error) { return c.FollowUp(secretHandoff(), nil, []string{"told"}, m.now) }) {
			m.left = true
			m.moved(OwnerQueue, "")
			m.handedOff()
		}
	}
}

func (m *machine) adopts(t *rapid.T) {
	agent := m.anAgent(t)
	if m.owns(agent) {
		t.Skip("the caller makes sure that the owner has left every pool")
	}
	if m.apply(t, m.owner == OwnerAgent, func(c Conversation) (Change, error) { return c.Adopt(agent, 2, "told", m.now) }) {
		m.moved(OwnerAgent, agent.Email)
	}
}

// agentGone requeues what an agent who is gone leaves unanswered.
func (m *machine) agentGone(t *rapid.T) {
	may := m.owner == OwnerAgent && m.snoozed.IsZero() && m.unanswered
	if m.apply(t, may, func(c Conversation) (Change, error) { return c.AgentGone([]string{"told"}, m.now) }) {
		m.moved(OwnerQueue, "")
	}
}

// waits tells who waits that nobody is there, or something that changes nothing.
func (m *machine) waits(t *rapid.T) {
	if rapid.Bool().Draw(t, "inform") {
		m.apply(t, m.owner == OwnerQueue, func(c Conversation) (Change, error) { return c.Inform("told", m.now) })
		return
	}
	why := rapid.SampledFrom([]Absence{Closed, Busy}).Draw(t, "why")
	may := m.owner == OwnerQueue && !slices.Contains(m.absences, why)
	if m.apply(t, may, func(c Conversation) (Change, error) { return c.NobodyThere(why, []string{"told"}, m.now) }) {
		m.absences = append(m.absences, why)
	}
}

func (m *machine) wrapsUp(t *rapid.T) {
	agent := rapid.SampledFrom(agents).Draw(t, "agent")
	w := WrapUp{Agent: agent, Pool: "p", Units: 1, Until: m.now.Add(time.Minute)}
	if rapid.Bool().Draw(t, "begins") {
		may := m.owner == OwnerAI || m.owner == OwnerNobody
		m.apply(t, may, func(c Conversation) (Change, error) { return c.BeginWrapUp(w, m.now) })
		return
	}
	m.apply(t, true, func(c Conversation) (Change, error) { return c.EndWrapUp(w, m.now) })
}

func (m *machine) voicemail(t *rapid.T) {
	m.apply(t, m.owner == OwnerQueue, func(c Conversation) (Change, error) {
		return c.RecordVoicemail(Voicemail{Seconds: 3, From: "+31201234567"}, m.now)
	})
}

func (m *machine) contact(t *rapid.T) {
	if rapid.Bool().Draw(t, "asked") {
		may := m.owner == OwnerQueue && !m.asked
		m.asked = m.apply(t, may, func(c Conversation) (Change, error) {
			return c.AskContact(v1alpha1.ChannelTypeEmail, "told", m.now)
		}) || m.asked
		return
	}
	m.apply(t, m.owner != OwnerNobody, func(c Conversation) (Change, error) { return c.GiveContact("u@example.org", "", m.now) })
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
		m.open = !a.Understood
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
		m.moved(OwnerQueue, "")
		m.handedOff()
	}
}

func (m *machine) takeOver(t *rapid.T) {
	agent := m.anAgent(t)
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
	if m.apply(t, fromAI || m.owner == OwnerQueue || m.owner == OwnerLine, func(c Conversation) (Change, error) {
		return c.TakeOver(agent, 2, secretHandoff(), cut, "told", m.now)
	}) {
		m.moved(OwnerAgent, agent.Email)
		if fromAI {
			m.handedOff()
		}
	}
}

func (m *machine) says(text string) bool {
	return slices.ContainsFunc(m.log, func(e Event) bool { return e.Text == text })
}

func (m *machine) makeOffer(t *rapid.T) {
	o := Offer{Agent: m.anAgent(t), Pool: "p", Cost: 1, ExpiresAt: m.now.Add(time.Minute)}
	if m.apply(t, m.owner == OwnerQueue && !m.offered, func(c Conversation) (Change, error) { return c.MakeOffer(o, m.now) }) {
		m.agent, m.offered, m.expires = o.Agent.Email, true, o.ExpiresAt
	}
}

func (m *machine) offerEnds(t *rapid.T) {
	agent := m.anAgent(t)
	may := m.offered
	end := Conversation.OfferExpires
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		end = Conversation.Withdraw
	case 1:
		may = may && m.agent == agent.Email
		end = func(c Conversation, now time.Time) (Change, error) { return c.Decline(agent, now) }
	}
	if m.apply(t, may, func(c Conversation) (Change, error) { return end(c, m.now) }) {
		m.agent, m.offered = "", false
	}
}

func (m *machine) accept(t *rapid.T) {
	agent := m.anAgent(t)
	may := m.offered && m.agent == agent.Email && m.now.Before(m.expires)
	if m.apply(t, may, func(c Conversation) (Change, error) { return c.Accept(agent, "told", m.now) }) {
		m.moved(OwnerAgent, agent.Email)
	}
}

func (m *machine) agentWrites(t *rapid.T) {
	agent := m.anAgent(t)
	if rapid.Bool().Draw(t, "note") {
		m.apply(t, true, func(c Conversation) (Change, error) { return c.AgentNotes(agent, "", secretNote, m.now) })
		return
	}
	if m.apply(t, m.owns(agent), func(c Conversation) (Change, error) {
		return c.AgentReplies(agent, "", m.text("reply"), time.Minute, m.now)
	}) {
		m.snoozed, m.returnAt, m.unanswered = time.Time{}, m.now.Add(time.Minute), false
	}
}

func (m *machine) owns(agent Person) bool { return m.owner == OwnerAgent && m.agent == agent.Email }

func (m *machine) snoozes(t *rapid.T) {
	agent := m.anAgent(t)
	until := m.now.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "minutes")) * time.Minute)
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		if m.apply(t, m.owns(agent) && until.After(m.now), func(c Conversation) (Change, error) { return c.Snooze(agent, until, m.now) }) {
			m.snoozed, m.returnAt = until, time.Time{}
		}
	case 1:
		if m.apply(t, m.owns(agent) && !m.snoozed.IsZero(), func(c Conversation) (Change, error) { return c.Wake(&agent, m.now) }) {
			m.snoozed = time.Time{}
		}
	default:
		if m.apply(t, !m.snoozed.IsZero() && !m.now.Before(m.snoozed), func(c Conversation) (Change, error) { return c.Wake(nil, m.now) }) {
			m.snoozed = time.Time{}
		}
	}
}

// aTarget draws a target and who owns what is sent there.
func aTarget(t *rapid.T) (Target, Owner) {
	to := rapid.SampledFrom([]Target{{Pool: "p"}, {Agent: boris.Email, Pool: "p"}, {Line: "desk"}, {Helpdesk: "z"}}).Draw(t, "target")
	switch {
	case to.Line != "":
		return to, Owner{OwnerLine, "desk"}
	case to.Helpdesk != "":
		return to, Owner{OwnerHelpdesk, "z"}
	}
	return to, Owner{Kind: OwnerQueue}
}

func (m *machine) transfers(t *rapid.T) {
	agent := m.anAgent(t)
	target, owner := aTarget(t)
	if rapid.Bool().Draw(t, "overflow") {
		if owner.Kind == OwnerQueue {
			t.Skip("nothing flows over into the queue")
		}
		if m.apply(t, m.owner == OwnerQueue, func(c Conversation) (Change, error) { return c.Overflow(target, "told", m.now) }) {
			m.moved(owner.Kind, owner.ID)
			m.since, m.pinned = m.now, &target
		}
		return
	}
	may := m.owns(agent) && target.Agent != agent.Email
	if m.apply(t, may, func(c Conversation) (Change, error) {
		return c.Transfer(agent, target, secretNote, []string{"told"}, m.now)
	}) {
		m.moved(owner.Kind, owner.ID)
		m.since, m.pinned = m.now, &target
	}
}

func (m *machine) outside(t *rapid.T) {
	there := m.owner == OwnerLine || m.owner == OwnerHelpdesk
	switch rapid.IntRange(0, 2).Draw(t, "what") {
	case 0:
		if m.apply(t, m.owner == OwnerHelpdesk, func(c Conversation) (Change, error) { return c.OutsideReplies("Zoe", "", m.text("reply"), m.now) }) {
			m.unanswered = false
		}
	case 1:
		if m.apply(t, there, func(c Conversation) (Change, error) { return c.Requeue(secretNote, nil, m.now) }) {
			m.moved(OwnerQueue, "")
			m.pinned = nil
		}
	default:
		toAI := rapid.Bool().Draw(t, "toAI")
		m.ended(toAI, m.apply(t, there, func(c Conversation) (Change, error) { return c.OutsideEnds(Outcome{ToAI: toAI}, m.now) }))
	}
}

// ended notes that the human part ended, if it did: what went back to the AI too often is closed.
func (m *machine) ended(toAI, ended bool) {
	switch {
	case !ended:
	case toAI && m.returns < MaxReturns:
		m.returns++
		m.moved(OwnerAI, "")
	default:
		m.moved(OwnerNobody, "")
	}
}

func (m *machine) agentEnds(t *rapid.T) {
	agent := m.anAgent(t)
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		toAI := rapid.Bool().Draw(t, "toAI")
		m.ended(toAI, m.apply(t, m.owns(agent), func(c Conversation) (Change, error) {
			return c.Resolve(agent, Outcome{ToAI: toAI, Background: "background", Told: "told"}, m.now)
		}))
	case 1:
		m.ended(true, m.apply(t, m.owns(agent) && m.returns < MaxReturns, func(c Conversation) (Change, error) {
			return c.ReturnToAI(agent, "background", "told", m.now)
		}))
	default:
		may := m.owner == OwnerAgent && !m.returnAt.IsZero() && !m.now.Before(m.returnAt)
		m.ended(true, m.apply(t, may, func(c Conversation) (Change, error) { return c.IdleReturn("background", "told", m.now) }))
	}
}

func (m *machine) supervisorReassigns(t *rapid.T) {
	agent := m.anAgent(t)
	r := Reassignment{To: rapid.SampledFrom([]OwnerKind{OwnerAgent, OwnerQueue, OwnerAI, OwnerNobody}).Draw(t, "to"),
		Note: secretNote, Handoff: secretHandoff(), Told: []string{"told"}}
	may := m.owner != OwnerNobody && m.owner != r.To
	switch r.To {
	case OwnerAgent:
		r.Agent, r.Cost = agent, 2
		may = m.owner != OwnerNobody && !m.owns(agent)
	case OwnerQueue:
		if rapid.Bool().Draw(t, "pinned") {
			r.Target = &Target{Pool: "p"}
		}
		may = m.owner != OwnerNobody && (m.owner != OwnerQueue || !samePlace(m.pinned, r.Target))
	}
	if !m.apply(t, may, func(c Conversation) (Change, error) { return c.Reassign(lead, r, m.now) }) {
		return
	}
	if fromAI := m.owner == OwnerAI; fromAI && r.To != OwnerNobody {
		m.handedOff()
	}
	if m.owner == OwnerQueue && r.To == OwnerQueue {
		m.agent, m.offered = "", false
	} else {
		m.moved(r.To, r.Agent.Email)
	}
	m.pinned = r.Target
	if r.To == OwnerAI || r.To == OwnerNobody {
		m.returns = 0
	}
}

// merges merges it into another conversation, or another into it, with what was not answered there.
func (m *machine) merges(t *rapid.T) {
	other := Start(Conversation{ID: "c2", Customer: Customer{ID: "u1"}}, "", t0).Conversation
	if rapid.Bool().Draw(t, "away") {
		if rapid.IntRange(0, 3).Draw(t, "seldom") != 0 {
			t.Skip("it would be the end of most runs")
		}
		if m.apply(t, m.merged == "", func(c Conversation) (Change, error) {
			merged, _, err := c.MergeInto(other, anna, nil, nil, m.now)
			return merged, err
		}) {
			if m.owner != OwnerNobody {
				m.moved(OwnerNobody, "")
			}
			m.merged = "c2"
		}
		return
	}
	text := m.text("question")
	if m.apply(t, m.owner != OwnerNobody, func(c Conversation) (Change, error) {
		_, goesOn, err := other.MergeInto(c, anna, []Event{{Text: text}}, nil, m.now)
		return goesOn, err
	}) {
		m.wrote(text)
	}
}

func (m *machine) timePasses(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
}

func TestConversationAgainstReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine()
		if rapid.Bool().Draw(t, "begins with an agent") { // most transitions are theirs
			m.takeOver(t)
		}
		t.Repeat(map[string]func(*rapid.T){
			"customer writes": m.customerWrites, "reopens": m.reopens, "continues": m.continues, "customer goes": m.customerGoes,
			"contact": m.contact, "voicemail": m.voicemail, "adopts": m.adopts, "agent gone": m.agentGone, "waits": m.waits, "wraps up": m.wrapsUp, "turn begins": m.turnBegins, "AI answers": m.aiAnswers, "hand off": m.handOff,
			"take over": m.takeOver, "offer": m.makeOffer, "offer ends": m.offerEnds, "accept": m.accept,
			"agent writes": m.agentWrites, "snoozes": m.snoozes, "transfers": m.transfers, "outside": m.outside,
			"agent ends": m.agentEnds, "reassigns": m.supervisorReassigns, "merges": m.merges, "time passes": m.timePasses,
			"": m.check,
		})
	})
}
