package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/test/chaos/logcheck"
)

// moves are the requests of an agent's moves by the events that they leave.
var moves = map[conversation.EventType]string{
	conversation.EventAssigned: "accept", conversation.EventTakenOver: "takeover",
	conversation.EventResolved: "resolve", conversation.EventReturned: "return",
}

// agent is an agent who works several conversations at once, one worker each.
type agent struct {
	*driver
	Agent
	seed uint64
	// ignored are offers that the agent lets pass, by conversation.
	ignored map[string]time.Time

	mu   sync.Mutex
	busy map[string]bool
	jobs uint64
}

func newAgent(d *driver, a Agent, n uint64) *agent {
	return &agent{driver: d, Agent: a, seed: d.Seed ^ n<<32, ignored: map[string]time.Time{}, busy: map[string]bool{}}
}

// run works until the customers were served and nothing is left.
func (a *agent) run(ctx context.Context, served <-chan struct{}) error {
	g, ctx := errgroup.WithContext(ctx)
	r := chance(a.seed, 0)
	for {
		last := false
		select {
		case <-served:
			last = true
		default:
		}
		left, err := a.look(ctx, g, r)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		if last && left == 0 {
			return g.Wait()
		}
		if err := wait(ctx, look); err != nil {
			return errors.Join(g.Wait(), fmt.Errorf("agent %s: %w with %d conversations left", a.Email, err, left))
		}
	}
}

// look begins to work on what is there, and returns how much there is.
func (a *agent) look(ctx context.Context, g *errgroup.Group, r *rand.Rand) (left int, err error) {
	var mine []conversation.Conversation
	err = a.persist(ctx, func(ctx context.Context) (err error) {
		mine, err = a.Mine(ctx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("agent %s looking for work: %w", a.Email, err)
	}
	for _, c := range mine {
		if c.Offer != nil && !a.wants(c, r) {
			continue
		}
		a.begin(ctx, g, c.ID, conversation.EventAssigned)
	}
	if id := a.someone(); id != "" && a.Takeovers && r.IntN(4) == 0 {
		a.begin(ctx, g, id, conversation.EventTakenOver)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(mine) + len(a.busy), nil
}

// wants is false for one offer in ten, until it ends.
func (a *agent) wants(c conversation.Conversation, r *rand.Rand) bool {
	if at, known := a.ignored[c.ID]; !known || !at.Equal(c.Offer.ExpiresAt) {
		if r.IntN(10) > 0 {
			return true
		}
		a.ignored[c.ID] = c.Offer.ExpiresAt
	}
	return false
}

// begin starts a worker for a conversation that has none; how says how to get it.
func (a *agent) begin(ctx context.Context, g *errgroup.Group, id string, how conversation.EventType) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy[id] {
		return
	}
	a.busy[id] = true
	a.jobs++
	j := &job{agent: a, id: id, rand: chance(a.seed, a.jobs)}
	g.Go(func() error {
		defer func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			delete(a.busy, id)
		}()
		if err := j.work(ctx, how); err != nil {
			return fmt.Errorf("agent %s in conversation %s: %w", a.Email, id, err)
		}
		return nil
	})
}

// job is the work on one conversation.
type job struct {
	*agent
	id   string
	rand *rand.Rand
}

func (j *job) work(ctx context.Context, how conversation.EventType) error {
	c, err := j.read(ctx)
	if err != nil {
		return err
	}
	if how == conversation.EventTakenOver && (c.Owner.Kind != conversation.OwnerAI || c.Pending == 0) {
		return nil
	}
	if !j.owns(c) {
		if c, err = j.get(ctx, how); err != nil || !j.owns(c) {
			return err
		}
	}
	for n := range 1 + j.rand.IntN(3) {
		if err := think(ctx, j.rand); err != nil {
			return err
		}
		if err := j.write(ctx, c.Handoff.Number, n); err != nil {
			return err
		}
	}
	return j.release(ctx, c)
}

func (j *job) owns(c conversation.Conversation) bool {
	return c.Owner == conversation.Owner{Kind: conversation.OwnerAgent, ID: j.Email}
}

func (j *job) read(ctx context.Context) (c conversation.Conversation, err error) {
	err = j.persist(ctx, func(ctx context.Context) (err error) {
		c, err = j.Conversation(ctx, j.id)
		return err
	})
	return c, err
}

// get accepts the offer or takes over, and returns the conversation, of which the agent is not the owner if they came
// too late.
func (j *job) get(ctx context.Context, how conversation.EventType) (c conversation.Conversation, err error) {
	acknowledged, err := j.move(ctx, how)
	if refused(err) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if c, err = j.read(ctx); err != nil {
		return c, err
	}
	if !j.owns(c) || c.Handoff == nil {
		return c, fmt.Errorf("%s was acknowledged, but the owner is %s %s", how, c.Owner.Kind, c.Owner.ID)
	}
	acknowledged(c.Handoff.Number)
	return c, nil
}

func (j *job) move(ctx context.Context, kind conversation.EventType) (acknowledged func(handoff int), err error) {
	acknowledged = j.attempted(logcheck.Move{Conversation: j.id, Agent: j.Email, Type: kind})
	return acknowledged, j.persist(ctx, func(ctx context.Context) error { return j.Move(ctx, j.id, moves[kind]) })
}

// write sends the nth text of a handoff: a reply, or now and then a note.
func (j *job) write(ctx context.Context, handoff, n int) error {
	id := fmt.Sprintf("%s-%d-%d", j.Email, handoff, n)
	s := logcheck.Sent{Conversation: j.id, Type: conversation.EventMessage, ClientID: id, Text: "I have had a look: " + id,
		Author: conversation.Author{Kind: conversation.AuthorAgent, ID: j.Email}}
	send := j.Reply
	if j.rand.IntN(5) == 0 {
		s.Type, send = conversation.EventNote, j.Note
	}
	return j.send(ctx, s, func(ctx context.Context) error { return send(ctx, j.id, id, s.Text) })
}

// release resolves, or now and then gives a conversation back that may go back. Neither may be repeated: a refusal means
// that the lost answer was a yes, unless the agent is still the owner.
func (j *job) release(ctx context.Context, taken conversation.Conversation) error {
	kind := conversation.EventResolved
	if j.rand.IntN(5) == 0 && !taken.Bounced() {
		kind = conversation.EventReturned
	}
	acknowledged, err := j.move(ctx, kind)
	if err == nil {
		acknowledged(taken.Handoff.Number)
		return nil
	}
	if !refused(err) {
		return err
	}
	c, reading := j.read(ctx)
	if reading == nil && j.owns(c) {
		return fmt.Errorf("%s was refused though the agent is the owner: %w", kind, err)
	}
	return reading
}
