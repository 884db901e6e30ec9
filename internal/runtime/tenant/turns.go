package tenant

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

const (
	// MaxAnswers bounds the AI's answers in progress at once, and with it memory and calls to the model.
	MaxAnswers = 128
	// retryTurn is how long a turn waits before it is tried again after the store failed.
	retryTurn = time.Second
)

// errCut ends a turn whose conversation was taken over, or whose process is ending.
var errCut = errors.New("the answer was cut")

// errOvertaken ends an answer because the customer wrote something meanwhile that a human must answer.
var errOvertaken = errors.New("the customer wrote something that goes to a human")

// turns knows in which conversations the AI is at work and what it is saying: one turn at a time in each. It holds
// nothing that a crash could lose, since the store knows which answers are owed.
type turns struct {
	mu sync.Mutex
	// active has an entry for each conversation with a worker; true asks for one more round.
	active  map[string]bool
	running map[string]*turn
	// held counts the takeovers in progress of a conversation; no turn begins meanwhile.
	held map[string]int
	// attempts numbers the turns of this process.
	attempts int64
	// spawn starts a worker; nil while Tenant.Run does not run.
	spawn func(id string)
	// ready is closed when there is a table to answer from.
	ready chan struct{}
	once  sync.Once
}

// turn is one answer in progress.
type turn struct {
	attempt int64
	// cancel ends the AI's try to answer, not the turn.
	cancel context.CancelFunc

	mu sync.Mutex
	// epoch and answerTo are zero until the turn has read the conversation.
	epoch, answerTo int64
	text            strings.Builder
	// stopped says why nothing more is released.
	stopped error
}

// Partial is what the AI has said so far in a turn that is not over.
type Partial struct {
	// Attempt tells two tries to answer the same message apart: the Text of a later one begins anew.
	Attempt  int64
	Epoch    int64
	AnswerTo int64
	Text     string
}

func newTurns() *turns {
	return &turns{active: map[string]bool{}, running: map[string]*turn{}, held: map[string]int{}, ready: make(chan struct{})}
}

// start lets the turns begin.
func (ts *turns) start() { ts.once.Do(func() { close(ts.ready) }) }

// schedule makes sure that a round begins for the conversation after this call.
func (ts *turns) schedule(id string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.spawn == nil {
		return
	}
	if _, ok := ts.active[id]; ok {
		ts.active[id] = true
		return
	}
	ts.active[id] = false
	ts.spawn(id)
}

// goOn says whether a worker has one more round to do, and otherwise ends it.
func (ts *turns) goOn(id string) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.active[id] {
		ts.active[id] = false
		return true
	}
	delete(ts.active, id)
	return false
}

// begin registers a turn, and returns nil while the conversation is being taken over. The turn reads the conversation
// after this: what it then releases is seen by every takeover that it did not read.
func (ts *turns) begin(id string, cancel context.CancelFunc) *turn {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.held[id] > 0 {
		return nil
	}
	ts.attempts++
	tn := &turn{attempt: ts.attempts, cancel: cancel}
	ts.running[id] = tn
	return tn
}

func (ts *turns) end(id string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.running, id)
}

// stopped ends the worker of a conversation that takes no more turns because the process ends.
func (ts *turns) stopped(id string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.active, id)
}

func (ts *turns) of(id string) *turn {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.running[id]
}

// hold stops the conversation's turn, if it has one, and lets none begin until letGo is called. It returns what was
// released, of which there will be no more, or nil.
func (ts *turns) hold(id string) (cut *conversation.Cut, letGo func()) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.held[id]++
	letGo = func() {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		if ts.held[id]--; ts.held[id] == 0 {
			delete(ts.held, id)
		}
	}
	tn := ts.running[id]
	if tn == nil {
		return nil, letGo
	}
	return tn.cut(), letGo
}

// answers says what the turn answers.
func (tn *turn) answers(epoch, answerTo int64) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.epoch, tn.answerTo = epoch, answerTo
}

// cut stops the turn for a takeover and returns what it released.
func (tn *turn) cut() *conversation.Cut {
	tn.stop(errCut)
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return &conversation.Cut{Epoch: tn.epoch, AnswerTo: tn.answerTo,
		Answer: conversation.Answer{Text: tn.text.String(), Understood: true}}
}

// stop lets nothing more be released and ends the AI's try to answer. A cut is not undone by another reason.
func (tn *turn) stop(why error) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	if !errors.Is(tn.stopped, errCut) {
		tn.stopped = why
	}
	tn.cancel()
}

// why returns the reason why the turn was stopped, or nil.
func (tn *turn) why() error {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return tn.stopped
}

// release adds a piece to what the turn has said, unless it was stopped.
func (tn *turn) release(piece string) error {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	if tn.stopped != nil {
		return tn.stopped
	}
	tn.text.WriteString(piece)
	return nil
}

// said returns what was released so far.
func (tn *turn) said() string {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return tn.text.String()
}

// Partial returns what the AI is saying in a conversation now, and false if it says nothing.
func (t *Tenant) Partial(id string) (Partial, bool) {
	tn := t.turns.of(id)
	if tn == nil {
		return Partial{}, false
	}
	tn.mu.Lock()
	defer tn.mu.Unlock()
	p := Partial{Attempt: tn.attempt, Epoch: tn.epoch, AnswerTo: tn.answerTo, Text: tn.text.String()}
	return p, p.Text != ""
}
