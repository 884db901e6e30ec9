package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// Storm lets customers and agents use a fleet in which things break. Everybody does what a good client does: tries again
// after a broken connection and where they are told to, with the same id. Whatever else goes wrong is in Problems.
type Storm struct {
	*Fleet
	Promises Promises
	// Lost counts what may cost a replica the answer that it gives: a kill, or the database gone for a while.
	Lost atomic.Int64
	// Opened and Done count conversations, Unavailable the answers "try again", Cut the connections that broke, Taken the
	// conversations that an agent took from the AI.
	Opened, Done, Unavailable, Cut, Taken atomic.Int64

	agents map[string]string // tokens by name

	mu       sync.Mutex
	live     []string
	problems []error
	longest  time.Duration
	slowest  string
}

// NewStorm signs the agents of the fleet's table in and sets them online.
func NewStorm(ctx context.Context, f *Fleet) (*Storm, error) {
	s := &Storm{Fleet: f, agents: map[string]string{}}
	for i, a := range f.Table.Pools[0].Agents {
		at := f.Replicas[i%len(f.Replicas)]
		token, err := at.SignIn(ctx, a.Name)
		if err != nil {
			return nil, err
		}
		s.agents[a.Name] = token
		if err := at.Presence(ctx, token, "online"); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Run plays a conversation for each value of next, up to width at a time, until next is closed, and returns when all have
// come to their end.
func (s *Storm) Run(ctx context.Context, width int, next <-chan int) {
	ctx, cancel := context.WithCancel(ctx)
	var agents, customers sync.WaitGroup
	for name, token := range s.agents {
		agents.Go(func() { s.agent(ctx, name, token) })
	}
	for range width {
		customers.Go(func() {
			for range next {
				if err := s.customer(ctx); err != nil {
					s.problem(err)
				}
				s.Done.Add(1)
			}
		})
	}
	customers.Wait()
	cancel()
	agents.Wait()
}

// Problems are what should not have happened.
func (s *Storm) Problems() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// Longest is the longest that somebody waited for something to happen, and for what.
func (s *Storm) Longest() (time.Duration, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.longest, s.slowest
}

// waited notes how long somebody waited.
func (s *Storm) waited(since time.Time, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := time.Since(since); d > s.longest {
		s.longest, s.slowest = d, fmt.Sprintf(format, args...)
	}
}

func (s *Storm) problem(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, err)
}

// anyone is a replica at random.
func (s *Storm) anyone() *Replica { return s.Replicas[rand.IntN(len(s.Replicas))] } //nolint:gosec // which one does not matter

// pause is what a client waits before it tries again.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(20*time.Millisecond + rand.N(100*time.Millisecond)): //nolint:gosec // jitter
	}
}

// again asks any replica until one answers, and returns what it says: nil, or an error that trying again does not mend.
func (s *Storm) again(ctx context.Context, what string, ask func(*Replica) error) error {
	for began := time.Now(); ; {
		err := ask(s.anyone())
		if err == nil || ctx.Err() == nil && !s.passing(err) {
			return err
		}
		if pause(ctx); ctx.Err() != nil || time.Since(began) > Patience {
			return fmt.Errorf("%s: it was tried again all the time: %w", what, err)
		}
	}
}

// passing says whether an error asks to try again, and counts it. A 503 has to say when.
func (s *Storm) passing(err error) bool {
	var status *Status
	if !errors.As(err, &status) {
		s.Cut.Add(1)
		return true
	}
	if status.Code != http.StatusServiceUnavailable {
		return false
	}
	if status.Retry == "" || !strings.Contains(status.Body, "try again") {
		s.problem(fmt.Errorf("it does not say to try again: %w", err))
	}
	s.Unavailable.Add(1)
	return true
}

// refused says whether the state machine refused something, as it may where two want the same.
func refused(err error) bool {
	var status *Status
	return errors.As(err, &status) && status.Code == http.StatusConflict
}

// agent is a human who takes what is offered, sometimes what is not, answers and resolves it.
func (s *Storm) agent(ctx context.Context, name, token string) {
	for n := 0; ctx.Err() == nil; n++ {
		var mine []conversation.Conversation
		err := s.again(ctx, "reading what is mine", func(r *Replica) (err error) {
			mine, err = r.Mine(ctx, token)
			return err
		})
		if err == nil && n%10 == 0 { // who let too many offers pass comes back
			err = s.again(ctx, "being online", func(r *Replica) error { return r.Presence(ctx, token, "online") })
		}
		for _, c := range mine {
			if err == nil {
				err = s.work(ctx, name, token, c)
			}
		}
		if err == nil && rand.IntN(20) == 0 { //nolint:gosec // now and then
			err = s.takeAny(ctx, name, token)
		}
		if err != nil && ctx.Err() == nil {
			s.problem(fmt.Errorf("agent %s: %w", name, err))
		}
		select { // a client polls
		case <-ctx.Done():
		case <-time.After(100*time.Millisecond + rand.N(400*time.Millisecond)): //nolint:gosec // jitter
		}
	}
}

// work does the next thing with a conversation of an agent's.
func (s *Storm) work(ctx context.Context, name, token string, c conversation.Conversation) error {
	switch {
	case c.Offer != nil && rand.IntN(10) == 0: //nolint:gosec // now and then
		return s.move(ctx, name, token, c.ID, "decline")
	case c.Offer != nil:
		return s.move(ctx, name, token, c.ID, "accept")
	case c.Owner.Kind != conversation.OwnerAgent || c.Owner.ID != tenanttest.Email(name):
		return nil
	case rand.IntN(20) == 0: //nolint:gosec // now and then
		err := s.again(ctx, "transfer", func(r *Replica) error {
			_, err := r.Transfer(ctx, token, c.ID, s.Table.Pools[0].Name, "please")
			return err
		})
		if refused(err) { // by then it was another's, or the request before came to pass
			return nil
		}
		return err
	}
	id, text := fmt.Sprintf("r-%s-%d", name, c.Epoch), "A human here."
	err := s.again(ctx, "reply", func(r *Replica) error { return r.Reply(ctx, token, c.ID, id, text) })
	if refused(err) {
		return nil
	}
	if err != nil {
		return err
	}
	s.Promises.Add(Promise{Conversation: c.ID, Author: conversation.AuthorAgent, ClientID: id, Text: text})
	return s.move(ctx, name, token, c.ID, "resolve")
}

// move makes a transition until it is granted or refused, and notes who was told that they have the conversation.
func (s *Storm) move(ctx context.Context, name, token, id, transition string) error {
	var c conversation.Conversation
	err := s.again(ctx, transition, func(r *Replica) (err error) {
		c, err = r.Move(ctx, token, id, transition)
		return err
	})
	if refused(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s of %s: %w", transition, id, err)
	}
	if transition == "accept" || transition == "takeover" {
		s.Promises.Add(Promise{Conversation: id, Agent: tenanttest.Email(name), Epoch: c.Epoch})
	}
	return nil
}

// takeAny takes over a conversation that is under way, whoever has it.
func (s *Storm) takeAny(ctx context.Context, name, token string) error {
	s.mu.Lock()
	id := ""
	if len(s.live) > 0 {
		id = s.live[rand.IntN(len(s.live))] //nolint:gosec // which one does not matter
	}
	s.mu.Unlock()
	if id == "" {
		return nil
	}
	s.Taken.Add(1)
	return s.move(ctx, name, token, id, "takeover")
}
