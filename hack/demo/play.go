package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// patience bounds the wait for one step of the demo: a step takes well below a second.
const patience = 30 * time.Second

// scene plays both sides of one conversation and prints it as the customer sees it happen.
type scene struct {
	out      io.Writer
	customer *client.Customer
	agent    *client.Agent
	events   chan client.Event
	said     int
}

// play has a customer talk to the AI, ask for a human, get one, and talk to the AI again.
func play(ctx context.Context, out io.Writer, base, channelToken string, agent *client.Agent) error {
	if err := agent.SetPresence(ctx, "online"); err != nil {
		return fmt.Errorf("setting the agent online: %w", err)
	}
	customer, err := client.Open(ctx, http.DefaultClient, base, channelToken, conversation.Customer{Name: "Maria"})
	if err != nil {
		return fmt.Errorf("beginning a conversation: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &scene{out: out, customer: customer, agent: agent, events: make(chan client.Event, 64)}
	go func() {
		_ = customer.Follow(ctx, 0, func(e client.Event) error {
			select {
			case s.events <- e:
				return nil
			case <-ctx.Done():
				return client.ErrStop
			}
		})
	}()
	return s.run(ctx)
}

func (s *scene) run(ctx context.Context) error {
	if err := s.say(ctx, "Hi! How much is an inspection?"); err != nil {
		return err
	}
	if _, err := s.until(ctx, fromAI); err != nil {
		return err
	}
	if err := s.say(ctx, "You have had my bike for two weeks and nobody cares!!! This is ridiculous. Let me talk to a human!"); err != nil {
		return err
	}
	if _, err := s.until(ctx, ofType(conversation.EventHandoff)); err != nil {
		return err
	}
	if err := s.accept(ctx); err != nil {
		return err
	}
	if err := s.agent.Reply(ctx, s.customer.ID, "hello", "Hello Maria, I am sorry. Your bike is ready, I have just checked it myself, and the inspection is on us."); err != nil {
		return fmt.Errorf("replying as the agent: %w", err)
	}
	if _, err := s.until(ctx, fromAgent); err != nil {
		return err
	}
	if err := s.say(ctx, "Oh, thank you!"); err != nil {
		return err
	}
	if err := s.agent.Move(ctx, s.customer.ID, "resolve"); err != nil {
		return fmt.Errorf("resolving as the agent: %w", err)
	}
	if _, err := s.until(ctx, ofType(conversation.EventResolved)); err != nil {
		return err
	}
	if err := s.say(ctx, "One more thing: when are you open?"); err != nil {
		return err
	}
	_, err := s.until(ctx, fromAI)
	return err
}

// accept waits for the agent's offer, shows what the agent sees, and takes it.
func (s *scene) accept(ctx context.Context) error {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		c, err := s.agent.Conversation(ctx, s.customer.ID)
		if err != nil {
			return fmt.Errorf("reading the conversation as the agent: %w", err)
		}
		if c.Offer != nil && c.Handoff != nil {
			s.print("OFFERED", "to "+c.Offer.Agent.Name+" of pool "+c.Offer.Pool+", who sees:")
			for _, line := range strings.Split(c.Handoff.Summary, "\n") {
				s.print("", "  "+line)
			}
			if err := s.agent.Move(ctx, c.ID, "accept"); err != nil {
				return fmt.Errorf("accepting the offer: %w", err)
			}
			_, err := s.until(ctx, ofType(conversation.EventAssigned))
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("the conversation was offered to nobody within %s", patience)
}

func (s *scene) say(ctx context.Context, text string) error {
	s.said++
	if _, err := s.customer.Say(ctx, fmt.Sprintf("demo-%d", s.said), text); err != nil {
		return fmt.Errorf("sending a message as the customer: %w", err)
	}
	_, err := s.until(ctx, func(e client.Event) bool { return e.Author.Kind == conversation.AuthorCustomer && e.Text == text })
	return err
}

// until prints events as they come, up to one that was waited for.
func (s *scene) until(ctx context.Context, wanted func(client.Event) bool) (client.Event, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case e := <-s.events:
			s.show(e)
			if wanted(e) {
				return e, nil
			}
		case <-timeout.C:
			return client.Event{}, fmt.Errorf("what had to come next did not come within %s", patience)
		case <-ctx.Done():
			return client.Event{}, ctx.Err()
		}
	}
}

func (s *scene) show(e client.Event) {
	switch {
	case e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorCustomer:
		s.print("Customer", e.Text)
	case e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAI:
		from := ""
		for _, src := range e.Sources {
			from += fmt.Sprintf("   [%s: %s › %s]", src.Name, src.Document, src.Heading)
		}
		s.print("AI", e.Text+from)
	case e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAgent:
		s.print(e.Author.Name, e.Text)
	case e.Type == conversation.EventMessage:
		s.print("", "("+e.Text+")")
	case e.Type == conversation.EventHandoff && e.Payload != nil:
		s.print("HANDOFF", fmt.Sprintf("reason %s, sentiment %s", e.Payload.Reason, e.Payload.Sentiment))
		s.print("", "  the customer's page gets: "+e.Payload.Summery)
	case e.Type == conversation.EventAssigned:
		s.print("ASSIGNED", "to "+e.Agent.Name)
	case e.Type == conversation.EventResolved:
		s.print("RESOLVED", "the AI answers again")
	}
}

func (s *scene) print(who, text string) { _, _ = fmt.Fprintf(s.out, "  %-9s %s\n", who, text) }

func fromAI(e client.Event) bool {
	return e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAI
}

func fromAgent(e client.Event) bool {
	return e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAgent
}

func ofType(t conversation.EventType) func(client.Event) bool {
	return func(e client.Event) bool { return e.Type == t }
}
