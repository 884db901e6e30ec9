package tenanttest

import (
	"fmt"
	"slices"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// CheckLog recomputes from a conversation's log alone whether it obeys the rules: numbers without gaps, an epoch for each
// owner, the AI silent where it is not the owner, every answer given once.
func CheckLog(events []conversation.Event) error {
	owners, err := ownersOf(events)
	if err != nil {
		return err
	}
	answered := map[int64]bool{}
	for _, e := range events {
		owner := owners[e.Epoch]
		switch {
		case owner == "":
			return fmt.Errorf("event %d: nobody owns epoch %d", e.Seq, e.Epoch)
		case e.Author.Kind == conversation.AuthorAI && owner != conversation.OwnerAI:
			return fmt.Errorf("event %d: the AI speaks while the owner is %s", e.Seq, owner)
		case e.Author.Kind == conversation.AuthorAgent && e.Type == conversation.EventMessage &&
			owner != conversation.OwnerAgent && owner != conversation.OwnerHelpdesk:
			return fmt.Errorf("event %d: an agent speaks while the owner is %s", e.Seq, owner)
		}
		if e.AnswerTo == 0 {
			continue
		}
		if answered[e.AnswerTo] || e.AnswerTo >= e.Seq || events[e.AnswerTo-1].Author.Kind != conversation.AuthorCustomer {
			return fmt.Errorf("event %d answers event %d wrongly or again", e.Seq, e.AnswerTo)
		}
		answered[e.AnswerTo] = true
	}
	return nil
}

// ownersOf returns the owner of each epoch.
func ownersOf(events []conversation.Event) (map[int64]conversation.OwnerKind, error) {
	owners := map[int64]conversation.OwnerKind{}
	for i, e := range events {
		if e.Seq != int64(i)+1 {
			return nil, fmt.Errorf("event %d stands at place %d", e.Seq, i+1)
		}
		if i > 0 && (e.Epoch < events[i-1].Epoch || e.Epoch > events[i-1].Epoch+1) {
			return nil, fmt.Errorf("event %d has epoch %d after %d", e.Seq, e.Epoch, events[i-1].Epoch)
		}
		if e.Owner == nil {
			continue
		}
		if before, twice := owners[e.Epoch]; twice {
			return nil, fmt.Errorf("event %d gives epoch %d to %s, which was %s's", e.Seq, e.Epoch, e.Owner.Kind, before)
		}
		owners[e.Epoch] = e.Owner.Kind
	}
	return owners, nil
}

// CheckOffers recomputes from what was written, for a table with one pool of cost 1, that every offer went to somebody
// present, on shift and below capacity, and among those to the least loaded who had not let it pass.
func CheckOffers(written []Written, tb *routing.Table) (offers int, err error) {
	return checkOffers(written, tb, true)
}

// CheckRoom is CheckOffers but for who among those it went to.
func CheckRoom(written []Written, tb *routing.Table) (offers int, err error) {
	return checkOffers(written, tb, false)
}

func checkOffers(written []Written, tb *routing.Table, best bool) (offers int, err error) {
	h := &holdings{table: tb, best: best, held: map[string]string{}, presence: map[string]store.Presence{}}
	for _, w := range written {
		if w.Presence != nil {
			h.presence[w.Presence.Email] = *w.Presence
			continue
		}
		for _, e := range w.Change.Events {
			if e.Type == conversation.EventOffered {
				offers++
				if err := h.mayOffer(w.Change.Conversation, e); err != nil {
					return offers, err
				}
			}
		}
		h.hold(w.Change.Conversation)
	}
	return offers, nil
}

type holdings struct {
	// best says to judge also who among those who can take it is offered a conversation.
	best  bool
	table *routing.Table
	// held has the holder of each conversation that is owned by or offered to somebody.
	held     map[string]string
	presence map[string]store.Presence
}

func (h *holdings) hold(c conversation.Conversation) {
	switch {
	case c.Offer != nil:
		h.held[c.ID] = c.Offer.Agent.Email
	case c.Owner.Kind == conversation.OwnerAgent && c.SnoozedUntil.IsZero():
		h.held[c.ID] = c.Owner.ID
	default:
		delete(h.held, c.ID)
	}
}

func (h *holdings) load(email string) (n int) {
	for _, holder := range h.held {
		if holder == email {
			n++
		}
	}
	return n
}

// able says whether an agent may be offered one more conversation at the time of an event.
func (h *holdings) able(a routing.Agent, e conversation.Event) error {
	switch {
	case !h.presence[a.Email].Present(e.At):
		return fmt.Errorf("%s is %q until %s", a.Email, h.presence[a.Email].State, h.presence[a.Email].Until)
	case len(h.table.Candidates(h.table.RouteTo("", a.Email), routing.Facts{}, 0, e.At)) == 0:
		return fmt.Errorf("%s is not on shift", a.Email)
	case h.load(a.Email) >= a.Capacity:
		return fmt.Errorf("%s holds %d of %d", a.Email, h.load(a.Email), a.Capacity)
	}
	return nil
}

func (h *holdings) mayOffer(c conversation.Conversation, e conversation.Event) error {
	email := e.Agent.ID
	a, ok := h.table.AgentByEmail(email)
	if !ok {
		return fmt.Errorf("event %d of %s at %s: %s is in no pool", e.Seq, c.ID, e.At, email)
	}
	if err := h.able(a, e); err != nil {
		return fmt.Errorf("event %d of %s at %s: %w", e.Seq, c.ID, e.At, err)
	}
	if !h.best {
		return nil
	}
	for _, other := range h.table.Pools[0].Agents {
		better := h.load(other.Email)*a.Capacity < h.load(email)*other.Capacity || slices.Contains(c.Passed, email)
		if other.Email != email && better && !slices.Contains(c.Passed, other.Email) && h.able(other, e) == nil {
			return fmt.Errorf("event %d of %s: offered to %s with %d, though %s has %d", e.Seq, c.ID, email, h.load(email), other.Email, h.load(other.Email))
		}
	}
	return nil
}
