package tenant

import (
	"context"
	"strconv"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// handledSample is how many of the newest conversations of a pool its handling time is the mean of, and handledLeast how
// many there have to be: fewer say nothing.
const (
	handledSample = 50
	handledLeast  = 5
)

// Standing is where a customer stands who waits for a human.
type Standing struct {
	// Position counts from one.
	Position int
	// Wait is an estimate, or zero where there is nothing to make one of.
	Wait time.Duration
}

// Standing returns where a conversation stands in the queue; false for one that does not wait there, or is offered to
// somebody already.
func (t *Tenant) Standing(ctx context.Context, id string) (s Standing, ok bool, err error) {
	in, err := t.inputs()
	if err != nil {
		return s, false, err
	}
	err = t.store.View(ctx, func(r store.Reader) error {
		c, err := r.Conversation(id)
		if err != nil {
			return err
		}
		if ok = c.Owner.Kind == conversation.OwnerQueue && c.Offer == nil; !ok {
			return nil
		}
		now, err := r.Now()
		if err != nil {
			return err
		}
		s, err = standing(r, t.matching, in.table, routeOf(in.table, c), c, now)
		return err
	})
	return s, ok && err == nil, err
}

// standing estimates where a conversation stands that waits, or is about to. Ahead of it are those who come before and wait
// for a pool of its route; while the board is not read yet, all who come before.
//
// The wait is (waiting ahead + 1) / Σ over the route's pools (slots / handling time): with n slots that each come free
// once per mean handling time, one comes free every mean/n. It is exact for handling times that are exponentially
// distributed, and too long where they are all the same (Cooper, Introduction to Queueing Theory, chapter 3). Slots are
// conversations that the agents who are present can hold; the handling time is the mean of the pool's newest ones, from
// assignment to the end of wrap-up. Without agents, or without enough ended conversations, there is no estimate.
func standing(r store.Reader, m *matching, tb *routing.Table, route *routing.Route, c conversation.Conversation, now time.Time) (Standing, error) {
	ahead, known := m.ahead(waitingOf(c))
	if !known {
		var err error
		if ahead, err = r.CountAhead(c); err != nil {
			return Standing{}, err
		}
	}
	s := Standing{Position: ahead + 1}
	if route == nil {
		return s, nil
	}
	slots, err := presentSlots(r, tb, route, c, now)
	if err != nil {
		return s, err
	}
	var rate float64 // conversations that end in a second
	for pool, n := range slots {
		mean, samples, err := r.HandlingTime(pool, c.AnswerBy(), handledSample)
		if err != nil {
			return s, err
		}
		if samples >= handledLeast && mean > 0 {
			rate += float64(n) / mean.Seconds()
		}
	}
	if rate > 0 {
		s.Wait = time.Duration(float64(s.Position) / rate * float64(time.Second))
	}
	return s, nil
}

// presentSlots counts, by pool, how many conversations like this the agents of the route who are present can hold.
func presentSlots(r store.Reader, tb *routing.Table, route *routing.Route, c conversation.Conversation, now time.Time) (map[string]int, error) {
	slots := map[string]int{}
	able := tb.Candidates(route, facts(c, *c.Handoff), now.Sub(c.Handoff.At), now)
	if len(able) == 0 {
		return slots, nil
	}
	var emails []string
	for _, a := range able {
		emails = append(emails, a.Email)
	}
	states, err := r.AgentStates(emails...)
	if err != nil {
		return nil, err
	}
	for _, a := range able {
		if states[a.Email].Presence.Present(now) {
			slots[a.Pool] += a.Capacity / max(a.Cost, 1)
		}
	}
	return slots, nil
}

// queuedText tells a customer their place in the queue and, where there is something to say, how long it may take.
func (w *waiting) queuedText() (string, error) {
	s, err := standing(w.tx, matchingOf(w.tx), w.table, w.route, w.conv, w.now)
	if err != nil {
		return "", err
	}
	vars := map[string]string{"position": strconv.Itoa(s.Position)}
	if s.Wait > 0 {
		vars["wait"] = routing.Wait(s.Wait, w.conv.Handoff.Language)
	}
	return w.text(v1alpha1.MessageQueued, vars), nil
}
