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
	// maxTurns bounds the answers in progress at once, and with it memory and calls to the model.
	maxTurns = 128
	// retryTurn is how long a turn waits before it is tried again after the store failed.
	retryTurn = time.Second
)

// errCut stops an answer whose conversation was taken over.
var errCut = errors.New("the conversation was taken over")

// turns knows in which conversations the AI is at work and what it is saying: one turn at a time in each. It holds
// nothing that a crash could lose, since the store knows which answers are owed.
type turns struct {
	mu sync.Mutex
	// active has an entry for each conversation with a worker; true asks for one more round.
	active  map[string]bool
	running map[string]*turn
	// spawn starts a worker; nil while Tenant.Run does not run.
	spawn func(id string)
	// ready is closed when there is a table to answer from.
	ready chan struct{}
	once  sync.Once
}

// turn is one answer in progress.
type turn struct {
	epoch, answerTo int64
	mu              sync.Mutex
	text            strings.Builder
	isCut           bool
	cancel          context.CancelFunc
}

// Partial is what the AI has said so far in a turn that is not over.
type Partial struct {
	Epoch    int64
	AnswerTo int64
	Text     string
}

func newTurns() *turns {
	return &turns{active: map[string]bool{}, running: map[string]*turn{}, ready: make(chan struct{})}
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

func (ts *turns) begin(id string, tn *turn) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.running[id] = tn
}

func (ts *turns) end(id string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.running, id)
}

func (ts *turns) of(id string) *turn {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.running[id]
}

// cut stops the conversation's turn, if it has one: nothing more of it is released. It returns what was, or nil.
func (ts *turns) cut(id string) *conversation.Cut {
	tn := ts.of(id)
	if tn == nil {
		return nil
	}
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.isCut = true
	tn.cancel()
	return &conversation.Cut{Epoch: tn.epoch, AnswerTo: tn.answerTo,
		Answer: conversation.Answer{Text: tn.text.String(), Understood: true}}
}

// release adds a piece to what the turn has said, unless it was cut.
func (tn *turn) release(piece string) error {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	if tn.isCut {
		return errCut
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
	text := tn.said()
	return Partial{Epoch: tn.epoch, AnswerTo: tn.answerTo, Text: text}, text != ""
}
