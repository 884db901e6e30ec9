package tenant

import (
	"context"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// Pace is how long what the AI says is gathered before it is written down: ten pieces a second look like speech, and
	// the store writes those of all conversations at once. It is the machine's time, not the tenant's.
	Pace = 100 * time.Millisecond
	// maxKept bounds the turns in one transaction, and with it for how long their conversations are locked.
	maxKept = 32
)

// runKeeper writes down what turns have released. Nobody is shown anything before: whoever takes a conversation over
// finds in the store all that was seen of the answer, also when this process is gone or cut off.
func (t *Tenant) runKeeper(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.turns.unkept:
		}
		timer := time.NewTimer(t.pace)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := t.keepAll(ctx); err != nil && ctx.Err() == nil {
			t.log.Warn("what the AI says cannot be written down, so nobody sees more of it; it is tried again", "error", err)
			t.turns.keep()
		}
	}
}

// claim makes sure that one replica alone asks the model: false if another one is giving an answer, which goes on to this
// message too, or if no answer is owed any more.
func (t *Tenant) claim(ctx context.Context, v view, tn *turn) (mine bool, err error) {
	if v.elsewhere {
		return false, nil
	}
	if v.left {
		if err := t.persist(ctx, "ending an answer", func() error { return t.endLeft(ctx, v.conv.ID, tn) }); err != nil {
			return false, err
		}
	}
	t.turns.keep()
	if !t.store.Shared() || v.in.table.Copilot.Model == nil {
		return true, nil // at most some words are looked up twice, and one answer is written
	}
	err = t.persist(ctx, "claiming a turn", func() error {
		return t.store.Update(ctx, func(tx store.Tx) error {
			if _, err := tx.Conversation(v.conv.ID); err != nil {
				return err
			}
			kept, err := tx.KeepTurns([]store.Turn{{Conversation: v.conv.ID, Replica: t.replica,
				Attempt: tn.attempt, Epoch: tn.epoch, AnswerTo: tn.answerTo}})
			mine = kept[v.conv.ID] == store.KeptNow
			return err
		})
	})
	return mine, err
}

// endLeft writes down what was seen of an answer to a message before the turn's, whose process is gone: the turn's answer
// takes its place in the store.
func (t *Tenant) endLeft(ctx context.Context, id string, tn *turn) error {
	return t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		turn, ok, err := tx.Turn(id)
		if err != nil || !ok || turn.Text == "" || turn.AnswerTo == tn.answerTo || !c.Owes(turn.Epoch, turn.AnswerTo) ||
			turn.Lives && turn.Replica != t.replica {
			return err
		}
		change, err := c.AIAnswers(turn.Epoch, turn.AnswerTo, conversation.Answer{Text: turn.Text, Understood: true, Interrupted: true}, now)
		if err != nil {
			return err
		}
		return save(change)
	})
}

func (t *Tenant) keepAll(ctx context.Context) error {
	for batch := t.turns.toKeep(t.replica); len(batch) > 0; {
		part := batch[:min(len(batch), maxKept)]
		batch = batch[len(part):]
		var kept map[string]store.Kept
		err := t.store.Update(ctx, func(tx store.Tx) (err error) {
			kept, err = tx.KeepTurns(part)
			return err
		})
		if err != nil {
			t.turns.keepAgain(append(part, batch...))
			return err
		}
		for _, turn := range part {
			t.kept(turn, kept[turn.Conversation])
		}
	}
	return nil
}

func (t *Tenant) kept(turn store.Turn, outcome store.Kept) {
	tn := t.turns.of(turn.Conversation)
	if tn == nil || tn.attempt != turn.Attempt {
		return
	}
	switch outcome {
	case store.KeptNow:
		if tn.shown(len(turn.Text)) {
			t.hub.wake(turn.Conversation)
		}
	case store.KeptOver:
		tn.stop(errCut)
	case store.KeptLater:
		t.turns.question(turn.Conversation)
	}
}

// toKeep returns the turns to write down.
func (ts *turns) toKeep(replica string) (out []store.Turn) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for id, tn := range ts.running {
		tn.mu.Lock()
		if tn.unkept && tn.answerTo != 0 && tn.stopped == nil {
			tn.unkept = false
			out = append(out, store.Turn{Conversation: id, Replica: replica, Attempt: tn.attempt,
				Epoch: tn.epoch, AnswerTo: tn.answerTo, Text: tn.text.String()})
		}
		tn.mu.Unlock()
	}
	return out
}

// keepAgain gives back turns that could not be written down.
func (ts *turns) keepAgain(failed []store.Turn) {
	for _, turn := range failed {
		if tn := ts.of(turn.Conversation); tn != nil {
			tn.ask()
		}
	}
}

// shown notes how much of the text is in the store, and says whether that is more than before.
func (tn *turn) shown(n int) bool {
	tn.mu.Lock()
	defer tn.mu.Unlock()
	more := n > tn.kept
	tn.kept = max(n, tn.kept)
	return more
}

// cut returns what the turn has said, or what was seen of the answer that another replica is giving.
func (tn *turn) cut(tx store.Tx, id string) (*conversation.Cut, error) {
	turn, ok, err := tx.Turn(id)
	if err != nil {
		return nil, err
	}
	if ok && turn.Attempt != tn.attempt {
		return cutOfTurn(turn), nil
	}
	tn.mu.Lock()
	defer tn.mu.Unlock()
	return cutOfTurn(store.Turn{Epoch: tn.epoch, AnswerTo: tn.answerTo, Text: tn.text.String()}), nil
}

func cutOfTurn(turn store.Turn) *conversation.Cut {
	return &conversation.Cut{Epoch: turn.Epoch, AnswerTo: turn.AnswerTo,
		Answer: conversation.Answer{Text: turn.Text, Understood: true}}
}

// cutOf returns what customers may have seen of the answer that is being said in a conversation, whose lock the
// transaction has, or nil. The turn is over when the transaction gives the conversation to another owner: no replica
// shows more of it.
func cutOf(tx store.Tx, id string) (*conversation.Cut, error) {
	turn, ok, err := tx.Turn(id)
	if err != nil || !ok || turn.Text == "" {
		return nil, err
	}
	return cutOfTurn(turn), nil
}
