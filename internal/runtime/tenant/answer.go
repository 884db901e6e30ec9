package tenant

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/copilot"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// maxWindow bounds the events of a window that the AI reads: the newest are kept.
const maxWindow = 200

// overtakeTimeout bounds reading a conversation from a local store.
const overtakeTimeout = 5 * time.Second

// runTurns gives the answers that are owed, until ctx ends and every turn in progress has stopped.
func (t *Tenant) runTurns(ctx context.Context) error {
	select {
	case <-t.turns.ready:
	case <-ctx.Done():
		return nil
	}
	t.join(ctx)
	var g errgroup.Group
	t.turns.mu.Lock()
	t.turns.spawn = func(id string) {
		g.Go(func() error {
			t.work(ctx, id)
			return nil
		})
	}
	t.turns.mu.Unlock()

	t.turns.resume()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.turns.resumed:
			t.resumeTurns(ctx)
		}
	}
	t.turns.mu.Lock()
	t.turns.spawn = nil
	t.turns.mu.Unlock()
	return g.Wait()
}

// resumeTurns schedules the answers that are owed and that nobody is giving: a former process left them, or another
// replica that is gone, or a wake-up was lost. It goes on while the store fails.
func (t *Tenant) resumeTurns(ctx context.Context) {
	var owing []string
	_ = t.persist(ctx, "reading which answers are owed", func() error {
		return t.store.View(ctx, func(r store.Reader) (err error) {
			owing, err = r.Owing()
			return err
		})
	})
	for _, id := range owing {
		if !t.turns.known(id) {
			t.metrics.resumed.Inc()
			t.turns.schedule(id)
		}
	}
}

// work is the worker of one conversation: it takes turns until none is owed.
func (t *Tenant) work(ctx context.Context, id string) {
	for again := true; again; again = t.turns.goOn(id) {
		if ctx.Err() != nil {
			t.turns.stopped(id)
			return
		}
		err := t.persist(ctx, "a turn", func() error { return t.turn(ctx, id) })
		if err != nil && !errors.Is(err, conversation.ErrStale) && !errors.Is(err, errCut) {
			t.log.Warn("a turn ended without an answer, which stays owed", "conversation", id, "error", err)
		}
	}
}

// persist calls do until the store lets it succeed, the turn is over or ctx ends, and returns do's last error.
func (t *Tenant) persist(ctx context.Context, what string, do func() error) error {
	for {
		err := do()
		if err == nil || ctx.Err() != nil || final(err) {
			return err
		}
		t.log.Error("the store failed and is tried again", "doing", what, "error", err)
		t.wait(ctx, retryTurn)
	}
}

// final says whether an error would be the same the next time.
func final(err error) bool {
	var refusal *conversation.Refusal
	return errors.Is(err, conversation.ErrStale) || errors.Is(err, errCut) || errors.Is(err, store.ErrNotFound) || errors.As(err, &refusal)
}

func (t *Tenant) wait(ctx context.Context, d time.Duration) {
	timer := t.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
	case <-ctx.Done():
	}
}

// view is what a turn knows: the conversation as it was when the turn began.
type view struct {
	conv   conversation.Conversation
	window []conversation.Event
	in     *current
	// elsewhere says that another replica is giving an answer.
	elsewhere bool
	// left says that customers have seen something of an answer to a message before, which nobody is giving any more.
	left bool
}

// look reads what a turn needs to know.
func (t *Tenant) look(ctx context.Context, id string) (v view, err error) {
	if v.in, err = t.inputs(); err != nil {
		return v, err
	}
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		if v.conv, err = r.Conversation(id); err != nil {
			return err
		}
		if v.window, err = r.Events(id, max(v.conv.Window, v.conv.Seq-maxWindow), maxWindow); err != nil {
			return err
		}
		if v.elsewhere, err = t.elsewhere(r, id); err != nil {
			return err
		}
		turn, ok, err := r.Turn(id)
		v.left = ok && turn.Text != "" && turn.AnswerTo != v.conv.Pending
		return err
	})
	return v, err
}

// elsewhere says whether another replica, which lives, is giving an answer in a conversation.
func (t *Tenant) elsewhere(r store.Reader, id string) (bool, error) {
	if !t.store.Shared() {
		return false, nil
	}
	turn, ok, err := r.Turn(id)
	return ok && turn.Lives && turn.Replica != t.replica, err
}

// owed says whether the AI owes an answer.
func (v view) owed() bool { return v.conv.Owner.Kind == conversation.OwnerAI && v.conv.Pending != 0 }

// turn answers the newest message of a customer, or hands the conversation off. It does nothing if no answer is owed.
func (t *Tenant) turn(ctx context.Context, id string) error {
	answering, cancel := context.WithCancel(ctx)
	defer cancel()
	tn := t.turns.begin(id, cancel)
	defer t.hub.wake(id)
	defer t.turns.end(id)
	v, err := t.look(ctx, id)
	if err != nil || !v.owed() {
		return err
	}
	defer t.metrics.turn(t.clock.Now(), t.clock)
	tn.answers(v.conv.Epoch, v.conv.Pending)
	return t.guarded(ctx, v, tn, func() error { return t.answer(ctx, answering, v, tn) })
}

// guarded gives an answer. A message whose reading panics goes to a human unread: it would end this process, and every
// one after it.
func (t *Tenant) guarded(ctx context.Context, v view, tn *turn, answer func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		// The value could hold the customer's words; its type and the stack do not.
		t.log.Error("an answer panicked", "conversation", v.conv.ID, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		if v.in.table.Policy == nil {
			err = t.say(ctx, v, tn, copilot.Answer{}, v.conv.Language)
			return
		}
		err = t.commitHandoff(ctx, v.conv.ID, tn, conversation.Handoff{
			Reason: v1alpha1.HandoffModelFailure, Sentiment: v1alpha1.SentimentNeutral, Language: v.conv.Language,
			Summary:         "The AI failed on the customer's newest message; please read the conversation.",
			CustomerSummary: v.in.table.Text(v1alpha1.MessageHandoff, v.conv.Language, v.conv.ChannelType, v1alpha1.HandoffModelFailure, nil),
		})
	}()
	return answer()
}

// answer decides before and after the AI's try to answer, which ends with answering, and commits what comes of it.
func (t *Tenant) answer(ctx, answering context.Context, v view, tn *turn) error {
	policy := v.in.table.Policy
	in := decideInput(v)
	if d := decide.Decide(policy, in); d.HandOff {
		return t.handOff(ctx, v, tn, d)
	}
	if mine, err := t.claim(ctx, v, tn); err != nil || !mine {
		return err
	}
	ans, err := t.ask(answering, v, tn)
	switch {
	case ctx.Err() != nil:
		return errCut
	case errors.Is(tn.why(), errOvertaken):
		return t.handOffOvertaken(ctx, v.conv.ID, tn)
	case tn.why() != nil:
		return tn.why()
	case err != nil:
		t.log.Warn("the AI could not answer", "conversation", v.conv.ID, "error", err)
	}
	// Half an answer is none.
	in.Answer = &decide.AnswerSignals{Understood: ans.Understood && !ans.ModelFailed, ModelFailed: ans.ModelFailed, Confidence: ans.Confidence, Text: ans.Text}
	d := decide.Decide(policy, in)
	if d.HandOff {
		return t.handOff(ctx, v, tn, d)
	}
	return t.say(ctx, v, tn, ans, d.Language)
}

// ask has the AI answer. Only here a turn waits for others: whoever asks for a human was handed off before.
func (t *Tenant) ask(ctx context.Context, v view, tn *turn) (copilot.Answer, error) {
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-ctx.Done():
		return copilot.Answer{}, ctx.Err()
	}
	return v.in.ai.Answer(ctx, copilot.Request{
		Messages: copilotMessages(v), Language: v.conv.Language, Background: v.conv.Background,
	}, func(piece string) error {
		if err := tn.release(piece); err != nil {
			return err
		}
		t.turns.keep()
		return nil
	})
}

// overtake ends the answer in progress, if there is one, when what the customer wrote meanwhile goes to a human: nobody
// waits for a slow model to be heard. It happens also when the customer has hung up since.
func (t *Tenant) overtake(ctx context.Context, id string) {
	tn := t.turns.of(id)
	if tn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), overtakeTimeout)
	defer cancel()
	v, err := t.look(ctx, id)
	if err != nil {
		t.log.Warn("an answer in progress goes on, since the conversation could not be read", "conversation", id, "error", err)
		return
	}
	if v.owed() && decide.Decide(v.in.table.Policy, decideInput(v)).HandOff {
		tn.stop(errOvertaken)
	}
}

// handOffOvertaken hands off in a turn that was overtaken. If a new table decides otherwise, the answers stay owed to
// the next round.
func (t *Tenant) handOffOvertaken(ctx context.Context, id string, tn *turn) error {
	v, err := t.look(ctx, id)
	if err != nil || !v.owed() {
		return err
	}
	if d := decide.Decide(v.in.table.Policy, decideInput(v)); d.HandOff {
		return t.handOff(ctx, v, tn, d)
	}
	t.turns.schedule(id)
	return nil
}

// say commits the AI's answer, or that it has none.
func (t *Tenant) say(ctx context.Context, v view, tn *turn, ans copilot.Answer, language string) error {
	a := conversation.Answer{Text: ans.Text, Understood: ans.Understood, Interrupted: ans.ModelFailed && ans.Text != ""}
	for _, s := range ans.Sources {
		a.Sources = append(a.Sources, conversation.Source(s))
	}
	if a.Text == "" {
		a.Understood = false
		a.Text = v.in.table.Text(v1alpha1.MessageNotUnderstood, language, v.conv.ChannelType, "", nil)
	}
	return t.persist(ctx, "an answer", func() error {
		return t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
			c, now, err := locked(tx, v.conv.ID)
			if err != nil {
				return err
			}
			if taken, err := t.elsewhere(tx, c.ID); err != nil {
				return err
			} else if taken {
				return errCut
			}
			change, err := c.AIAnswers(tn.epoch, tn.answerTo, a, now)
			if err != nil {
				return err
			}
			return save(change)
		})
	})
}

// handOff gives the conversation to the queue and, where an agent can take it now, offers it in the same transaction.
// The customer is told in that transaction too.
func (t *Tenant) handOff(ctx context.Context, v view, tn *turn, d decide.Decision) error {
	return t.commitHandoff(ctx, v.conv.ID, tn, describeHandoff(v, d))
}

func (t *Tenant) commitHandoff(ctx context.Context, id string, tn *turn, h conversation.Handoff) error {
	return t.persist(ctx, "a handoff", func() error {
		if _, err := t.refresh(ctx, false); err != nil {
			return fmt.Errorf("reading who waits and who is there: %w", err)
		}
		return t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
			return t.placeHandoff(tx, id, tn, h, save)
		})
	})
}

func (t *Tenant) placeHandoff(tx store.Tx, id string, tn *turn, h conversation.Handoff, save func(conversation.Change) error) error {
	in, err := t.inputs() // those of now: the turn may have begun long ago
	if err != nil {
		return err
	}
	c, now, err := locked(tx, id)
	if err != nil {
		return err
	}
	cut, err := tn.cut(tx, id)
	if err != nil {
		return err
	}
	_, err = enqueue(tx, in.table, c, h, now, save, func(h conversation.Handoff, told []string) (conversation.Change, error) {
		return c.HandOff(cut.Epoch, cut.AnswerTo, h, &cut.Answer, told, now)
	})
	return err
}

// facts are what is known of a handoff at any later time. The message that led to it is not among them.
func facts(c conversation.Conversation, h conversation.Handoff) routing.Facts {
	return routing.Facts{
		IssueType: h.IssueType, ChannelType: c.AnswerBy(), Channel: c.Channel, Language: h.Language, Reason: h.Reason,
		Customer: routing.Customer{ID: c.Customer.ID, Name: c.Customer.Name, Email: c.Customer.Email},
		Turns:    c.Turns + 1, Sentiment: h.Sentiment, Now: h.At,
	}
}
