package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/test/chaos/logcheck"
)

// What customers write. The first are in the knowledge of chaos/testdata/tenant.yaml.
var (
	questions = []string{"When are you open?", "How much is an inspection?", "Do I need an appointment for a repair?",
		"Where are you?", "Can you juggle seven purple elephants?"}
	demands = []string{"I want to talk to a human, please", "This is ridiculous, nobody cares! Let me talk to a human!", "Give me a real person"}
	chat    = []string{"Oh, thank you!", "And what does that mean?", "It has been two weeks", "Good"}
)

// customer is one customer with one conversation.
type customer struct {
	*driver
	rand *rand.Rand
	api  *client.Customer
	sent int

	mu sync.Mutex
	// owner and epoch are the newest the stream told, seq the newest event and answered the newest message answered.
	owner                conversation.OwnerKind
	epoch, seq, answered int64
	// said is the newest message of the customer's own, heard the messages of agents.
	said  conversation.Event
	heard int
	// changed holds a signal when something of this changed.
	changed chan struct{}
}

func newCustomer(d *driver, n uint64) *customer {
	return &customer{driver: d, rand: chance(d.Seed, 1000+n), changed: make(chan struct{}, 1)}
}

// cutting is a transport that tells of every new stream.
type cutting struct {
	http.RoundTripper
	cut func()
}

func (c cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Accept") == "text/event-stream" {
		c.cut()
	}
	return c.RoundTripper.RoundTrip(r)
}

func (c *customer) run(ctx context.Context) error {
	hc := &http.Client{Transport: cutting{c.transport, func() { c.seen(c.api.ID, logcheck.Seen{Cut: true}) }}}
	err := c.persist(ctx, func(ctx context.Context) (err error) {
		c.api, err = client.Open(ctx, hc, c.Base, c.ChannelToken, conversation.Customer{Name: "Cleo"})
		return err
	})
	if err != nil {
		return fmt.Errorf("beginning a conversation: %w", err)
	}
	c.opened(c.api.ID)
	following, leave := context.WithCancel(ctx)
	defer leave()
	followed := make(chan error, 1)
	go func() { followed <- c.api.Follow(following, 0, c.take) }()
	err = c.talk(ctx, followed)
	c.left(c.api.ID)
	leave()
	if end := <-followed; err == nil && !errors.Is(end, context.Canceled) {
		return fmt.Errorf("following conversation %s: %w", c.api.ID, end)
	}
	return err
}

// take takes what the stream brings.
func (c *customer) take(e client.Event) error {
	c.seen(c.api.ID, logcheck.Seen{Event: e.Event, Payload: e.Payload, Offset: e.Offset})
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Seq == 0 {
		return nil
	}
	c.seq, c.answered = e.Seq, max(c.answered, e.AnswerTo)
	if e.Owner != nil {
		c.owner, c.epoch = e.Owner.Kind, e.Epoch
	}
	if e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAgent {
		c.heard++
	}
	select {
	case c.changed <- struct{}{}:
	default:
	}
	return nil
}

// talk writes some messages and waits for what is owed after each.
func (c *customer) talk(ctx context.Context, followed chan error) error {
	for range 2 + c.rand.IntN(3) {
		texts := questions
		if c.rand.IntN(3) == 0 {
			texts = demands
		}
		if err := c.say(ctx, texts[c.rand.IntN(len(texts))]); err != nil {
			return err
		}
		if c.rand.IntN(4) == 0 { // without waiting for the answer
			if err := c.say(ctx, questions[c.rand.IntN(len(questions))]); err != nil {
				return err
			}
		}
		if err := c.settle(ctx, followed); err != nil {
			return err
		}
	}
	return nil
}

func (c *customer) say(ctx context.Context, text string) error {
	c.sent++
	id := fmt.Sprintf("m%d", c.sent)
	s := logcheck.Sent{Conversation: c.api.ID, Type: conversation.EventMessage, ClientID: id, Text: text,
		Author: conversation.Author{Kind: conversation.AuthorCustomer}}
	return c.send(ctx, s, func(ctx context.Context) error {
		e, err := c.api.Say(ctx, id, text)
		if err == nil {
			c.mu.Lock()
			c.said = e.Event
			c.mu.Unlock()
		}
		return err
	})
}

// settle waits until nothing is owed to the customer and no human is to come, and answers agents now and then.
func (c *customer) settle(ctx context.Context, followed chan error) error {
	for replied := 0; ; {
		settled, heard := c.state()
		if settled {
			return nil
		}
		if heard > replied {
			replied = heard
			if c.rand.IntN(2) == 0 {
				if err := c.say(ctx, chat[c.rand.IntN(len(chat))]); err != nil {
					return err
				}
				continue
			}
		}
		select {
		case <-c.changed:
		case err := <-followed:
			followed <- err
			return fmt.Errorf("following conversation %s: %w", c.api.ID, err)
		case <-ctx.Done():
			c.mu.Lock()
			defer c.mu.Unlock()
			return fmt.Errorf("conversation %s was not settled: %w; the customer saw event %d, owner %s", c.api.ID, ctx.Err(), c.seq, c.owner)
		}
	}
}

func (c *customer) state() (settled bool, heard int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.seq < c.said.Seq:
	case c.owner == conversation.OwnerNobody:
		settled = true
	case c.owner == conversation.OwnerAI:
		settled = c.said.Epoch < c.epoch || c.answered >= c.said.Seq
	}
	return settled, c.heard
}
