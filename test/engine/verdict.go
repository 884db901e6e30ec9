package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/opencopilot/handoff-operator/internal/runtime/audit"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/export"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Promise is something that a customer or an agent was told is done: a message was taken, or an agent got a conversation.
type Promise struct {
	Conversation string
	// Author, ClientID and Text are those of a message.
	Author   conversation.AuthorKind
	ClientID string
	Text     string
	// Agent got the conversation, which had this epoch then.
	Agent string
	Epoch int64
}

func (p Promise) String() string {
	if p.Agent != "" {
		return fmt.Sprintf("%s has %s at epoch %d", p.Agent, p.Conversation, p.Epoch)
	}
	return fmt.Sprintf("the %s's message %s to %s was taken", p.Author, p.ClientID, p.Conversation)
}

// Promises is what everybody was told. The zero value is ready; it may be used by many at once.
type Promises struct {
	mu  sync.Mutex
	all []Promise
}

// Add notes one.
func (p *Promises) Add(one Promise) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, one)
}

// All returns those made so far.
func (p *Promises) All() []Promise {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[:len(p.all):len(p.all)]
}

// Verdict is what is found in the fleet's database, as of one instant.
type Verdict struct {
	Logs       map[string]audit.Log
	Violations []audit.Violation
}

// Judge reads the database as kubectl-handoff audit does, while the fleet runs or not.
func (f *Fleet) Judge(ctx context.Context, dsn string) (v Verdict, err error) {
	s, err := store.OpenPostgres(ctx, store.PostgresOptions{DSN: dsn, Schema: f.Schema, ReadOnly: true, Timeout: Patience})
	if err != nil {
		return v, err
	}
	v.Logs = map[string]audit.Log{}
	a := &audit.Auditor{}
	into := export.Into(a)
	err = export.Store(ctx, s, func(l export.Line) error {
		if l.Log != nil {
			v.Logs[l.Conversation.ID] = *l.Log
		}
		return into(l)
	})
	v.Violations = a.Result()
	return v, errors.Join(err, s.Close())
}

// Broken returns the promises that were not kept.
func (v Verdict) Broken(all []Promise) (broken []Promise) {
	for _, p := range all {
		if !p.kept(v.Logs[p.Conversation].Events) {
			broken = append(broken, p)
		}
	}
	return broken
}

// kept says whether a log has what was promised, once.
func (p Promise) kept(log []conversation.Event) bool {
	n := 0
	for _, e := range log {
		message := p.Agent == "" && e.ClientID == p.ClientID && e.Author.Kind == p.Author && e.Text == p.Text
		owner := p.Agent != "" && e.Epoch == p.Epoch && e.Owner != nil && *e.Owner == conversation.Owner{Kind: conversation.OwnerAgent, ID: p.Agent}
		if message || owner {
			n++
		}
	}
	return n == 1
}

// Waiting returns the conversations in which somebody waits: a customer for a human or for an answer of the AI.
func (v Verdict) Waiting() (all []conversation.Conversation) {
	for _, l := range v.Logs {
		c := l.Conversation
		if c.Owner.Kind == conversation.OwnerQueue || c.Owner.Kind == conversation.OwnerAI && c.Pending != 0 {
			all = append(all, c)
		}
	}
	return all
}
