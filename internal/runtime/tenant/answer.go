package tenant

import (
	"context"
	"errors"
	"fmt"
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

// runTurns gives the answers that are owed, until ctx ends and every turn in progress has stopped.
func (t *Tenant) runTurns(ctx context.Context) error {
	select {
	case <-t.turns.ready:
	case <-ctx.Done():
		return nil
	}
	var g errgroup.Group
	slots := make(chan struct{}, maxTurns)
	t.turns.mu.Lock()
	t.turns.spawn = func(id string) {
		g.Go(func() error {
			t.work(ctx, id, slots)
			return nil
		})
	}
	t.turns.mu.Unlock()

	err := t.resumeTurns(ctx)
	if err == nil {
		<-ctx.Done()
	}
	t.turns.mu.Lock()
	t.turns.spawn = nil
	t.turns.mu.Unlock()
	_ = g.Wait()
	return err
}

// resumeTurns schedules the answers that a former process left owed.
func (t *Tenant) resumeTurns(ctx context.Context) error {
	var owing []string
	err := t.store.View(ctx, func(r store.Reader) (err error) {
		owing, err = r.Owing()
		return err
	})
	if err != nil {
		return fmt.Errorf("reading which answers are owed: %w", err)
	}
	for _, id := range owing {
		t.turns.schedule(id)
	}
	return nil
}

// work is the worker of one conversation: it takes turns until none is owed.
func (t *Tenant) work(ctx context.Context, id string, slots chan struct{}) {
	slots <- struct{}{}
	defer func() { <-slots }()
	for again := true; again; again = t.turns.goOn(id) {
		for ctx.Err() == nil {
			err := t.turn(ctx, id)
			if err == nil || errors.Is(err, conversation.ErrStale) || errors.Is(err, errCut) {
				break
			}
			if ctx.Err() == nil {
				t.log.Error("a turn failed and is tried again", "conversation", id, "error", err)
				t.wait(ctx, retryTurn)
			}
		}
	}
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
}

// turn answers the newest message of a customer, or hands the conversation off. It does nothing if no answer is owed.
func (t *Tenant) turn(ctx context.Context, id string) error {
	v := view{}
	var err error
	if v.in, err = t.inputs(); err != nil {
		return err
	}
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		if v.conv, err = r.Conversation(id); err != nil {
			return err
		}
		v.window, err = r.Events(id, max(v.conv.Window, v.conv.Seq-maxWindow), maxWindow)
		return err
	})
	if err != nil || v.conv.Owner.Kind != conversation.OwnerAI || v.conv.Pending == 0 {
		return err
	}
	defer t.metrics.turn(t.clock.Now(), t.clock)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tn := &turn{epoch: v.conv.Epoch, answerTo: v.conv.Pending, cancel: cancel}
	t.turns.begin(id, tn)
	defer t.hub.wake(id)
	defer t.turns.end(id)
	return t.answer(ctx, v, tn)
}

// answer decides before and after the AI's try to answer, and commits what comes of it.
func (t *Tenant) answer(ctx context.Context, v view, tn *turn) error {
	policy := v.in.table.Policy
	in := decideInput(v)
	if d := decide.Decide(policy, in); d.HandOff {
		return t.handOff(ctx, v, tn, d)
	}
	ans, err := v.in.copilot.Answer(ctx, copilot.Request{
		Messages: copilotMessages(v.window), Language: v.conv.Language, Background: v.conv.Background,
	}, func(piece string) error {
		if err := tn.release(piece); err != nil {
			return err
		}
		t.hub.wake(v.conv.ID)
		return nil
	})
	if ctx.Err() != nil || errors.Is(err, errCut) {
		return errCut
	}
	if err != nil {
		t.log.Warn("the AI could not answer", "conversation", v.conv.ID, "error", err)
	}
	in.Answer = &decide.AnswerSignals{Understood: ans.Understood, ModelFailed: ans.ModelFailed, Confidence: ans.Confidence}
	d := decide.Decide(policy, in)
	if d.HandOff {
		return t.handOff(ctx, v, tn, d)
	}
	return t.say(ctx, v, tn, ans, d.Language)
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
	return t.update(ctx, v.conv.ID, func(c conversation.Conversation) (conversation.Change, error) {
		return c.AIAnswers(tn.epoch, tn.answerTo, a, t.clock.Now())
	})
}

// handOff gives the conversation to the queue and, where an agent can take it now, offers it in the same transaction.
// The customer is told in that transaction too.
func (t *Tenant) handOff(ctx context.Context, v view, tn *turn, d decide.Decision) error {
	h := describeHandoff(v, d)
	return t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, err := tx.Conversation(v.conv.ID)
		if err != nil {
			return err
		}
		now := t.clock.Now()
		p, err := t.place(tx, v.in.table, c, h, now)
		if err != nil {
			return err
		}
		cut := &conversation.Answer{Text: tn.said(), Understood: true}
		change, err := c.HandOff(tn.epoch, tn.answerTo, h, cut, p.told, now)
		if err != nil {
			return err
		}
		if err := save(change); err != nil || p.offer == nil {
			return err
		}
		if change, err = change.Conversation.MakeOffer(*p.offer, now); err != nil {
			return err
		}
		return save(change)
	})
}

// update saves one transition of a conversation.
func (t *Tenant) update(ctx context.Context, id string, move func(conversation.Conversation) (conversation.Change, error)) error {
	return t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, err := tx.Conversation(id)
		if err != nil {
			return fmt.Errorf("conversation %s: %w", id, err)
		}
		change, err := move(c)
		if err != nil {
			return err
		}
		return save(change)
	})
}

func facts(c conversation.Conversation, h conversation.Handoff) routing.Facts {
	return routing.Facts{
		IssueType: h.IssueType, ChannelType: c.ChannelType, Channel: c.Channel, Language: h.Language, Reason: h.Reason,
	}
}
