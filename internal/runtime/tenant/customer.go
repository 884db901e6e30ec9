package tenant

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// MaxText is the longest message in bytes: some pages of text.
	MaxText = 16 << 10
	// MaxClientID is the longest id that a sender may give a message, in bytes.
	MaxClientID = 128
	// maxName bounds what customers say about themselves, in bytes.
	maxName = 256
)

// ErrForbidden is returned where a token does not open a conversation. It does not say whether the conversation exists.
var ErrForbidden = errors.New("the token does not open this conversation")

// Invalid is a mistake of the caller: it names the field and says how to mend it.
type Invalid struct{ Field, Message string }

// Error makes an Invalid an error.
func (i *Invalid) Error() string { return i.Field + ": " + i.Message }

// NewConversation is a request to begin a conversation.
type NewConversation struct {
	// ChannelToken names the Channel.
	ChannelToken string
	Customer     conversation.Customer
	// Language of the customer, if known.
	Language string
}

// languageTag is the form of language tags, of which the first part counts here.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$`)

// Open begins a conversation. The token opens it again and is not kept anywhere but with the customer.
func (t *Tenant) Open(ctx context.Context, n NewConversation) (c conversation.Conversation, token string, err error) {
	in, err := t.inputs()
	if err != nil {
		return c, "", err
	}
	ch := in.table.ChannelByToken(n.ChannelToken)
	if ch == nil {
		return c, "", &Invalid{"token", fmt.Sprintf("no Channel has the token %q; use status.token of the Channel", clip(n.ChannelToken))}
	}
	if max(len(n.Customer.ID), len(n.Customer.Name), len(n.Customer.Email)) > maxName {
		return c, "", &Invalid{"customer", fmt.Sprintf("id, name and email may have %d bytes each", maxName)}
	}
	if said := n.Customer.ID + n.Customer.Name + n.Customer.Email; !utf8.ValidString(said) || strings.ContainsRune(said, 0) {
		return c, "", &Invalid{"customer", "id, name and email must be UTF-8 without the character U+0000; leave it out"}
	}
	if n.Language == "" {
		n.Language = in.table.Copilot.Language
	}
	if !languageTag.MatchString(n.Language) {
		return c, "", &Invalid{"language", fmt.Sprintf("%q is not a language; give an ISO 639 code such as en or pt-BR", clip(n.Language))}
	}
	token = secret()
	begun := conversation.Conversation{
		ID: rand.Text(), Channel: ch.Name, ChannelType: ch.Type, Customer: n.Customer, Language: n.Language,
	}
	var start conversation.Change
	err = t.store.Update(ctx, func(tx store.Tx) (err error) {
		if begun.LastAgent, begun.LastAgentAt, err = lastAgent(tx, in.table, begun.CustomerKey()); err != nil {
			return err
		}
		now, err := tx.Now()
		if err != nil {
			return err
		}
		start = conversation.Start(begun, ch.Web.InitialMessage, now)
		if err := tx.Create(start, hash(token)); err != nil {
			return err
		}
		return t.tell(tx, start)
	})
	if err != nil {
		return c, "", fmt.Errorf("beginning a conversation: %w", err)
	}
	t.metrics.observe(start)
	return start.Conversation, token, nil
}

// lastAgent is the agent that a customer with a key had last in any conversation, and until when; nobody where no pool
// keeps customers with their agents.
func lastAgent(r store.Reader, tb *routing.Table, key string) (email string, at time.Time, err error) {
	if key == "" || !slices.ContainsFunc(tb.Pools, func(p routing.Pool) bool { return p.Stickiness.Duration > 0 }) {
		return "", at, nil
	}
	earlier, err := r.OfCustomer(key)
	for _, c := range earlier {
		if c.LastAgent != "" && c.LastAgentAt.After(at) {
			email, at = c.LastAgent, c.LastAgentAt
		}
	}
	return email, at, err
}

// secret returns an unguessable token.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

func hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// clip shortens a value for an error message.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

// Conversation returns the conversation's current state, or store.ErrNotFound.
func (t *Tenant) Conversation(ctx context.Context, id string) (c conversation.Conversation, err error) {
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		c, err = r.Conversation(id)
		return err
	})
	return c, err
}

// Say takes a customer's message. It is durable when Say returns. A clientID that was used before returns the event of
// the first time and writes nothing; with another text it is Invalid. The event may be in another conversation, see
// GoesOn. The conversation is that of the customer's token, Access.Of.
func (t *Tenant) Say(ctx context.Context, of, clientID, text string) (conversation.Event, error) {
	id := of
	e, err := t.post(ctx, post{id: id, author: conversation.Author{Kind: conversation.AuthorCustomer}, kind: conversation.EventMessage, clientID: clientID, text: text},
		func(tx store.Tx, c conversation.Conversation, save func(conversation.Change) error) (conversation.Event, error) {
			id = c.ID
			key, err := scoped(tx, of, id, clientID)
			if err != nil {
				return conversation.Event{}, err
			}
			return t.write(tx, c, key, text, save)
		})
	if err == nil {
		t.overtake(ctx, id)
	}
	return e, err
}

// post is a text that somebody sends under an id of their own.
type post struct {
	id       string
	author   conversation.Author
	kind     conversation.EventType
	clientID string
	text     string
}

func (p post) check() error {
	switch {
	case strings.TrimSpace(p.text) == "":
		return &Invalid{"text", "is empty; send the message's text"}
	case len(p.text) > MaxText:
		return &Invalid{"text", fmt.Sprintf("has %d bytes; at most %d are taken", len(p.text), MaxText)}
	case !utf8.ValidString(p.text):
		return &Invalid{"text", "is not valid UTF-8; encode it anew"}
	case strings.ContainsRune(p.clientID, 0):
		return &Invalid{"id", "has the character U+0000; leave it out"}
	case p.clientID == "" || len(p.clientID) > MaxClientID || !utf8.ValidString(p.clientID):
		return &Invalid{"id", fmt.Sprintf("give the message an id of your own, 1 to %d bytes, and the same one when you repeat it", MaxClientID)}
	}
	return nil
}

// post saves one text once: a repeated one is recognised by its sender's id, also in what was merged since. do gets the
// conversation that goes on. Who repeats theirs may not have been told of the first commit, nor this process: the answer
// that is owed is looked for.
func (t *Tenant) post(ctx context.Context, p post, do func(store.Tx, conversation.Conversation, func(conversation.Change) error) (conversation.Event, error)) (out conversation.Event, err error) {
	if err := p.check(); err != nil {
		return out, err
	}
	var repeated conversation.Conversation
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		chain, err := goesOn(tx, p.id)
		if err != nil {
			return err
		}
		repeated = conversation.Conversation{}
		for _, c := range chain {
			key, err := p.key(tx, c.ID)
			if err != nil {
				return err
			}
			before, ok, err := tx.EventByClientID(c.ID, p.author.Kind, key)
			if err != nil {
				return err
			}
			if ok {
				out, repeated = before, chain[len(chain)-1]
				return p.repeats(before)
			}
		}
		out, err = do(tx, chain[len(chain)-1], save)
		return err
	})
	t.answerIfOwed(repeated)
	return out, err
}

// key is what the text's id is in a conversation that the one it was sent to goes on in.
func (p post) key(r store.Reader, in string) (string, error) {
	if p.author.Kind != conversation.AuthorCustomer {
		return p.clientID, nil
	}
	return scoped(r, p.id, in, p.clientID)
}

// repeats checks that a text whose id was used before is the same one.
func (p post) repeats(before conversation.Event) error {
	if before.Text != p.text || before.Type != p.kind || p.author.Kind == conversation.AuthorAgent && before.Author.ID != p.author.ID {
		return &Invalid{"id", fmt.Sprintf("%q was used for another text; give each message an id of its own", clip(p.clientID))}
	}
	return nil
}

// once saves one transition whose last event is what was posted.
func once(move func(conversation.Conversation, time.Time) (conversation.Change, error)) func(store.Tx, conversation.Conversation, func(conversation.Change) error) (conversation.Event, error) {
	return func(tx store.Tx, c conversation.Conversation, save func(conversation.Change) error) (conversation.Event, error) {
		now, err := tx.Now()
		if err != nil {
			return conversation.Event{}, err
		}
		change, err := move(c, now)
		if err != nil {
			return conversation.Event{}, err
		}
		return change.Events[len(change.Events)-1], save(change)
	}
}

// Events returns up to limit events of a conversation after a sequence number, in order, as the customer may see them.
// next is the sequence number to go on from; more says that there are more to read now.
func (t *Tenant) Events(ctx context.Context, id string, after int64, limit int) (events []conversation.Event, next int64, more bool, err error) {
	all, err := t.Log(ctx, id, after, limit)
	if err != nil {
		return nil, after, false, err
	}
	next = after
	for _, e := range all {
		next = e.Seq
		if shown, ok := e.ForCustomer(); ok {
			events = append(events, shown)
		}
	}
	return events, next, len(all) == limit, nil
}

// Log returns up to limit events of a conversation after a sequence number, in order, as agents see them.
func (t *Tenant) Log(ctx context.Context, id string, after int64, limit int) (events []conversation.Event, err error) {
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		events, err = r.Events(id, after, limit)
		return err
	})
	return events, err
}

// Follow wakes the caller when there may be something new in a conversation: events to read, or a Partial.
func (t *Tenant) Follow(id string) *Follower { return t.hub.follow(id) }
