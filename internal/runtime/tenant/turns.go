package tenant

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
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

// turns knows in which conversations the AI is at work here and what it is saying: one turn at a time in each. It holds
// nothing that a crash could lose, since the store knows which answers are owed, and what was seen of them.
type turns struct {
	mu sync.Mutex
	// active has an entry for each conversation with a worker; true asks for one more round.
	active  map[string]bool
	running map[string]*turn
	// spawn starts a worker; nil while Tenant.Run does not run.
	spawn func(id string)
	// resumed holds a signal while there may be answers owed that no worker knows of.
	resumed chan struct{}
	// unkept holds a signal while there may be turns to write down.
	unkept chan struct{}
	// ready is closed when there is a table to answer from.
	ready chan struct{}
	once  sync.Once
}

// turn is one answer in progress.
type turn struct {
	// attempt is at random, so that no other turn has it, also of another replica.
	attempt int64
	// cancel ends the AI's try to answer, not the turn.
	cancel context.CancelFunc

	mu sync.Mutex
	// epoch and answerTo are zero until the turn has read the conversation.
	epoch, answerTo int64
	text            strings.Builder
	// kept is what of text is in the store: the part that customers may see. unkept says that it is to be written there, for
	// more text or to learn whether the turn is over.
	kept   int
	unkept bool
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
	return &turns{active: map[string]bool{}, running: map[string]*turn{}, resumed: make(chan struct{}, 1),
		unkept: make(chan struct{}, 1), ready: make(chan struct{})}
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

// known says whether the conversation has a worker.
func (ts *turns) known(id string) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	_, ok := ts.active[id]
	return ok
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

// begin registers a turn.
func (ts *turns) begin(id string, cancel context.CancelFunc) *turn {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	tn := &turn{attempt: rand.Int64(), cancel: cancel}
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

// moved stops the conversation's turn if its answer is not owed any more.
func (ts *turns) moved(c conversation.Conversation) {
	if tn := ts.of(c.ID); tn != nil && tn.isOver(c) {
		tn.stop(errCut)
	}
}

// question asks the store whether the conversation's turn goes on.
func (ts *turns) question(id string) {
	if tn := ts.of(id); tn != nil {
		tn.ask()
		ts.keep()
	}
}

// keep has turns written down soon.
func (ts *turns) keep() { poke(ts.unkept) }

// resume has the answers looked for that nobody is giving.
func (ts *turns) resume() { poke(ts.resumed) }

// poke leaves a signal, if there is none.
func poke(signal chan<- struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

// answers says what the turn answers.
func (tn *turn) answers(epoch, answerTo int64) {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.epoch, tn.answerTo, tn.unkept = epoch, answerTo, true
}

// isOver says whether the answer is not owed any more as of c. Changes are told of after their commit and in any order: one
// from before what the turn answers says nothing about it.
func (tn *turn) isOver(c conversation.Conversation) bool {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return tn.answerTo != 0 && c.Epoch >= tn.epoch && c.Seq >= tn.answerTo && !c.Owes(tn.epoch, tn.answerTo)
}

func (tn *turn) ask() {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	tn.unkept = true
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

// release adds a piece to what the turn has said, unless it was stopped. Customers see it when it is kept.
func (tn *turn) release(piece string) error {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	if tn.stopped != nil {
		return tn.stopped
	}
	tn.text.WriteString(piece)
	tn.unkept = true
	return nil
}

// Partial returns what the AI is saying in a conversation now, as far as customers may see it, here or in another
// replica; false if it says nothing.
func (t *Tenant) Partial(ctx context.Context, id string) (p Partial, ok bool, err error) {
	if tn := t.turns.of(id); tn != nil {
		tn.mu.Lock()
		defer tn.mu.Unlock()
		p = Partial{Attempt: tn.attempt, Epoch: tn.epoch, AnswerTo: tn.answerTo, Text: tn.text.String()[:tn.kept]}
		return p, p.Text != "", nil
	}
	if !t.store.Shared() {
		return p, false, nil
	}
	err = t.store.View(ctx, func(r store.Reader) error {
		turn, found, err := r.Turn(id)
		p = Partial{Attempt: turn.Attempt, Epoch: turn.Epoch, AnswerTo: turn.AnswerTo, Text: turn.Text}
		ok = found && turn.Text != ""
		return err
	})
	return p, ok, err
}
