package tenant

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Access is what a customer's token opens of a conversation.
type Access struct {
	// Of is the conversation that the token is of: another one that was merged into this, or the same.
	Of string
	// From is the number of the last event that it does not open; zero where it opens all.
	From int64
	// scope begins the client ids of what was written with it.
	scope string
}

// Authorize says what the token opens of the conversation; ErrForbidden if nothing. The token of a conversation that was
// merged into this one opens what came after: who said to be the same customer may not be.
func (t *Tenant) Authorize(ctx context.Context, id, token string) (a Access, err error) {
	hashed := hash(token)
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		a, err = authorize(r, id, hashed)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = ErrForbidden
	}
	a.scope = scope(hashed)
	return a, err
}

func authorize(r store.Reader, id string, token []byte) (a Access, err error) {
	want, err := r.TokenHash(id)
	if err != nil || subtle.ConstantTimeCompare(want, token) == 1 {
		return Access{Of: id}, err
	}
	merged, err := r.MergedInto(id)
	if err != nil {
		return a, err
	}
	for _, m := range merged {
		if a, err = authorize(r, m, token); err == nil {
			c, err := r.Conversation(m)
			a.From = c.MergedAt
			return a, err
		} else if !errors.Is(err, ErrForbidden) {
			return a, err
		}
	}
	return a, ErrForbidden
}

// Shows returns an event as the token's customer may see it, of those that Events returns, and false for one that is not
// theirs: what somebody else wrote before the merge, where they did not see it either.
func (a Access) Shows(e conversation.Event) (conversation.Event, bool) {
	if e.Copied && e.Other != a.Of {
		return conversation.Event{}, false
	}
	if e.Author.Kind == conversation.AuthorCustomer {
		e.ClientID = strings.TrimPrefix(e.ClientID, a.scope)
	}
	return e, true
}

// scope begins the client ids of messages in a conversation that another token opens: two customers may give the same.
func scope(tokenHash []byte) string { return fmt.Sprintf("%.8x/", tokenHash) }

// scoped is what a customer's id of a message to a conversation is in one that it goes on in. A conversation that goes on
// for an old one has the same token.
func scoped(r store.Reader, of, in, clientID string) (string, error) {
	if of == in {
		return clientID, nil
	}
	own, err := r.TokenHash(of)
	if err != nil {
		return "", err
	}
	theirs, err := r.TokenHash(in)
	if err != nil || bytes.Equal(own, theirs) {
		return clientID, err
	}
	return scope(own) + clientID, nil
}
