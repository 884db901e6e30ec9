package copilot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/opencopilot/handoff-operator/internal/routing"
)

const (
	// answerTokens bounds an answer; a support answer has a few hundred. reasoningTokens bounds one of a model whose
	// thoughts count too.
	answerTokens    = 1024
	reasoningTokens = 8192
	// maxKeepAlives is how many lines that are no event may come between two events: servers send comments while they
	// think, a few a second, and the timeout ends it.
	maxKeepAlives = 1 << 16
)

// model asks an OpenAI-compatible server for answers.
type model struct {
	client       *openai.Client
	name         string
	timeout      time.Duration
	botName      string
	instructions string
	metrics      *Metrics
}

// modelError says how the model failed, in words that are safe to log: never what the server wrote as a message, which
// may hold a part of the key or of the conversation.
type modelError struct {
	outcome string // of the metric
	status  int    // HTTP status, 0 for none
	code    string // the server's short code or type of the error, if it gave one
	err     error
}

func (e *modelError) Error() string {
	if e.status != 0 {
		return fmt.Sprintf("model: %s (HTTP status %d)", e.outcome, e.status)
	}
	return "model: " + e.outcome
}

func (e *modelError) Unwrap() error { return e.err }

func newModel(m routing.Model, botName, instructions string, c Config) (*model, error) {
	base, err := url.Parse(m.BaseURL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("model.baseURL %q is not an absolute URL, such as https://api.openai.com/v1", m.BaseURL)
	}
	if m.Timeout.Duration <= 0 {
		return nil, fmt.Errorf("model.timeout is %s, must be above zero", m.Timeout.Duration)
	}
	client := c.HTTPClient
	if client == nil {
		client = &http.Client{}
	}
	config := openai.DefaultConfig(strings.TrimSpace(c.APIKey))
	config.BaseURL = strings.TrimRight(m.BaseURL, "/")
	config.EmptyMessagesLimit = maxKeepAlives
	config.HTTPClient = retrier{client: client}
	return &model{client: openai.NewClientWithConfig(config), name: m.Name, timeout: m.Timeout.Duration,
		botName: botName, instructions: instructions, metrics: c.Metrics}, nil
}

// answer streams the model's answer. It returns a *modelError when the model failed, with what was emitted as Text, and
// the error of emit or ctx when the turn was cut.
func (m *model) answer(parent context.Context, req Request, hits []hit, emit func(string) error) (Answer, error) {
	ctx, cancel := context.WithTimeout(parent, m.timeout)
	defer cancel()
	began := time.Now()
	out := &release{emit: emit}
	err := m.stream(ctx, req, hits, out)
	outcome := outcomeAnswered
	var failed *modelError
	switch {
	case out.emitErr != nil:
		outcome, err = outcomeCanceled, fmt.Errorf("emit the model's answer: %w", out.emitErr)
	case err != nil && parent.Err() != nil:
		outcome, err = outcomeCanceled, fmt.Errorf("answer through the model: %w", parent.Err())
	case err != nil:
		failed = classify(ctx, err)
		outcome, err = failed.outcome, failed
	case out.noAnswer:
		outcome = outcomeNoAnswer
	}
	m.metrics.observe(outcome, time.Since(began))
	answer := Answer{Text: out.text.String(), Confidence: confidence(hits)}
	if answer.Text != "" {
		answer.Understood, answer.Sources = true, fitting(hits)
	}
	return answer, err
}

// stream reads one answer into out. It returns nil only after a finish_reason, since a stream that was cut ends in
// io.EOF like any other.
func (m *model) stream(ctx context.Context, req Request, hits []hit, out *release) error {
	stream, err := m.client.CreateChatCompletionStream(ctx, m.request(req, hits))
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	for events := 0; ; events++ {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) && events == 0 {
			return fmt.Errorf("%w: no event in it", errInvalid)
		}
		if err != nil {
			return err
		}
		if len(chunk.Choices) == 0 {
			continue // usage, or a filter's verdict on the prompt
		}
		choice := chunk.Choices[0]
		if err := out.write(choice.Delta.Content); err != nil || out.noAnswer {
			return err
		}
		if choice.FinishReason != "" {
			return finish(choice.FinishReason, out)
		}
	}
}

// finish judges a complete answer. One that reached its limit of tokens is taken as it is.
func finish(reason openai.FinishReason, out *release) error {
	switch reason {
	case openai.FinishReasonStop, openai.FinishReasonLength:
	default:
		return fmt.Errorf("%w: finish_reason %q", errInvalid, reason)
	}
	if err := out.close(); err != nil {
		return err
	}
	if out.text.Len() == 0 && !out.noAnswer {
		return fmt.Errorf("%w: empty answer", errInvalid)
	}
	return nil
}

func (m *model) request(req Request, hits []hit) openai.ChatCompletionRequest {
	r := openai.ChatCompletionRequest{
		Model:    m.name,
		Messages: chat(systemPrompt(m.botName, m.instructions, req, hits), req.Messages),
	}
	if reasons(m.name) {
		r.MaxCompletionTokens = reasoningTokens
	} else {
		r.MaxTokens = answerTokens //nolint:staticcheck // deprecated by OpenAI, but what other servers know
	}
	return r
}

// reasons is true for OpenAI's models that refuse max_tokens.
func reasons(name string) bool {
	for _, prefix := range []string{"gpt-5", "gpt-6", "o1", "o3", "o4"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// fitting returns the sources of the sections that would have answered the question by themselves.
func fitting(hits []hit) []Source {
	var out []Source
	for _, h := range hits {
		if h.confidence >= threshold {
			out = append(out, h.source())
		}
	}
	return out
}

// errInvalid is an answer that no compatible server gives, or one without content.
var errInvalid = errors.New("invalid answer")

func classify(ctx context.Context, err error) *modelError {
	failed := &modelError{outcome: outcomeInvalid, err: err}
	var api *openai.APIError
	var request *openai.RequestError
	var netErr *url.Error
	switch {
	case ctx.Err() != nil:
		failed.outcome = outcomeTimeout
	case errors.As(err, &api):
		failed.status, failed.code = api.HTTPStatusCode, shortCode(api)
		failed.outcome = ofStatus(api.HTTPStatusCode)
	case errors.As(err, &request):
		failed.status, failed.outcome = request.HTTPStatusCode, ofStatus(request.HTTPStatusCode)
	case errors.As(err, &netErr):
		failed.outcome = outcomeUnreachable
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		failed.outcome = outcomeCut
	}
	return failed
}

// ofStatus maps a status to an outcome; 0 is an error inside a stream that began well.
func ofStatus(status int) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return outcomeUnauthorized
	case status == http.StatusTooManyRequests:
		return outcomeRateLimited
	case status == 0, status >= 500:
		return outcomeServerError
	}
	return outcomeRefused
}

func shortCode(e *openai.APIError) string {
	code, ok := e.Code.(string)
	if !ok || code == "" {
		code = e.Type
	}
	if len(code) > 64 {
		return ""
	}
	return code
}
