package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// guest is one customer of a Storm: their conversation, and the stream that they follow on any replica.
type guest struct {
	*Storm
	Customer
	seen   Seen
	frames <-chan Frame
	said   int
}

// customer plays one conversation: the AI answers, a human is asked for, comes and answers, and the AI answers again.
func (s *Storm) customer(ctx context.Context) error {
	g := &guest{Storm: s, seen: Seen{Lost: s.Lost.Load}}
	if err := s.again(ctx, "open", func(r *Replica) (err error) {
		g.Customer, err = r.Open(ctx)
		return err
	}); err != nil {
		return err
	}
	s.Opened.Add(1)
	s.enter(g.ID)
	defer s.leave(g.ID)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := g.play(ctx); err != nil {
		return fmt.Errorf("conversation %s: %w; its stream showed %v", g.ID, err, tenanttest.Types(g.seen.Events))
	}
	return g.seen.Left()
}

func (s *Storm) enter(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = append(s.live, id)
}

func (s *Storm) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = slices.DeleteFunc(s.live, func(other string) bool { return other == id })
}

func (g *guest) play(ctx context.Context) error {
	for _, ask := range []func(context.Context) error{g.story, g.human, g.story} {
		if err := ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

// story asks the AI, until it or a human has answered.
func (g *guest) story(ctx context.Context) error {
	return g.untilHeard(ctx, "Tell me a story", func(e conversation.Event, asked int64) bool { return e.AnswerTo == asked })
}

// human asks for a human until one has answered and has let go again.
func (g *guest) human(ctx context.Context) error {
	return g.untilHeard(ctx, tenanttest.Human, func(conversation.Event, int64) bool { return false })
}

// untilHeard says something until it is answered: by the AI as answered has it, or by a human, who lets go of the
// conversation then. A human who had it already may have let go of it with the question open; then it is said again.
func (g *guest) untilHeard(ctx context.Context, text string, answered func(e conversation.Event, asked int64) bool) error {
	for {
		asked, err := g.say(ctx, text)
		if err != nil {
			return err
		}
		human, done, began := false, false, time.Now()
		e, err := g.await(ctx, asked, func(e conversation.Event) bool {
			human = human || e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAgent
			done = answered(e, asked) && !e.Interrupted
			return done || e.Type == conversation.EventResolved
		})
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		g.waited(began, "%s: from %q, event %d, to %s, event %d: %v", g.ID, text, asked, e.Type, e.Seq, tenanttest.Types(g.seen.Events))
		if done || human && e.Type == conversation.EventResolved {
			return nil
		}
	}
}

// say sends a message until it is taken.
func (g *guest) say(ctx context.Context, text string) (seq int64, err error) {
	g.said++
	id := fmt.Sprint("m", g.said)
	var e conversation.Event
	if err := g.again(ctx, "say", func(r *Replica) (err error) {
		e, err = r.Say(ctx, g.Customer, id, text)
		return err
	}); err != nil {
		return 0, err
	}
	g.Promises.Add(Promise{Conversation: g.ID, Author: conversation.AuthorCustomer, ClientID: id, Text: text})
	return e.Seq, nil
}

var errPatience = errors.New("it waits for ever")

// await follows the stream, on another replica after it broke, until it has shown an event behind another one that fits.
func (g *guest) await(ctx context.Context, after int64, fits func(conversation.Event) bool) (e conversation.Event, err error) {
	patience := time.After(Patience)
	for i := 0; ; {
		for ; i < len(g.seen.Events); i++ {
			if e = g.seen.Events[i]; e.Seq > after && fits(e) {
				return e, nil
			}
		}
		if err := g.next(ctx, patience); err != nil {
			return e, err
		}
	}
}

// next shows the next frame, if the stream goes on.
func (g *guest) next(ctx context.Context, patience <-chan time.Time) error {
	if g.frames == nil {
		return g.again(ctx, "follow", func(r *Replica) (err error) {
			g.frames, err = r.Follow(ctx, g.Customer, g.seen.Last())
			return err
		})
	}
	select {
	case f, open := <-g.frames:
		if !open {
			g.frames = nil
			return nil
		}
		return g.seen.Show(f)
	case <-patience:
		return errPatience
	case <-ctx.Done():
		return ctx.Err()
	}
}
