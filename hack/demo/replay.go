package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// patienceToDrain bounds the wait until the agents have taken all that waits.
const patienceToDrain = 10 * time.Minute

// outcome is what became of one customer's message.
type outcome struct {
	// handedOff is false where the AI answered.
	handedOff         bool
	reason, issueType string
	// toHandoff is the time from sending the message until the customer saw the handoff.
	toHandoff time.Duration
	// to is the agent it was offered to first, toAgent the time that took; empty while it waits in the queue.
	to      string
	toAgent time.Duration
	failed  error
	id      string
}

// replayer sends each text as a customer of its own. Agents accept what they are offered and resolve it at once.
type replayer struct {
	base, channelToken string
	agents             []*client.Agent
	out                io.Writer
	customers          int
	done               atomic.Int64
}

// readTexts returns up to limit values of the column "text" of a CSV file.
func readTexts(file string, limit int) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: reading the header: %w", file, err)
	}
	column := slices.Index(head, "text")
	if column < 0 {
		return nil, fmt.Errorf("%s: no column is called \"text\"; the columns are %s", file, strings.Join(head, ", "))
	}
	var texts []string
	for limit == 0 || len(texts) < limit {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if strings.TrimSpace(row[column]) != "" {
			texts = append(texts, row[column])
		}
	}
	return texts, nil
}

// run replays the texts and returns what became of each.
func (p *replayer) run(ctx context.Context, texts []string) ([]outcome, error) {
	outcomes := make([]outcome, len(texts))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers errgroup.Group
	for _, a := range p.agents {
		if err := a.SetPresence(ctx, "online"); err != nil {
			return nil, fmt.Errorf("setting an agent online: %w", err)
		}
		workers.Go(func() error { return p.work(ctx, a) })
	}
	hc := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: p.customers, MaxConnsPerHost: 2 * p.customers}}
	var g errgroup.Group
	g.SetLimit(p.customers)
	progress := p.progress(ctx, len(texts))
	for i, text := range texts {
		g.Go(func() error {
			outcomes[i] = p.one(ctx, hc, text)
			p.done.Add(1)
			return nil
		})
	}
	_ = g.Wait()
	drained := p.drain(ctx, outcomes)
	cancel()
	progress.Wait()
	if err := workers.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return outcomes, err
	}
	return outcomes, drained
}

func (p *replayer) progress(ctx context.Context, total int) *sync.WaitGroup {
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_, _ = fmt.Fprintf(p.out, "  %d of %d customers\n", p.done.Load(), total)
			case <-ctx.Done():
				return
			}
		}
	})
	return &wg
}

// one is one customer: they write, and stay until the AI answered or a handoff was committed and offered or queued.
func (p *replayer) one(ctx context.Context, hc *http.Client, text string) (o outcome) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := client.Open(ctx, hc, p.base, p.channelToken, conversation.Customer{})
	if err != nil {
		o.failed = fmt.Errorf("beginning a conversation: %w", err)
		return o
	}
	begin := time.Now()
	if _, err := c.Say(ctx, "1", text); err != nil {
		o.failed = fmt.Errorf("sending a message: %w", err)
		return o
	}
	o.failed = c.Follow(ctx, 0, func(e client.Event) error {
		switch {
		case e.Type == conversation.EventHandoff:
			o.handedOff, o.toHandoff = true, time.Since(begin)
			o.reason, o.issueType = string(e.Payload.Reason), e.Payload.IssueType
			return client.ErrStop
		case e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAI:
			return client.ErrStop
		}
		return nil
	})
	o.id = c.ID
	return o
}

// drain waits until the agents have taken all that waits, and reads what became of every handoff.
func (p *replayer) drain(ctx context.Context, outcomes []outcome) error {
	ctx, cancel := context.WithTimeout(ctx, patienceToDrain)
	defer cancel()
	for last := -1; ; {
		waiting, err := p.agents[0].Waiting(ctx)
		if err != nil {
			return fmt.Errorf("reading the queue: %w", err)
		}
		if waiting == 0 {
			break
		}
		if waiting/500 != last/500 {
			last = waiting
			_, _ = fmt.Fprintf(p.out, "  %d conversations wait for the %d agents\n", waiting, len(p.agents))
		}
		time.Sleep(100 * time.Millisecond)
	}
	for i := range outcomes {
		if o := &outcomes[i]; o.failed == nil && o.handedOff {
			o.failed = p.human(ctx, o)
		}
	}
	return nil
}

// human reads in the inbox what became of a handed-off conversation: offered to whom and when, or in the queue. A
// conversation that is neither was lost, which is an error.
func (p *replayer) human(ctx context.Context, o *outcome) error {
	id := o.id
	c, err := p.agents[0].Conversation(ctx, id)
	if err != nil {
		return fmt.Errorf("looking for the conversation in the inbox: %w", err)
	}
	events, err := p.agents[0].Log(ctx, id, 0)
	if err != nil {
		return fmt.Errorf("reading the conversation's log in the inbox: %w", err)
	}
	var handoff time.Time
	for _, e := range events {
		switch e.Type {
		case conversation.EventHandoff:
			handoff = e.At
		case conversation.EventOffered:
			if o.to == "" {
				o.to, o.toAgent = e.Agent.ID, e.At.Sub(handoff)
			}
		}
	}
	if o.to == "" && c.Owner.Kind != conversation.OwnerQueue {
		return fmt.Errorf("conversation %s was handed off and offered to nobody, and is not in the queue but with %s", id, c.Owner.Kind)
	}
	return nil
}

// work is one agent: accept what is offered, answer, resolve.
func (p *replayer) work(ctx context.Context, a *client.Agent) error {
	for ctx.Err() == nil {
		mine, err := a.Mine(ctx)
		if err != nil {
			return err
		}
		for _, c := range mine {
			if err := p.handle(ctx, a, c); err != nil {
				return err
			}
		}
		if len(mine) == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return ctx.Err()
}

func (p *replayer) handle(ctx context.Context, a *client.Agent, c conversation.Conversation) error {
	if c.Owner.Kind == conversation.OwnerQueue {
		var refused *client.Error
		if err := a.Move(ctx, c.ID, "accept"); errors.As(err, &refused) && refused.Status == http.StatusConflict {
			return nil // the offer expired meanwhile
		} else if err != nil {
			return err
		}
	}
	if err := a.Reply(ctx, c.ID, "r1", "I am looking into it."); err != nil {
		return err
	}
	return a.Move(ctx, c.ID, "resolve")
}
