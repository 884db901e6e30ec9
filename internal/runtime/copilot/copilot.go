// Package copilot answers a customer's message from the Copilot's knowledge, or through a language model that is given
// the knowledge, and streams the answer in pieces.
//
// It decides nothing about handoffs: it reports whether the message was understood and whether the model failed, and
// its caller decides. Nothing here blocks longer than the model's timeout.
package copilot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

// Author says who wrote a message.
type Author string

// The authors of a conversation's messages.
const (
	Customer Author = "customer"
	AI       Author = "ai"
	Agent    Author = "agent"
)

// Message is one message of the conversation.
type Message struct {
	Author Author
	Text   string
}

// Request is one turn to answer.
type Request struct {
	// Messages of the context window, oldest first; the last one is the customer's newest.
	Messages []Message
	// Language of the customer as a tag such as "de" or "de-AT". Empty means the Copilot's language.
	Language string
	// Background is a summary of an earlier part that a human handled. It may be empty.
	Background string
}

// Source says where in the knowledge an answer comes from.
type Source struct {
	// Name of the knowledge source, as the Copilot's manifest calls it.
	Name string
	// Document is the key in the source's ConfigMap.
	Document string
	// Heading is the path of headings down to the section, joined by " > ". Empty where the document has none.
	Heading string
}

// Answer is the outcome of a turn.
type Answer struct {
	// Text of the answer: what was given to emit, joined. Empty when not Understood.
	Text string
	// Sources that the answer comes from; of a model's answer the sections it was given that fit the question.
	Sources []Source
	// Understood is false when there is no answer; the caller chooses what the customer is told.
	Understood bool
	// Confidence in [0,1]: how much of the question the best section of the knowledge covers; 1 for a greeting.
	Confidence float64
	// ModelFailed is true when a model is set, failed, and the knowledge had no answer instead. With Text it means that
	// the answer is incomplete, and Answer returns an *InterruptedError too.
	ModelFailed bool
}

// InterruptedError is returned when the model failed after a part of its answer was emitted. The Answer returned with
// it holds that part.
type InterruptedError struct {
	// Err is why the model stopped.
	Err error
}

func (e *InterruptedError) Error() string {
	return "model stopped in the middle of its answer: " + e.Err.Error()
}

// Unwrap returns why the model stopped.
func (e *InterruptedError) Unwrap() error { return e.Err }

// Config is what a Copilot is made of.
type Config struct {
	// Table of the Copilot. Required.
	Table *routing.Table
	// Knowledge holds the documents: name of the ConfigMap → key → text. A ConfigMap that is missing here is logged and
	// left out, since a handoff needs no knowledge.
	Knowledge map[string]map[string]string
	// APIKey for the model. Empty sends none.
	APIKey string
	// HTTPClient for the model. Nil means one on http.DefaultTransport. Its Timeout should be zero: the table's counts.
	HTTPClient *http.Client
	// Logger, or nil for none. No message's text and no key is ever logged.
	Logger *slog.Logger
	// Metrics made by NewMetrics, or nil for none. It outlives the Copilot, which is made anew for each table.
	Metrics *Metrics
}

// Copilot answers messages. It is safe for concurrent use and needs no closing.
type Copilot struct {
	language  string
	knowledge *knowledge
	model     *model // nil where the Copilot has none
	log       *slog.Logger
}

// New reads the knowledge and makes a Copilot. It opens no connection.
func New(c Config) (*Copilot, error) {
	if c.Table == nil {
		return nil, errors.New("make copilot: no routing table")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(nil)
	}
	t := c.Table.Copilot
	log := c.Logger.With("copilot", t.Namespace+"/"+t.Name)
	bot := &Copilot{language: baseLanguage(t.Language), log: log}
	bot.knowledge = newKnowledge(readSources(t.Knowledge, c.Knowledge, log))
	bot.knowledge.index(bot.language)
	if t.Model != nil {
		m, err := newModel(*t.Model, t.DisplayName, t.Instructions, c)
		if err != nil {
			return nil, fmt.Errorf("make copilot %s/%s: %w", t.Namespace, t.Name, err)
		}
		bot.model = m
	}
	return bot, nil
}

// Answer answers the last message of the request. It calls emit for each piece of text as it comes; an error from emit
// ends the turn at once and is returned, with what was emitted before it as the Answer's Text. The same holds when ctx
// ends. A failing model is no error unless a part of its answer was emitted (*InterruptedError).
func (c *Copilot) Answer(ctx context.Context, req Request, emit func(piece string) error) (Answer, error) {
	if n := len(req.Messages); n == 0 || req.Messages[n-1].Author != Customer {
		return Answer{}, errors.New("answer: the last message of the request is not the customer's")
	}
	if req.Language == "" {
		req.Language = c.language
	}
	hits := c.search(req)
	if c.model == nil {
		return c.fromKnowledge(req, hits, emit)
	}
	answer, err := c.model.answer(ctx, req, hits, emit)
	var failed *modelError
	if !errors.As(err, &failed) {
		return answer, err
	}
	c.log.WarnContext(ctx, "model failed", "outcome", failed.outcome, "status", failed.status, "code", failed.code,
		"emitted", answer.Text != "")
	if answer.Text != "" {
		answer.ModelFailed = true
		return answer, &InterruptedError{Err: failed}
	}
	answer, err = c.fromKnowledge(req, hits, emit)
	answer.ModelFailed = !answer.Understood
	return answer, err
}

// search looks the customer's newest message up in the customer's language and in the Copilot's, because the customer's
// is a guess and the knowledge is often written in one language only. It returns the better result, best hit first.
func (c *Copilot) search(req Request) []hit {
	text := req.Messages[len(req.Messages)-1].Text
	hits := c.knowledge.index(c.language).search(text, promptSections)
	if lang := baseLanguage(req.Language); lang != c.language {
		if other := c.knowledge.index(lang).search(text, promptSections); confidence(other) > confidence(hits) {
			return other
		}
	}
	return hits
}

// fromKnowledge answers with the best section if it is good enough, and greetings with a greeting.
func (c *Copilot) fromKnowledge(req Request, hits []hit, emit func(string) error) (Answer, error) {
	answer := Answer{Confidence: confidence(hits)}
	text := ""
	if reply, ok := smallTalk(req.Messages[len(req.Messages)-1].Text, req.Language); ok {
		text, answer.Confidence = reply, 1
	} else if answer.Confidence >= threshold {
		text, answer.Sources = hits[0].text, []Source{hits[0].source()}
	} else {
		return answer, nil
	}
	if err := emit(text); err != nil {
		return Answer{}, fmt.Errorf("emit answer from knowledge: %w", err)
	}
	answer.Text, answer.Understood = text, true
	return answer, nil
}
