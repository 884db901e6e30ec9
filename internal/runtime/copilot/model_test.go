package copilot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	inFAQ    = "How long does delivery take?"
	notInFAQ = "Is the sofa comfortable?"
	long     = time.Hour // a timeout that never passes
)

var deliverySource = []Source{{Name: "faq", Document: "faq.md", Heading: "Delivery > How long does delivery take?"}}

func TestModel(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		scripts  []script
		ask      string
		want     []string // pieces
		answer   Answer   // Text and Confidence are checked otherwise
		cut      bool     // *InterruptedError
		outcome  string
		attempts int
	}{
		"streams": {
			scripts: []script{says("Three ", "working", " days.")}, ask: inFAQ, want: []string{"Three ", "working", " days."},
			answer: Answer{Understood: true, Sources: deliverySource}, outcome: outcomeAnswered, attempts: 1,
		},
		"chunks without choices": {
			scripts: []script{send(`data: {"id":"1","choices":[]}`+"\n\n", chunk("Yes.", ""), chunk("", "stop"), "data: [DONE]\n\n")},
			ask:     notInFAQ, want: []string{"Yes."}, answer: Answer{Understood: true}, outcome: outcomeAnswered, attempts: 1,
		},
		"at its limit of tokens": {
			scripts: []script{send(chunk("A long", ""), chunk("", "length"))}, ask: notInFAQ, want: []string{"A long"},
			answer: Answer{Understood: true}, outcome: outcomeAnswered, attempts: 1,
		},
		"cannot answer, split over chunks": {
			scripts: []script{says(" ", "[[N", "O_ANS", "WER]", "]", " Sorry.")}, ask: inFAQ, outcome: outcomeNoAnswer, attempts: 1,
		},
		"cannot answer, in quotes": {
			scripts: []script{says("\"`[[NO_ANSWER]]`\"")}, ask: inFAQ, outcome: outcomeNoAnswer, attempts: 1,
		},
		"begins like the marker": {
			scripts: []script{says("[[NO", "TE]] \"Yes\"", " [", "1]", " [[NO_ANSWER]]")}, ask: notInFAQ,
			want: []string{"[[NOTE]] \"Yes\"", " ", "[1]", " "}, answer: Answer{Understood: true}, outcome: outcomeAnswered, attempts: 1,
		},
		"ends in what may be the marker": {
			scripts: []script{says("See [")}, ask: notInFAQ, want: []string{"See ", "["}, answer: Answer{Understood: true},
			outcome: outcomeAnswered, attempts: 1,
		},
		"cut stream": {
			scripts: []script{send(chunk("Three ", ""), chunk("wor", ""))}, ask: inFAQ, want: []string{"Three ", "wor"}, cut: true,
			answer: Answer{Understood: true, ModelFailed: true, Sources: deliverySource}, outcome: outcomeCut, attempts: 1,
		},
		"done without a finish_reason": {
			scripts: []script{send(chunk("Three ", ""), "data: [DONE]\n\n")}, ask: inFAQ, want: []string{"Three "}, cut: true,
			answer: Answer{Understood: true, ModelFailed: true, Sources: deliverySource}, outcome: outcomeCut, attempts: 1,
		},
		"error chunk": {
			scripts: []script{send(`data: {"error":{"message":"overloaded","type":"server_error"}}`+"\n\n", "data: [DONE]\n\n")}, ask: notInFAQ,
			answer: Answer{ModelFailed: true}, outcome: outcomeServerError, attempts: 1,
		},
		"error chunk, with a space": {
			scripts: []script{send(chunk("Thr", ""), `data: { "error": {"message":"overloaded","type":"server_error"}}`+"\n\n", "data: [DONE]\n\n")},
			ask:     inFAQ, want: []string{"Thr"}, cut: true,
			answer: Answer{Understood: true, ModelFailed: true, Sources: deliverySource}, outcome: outcomeCut, attempts: 1,
		},
		"stopped by a filter": {
			scripts: []script{send(chunk("", "content_filter"))}, ask: notInFAQ, answer: Answer{ModelFailed: true},
			outcome: outcomeInvalid, attempts: 1,
		},
		"empty answer": {
			scripts: []script{says(" ", "\n")}, ask: notInFAQ, answer: Answer{ModelFailed: true}, outcome: outcomeInvalid, attempts: 1,
		},
		"busy, then answers": {
			scripts: []script{status(429, "Retry-After", "0"), status(503, "Retry-After", "0"), says("Yes.")}, ask: notInFAQ,
			want: []string{"Yes."}, answer: Answer{Understood: true}, outcome: outcomeAnswered, attempts: 3,
		},
		"busy until the attempts are used up": {
			scripts: []script{status(429, "Retry-After", "0")}, ask: notInFAQ, answer: Answer{ModelFailed: true},
			outcome: outcomeRateLimited, attempts: maxAttempts,
		},
		"wrong key": {
			scripts: []script{status(401)}, ask: notInFAQ, answer: Answer{ModelFailed: true}, outcome: outcomeUnauthorized, attempts: 1,
		},
		"wrong model": {
			scripts: []script{status(404)}, ask: notInFAQ, answer: Answer{ModelFailed: true}, outcome: outcomeRefused, attempts: 1,
		},
		"not a model at all": {
			scripts: []script{send(strings.Repeat("<p>It works!</p>\n", 400))}, ask: notInFAQ, answer: Answer{ModelFailed: true},
			outcome: outcomeInvalid, attempts: 1,
		},
		"broken JSON": {
			scripts: []script{send("data: {\"choices\":[{]\n\n")}, ask: notInFAQ, answer: Answer{ModelFailed: true}, outcome: outcomeInvalid, attempts: 1,
		},
		"failed, but the knowledge answers": {
			scripts: []script{status(401)}, ask: inFAQ, want: []string{"Orders arrive within three working days."},
			answer: Answer{Understood: true, Sources: deliverySource}, outcome: outcomeUnauthorized, attempts: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, reg := newStandIn(t, test.scripts...), prometheus.NewRegistry()
			var pieces []string
			got, err := server.withModel(t, NewMetrics(reg)).Answer(t.Context(), ask(test.ask), func(piece string) error {
				pieces = append(pieces, piece)
				return nil
			})
			var cut *InterruptedError
			if errors.As(err, &cut) != test.cut || !test.cut && err != nil {
				t.Errorf("error %v, want an interrupted answer: %v", err, test.cut)
			}
			if diff := cmp.Diff(test.want, pieces); diff != "" {
				t.Errorf("pieces (-want +got):\n%s", diff)
			}
			test.answer.Text, test.answer.Confidence = strings.Join(test.want, ""), got.Confidence
			if diff := cmp.Diff(test.answer, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]float64{test.outcome: 1}, outcomes(t, reg)); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
			if server.attempts() != test.attempts {
				t.Errorf("%d attempts, want %d", server.attempts(), test.attempts)
			}
		})
	}
}

// outcomes reads handoff_model_requests_total, and checks that as many durations were observed.
func outcomes(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts, total, observed := map[string]float64{}, 0.0, 0.0
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "handoff_model_requests_total" {
				counts[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
				total += m.GetCounter().GetValue()
			}
			observed += float64(m.GetHistogram().GetSampleCount())
		}
	}
	if total != observed {
		t.Errorf("%v requests, %v durations", total, observed)
	}
	return counts
}

func TestModelIsNotThere(t *testing.T) {
	t.Parallel()
	server, reg := newStandIn(t, silence), prometheus.NewRegistry()
	bot := server.withModel(t, NewMetrics(reg))
	server.Close()
	got, err := bot.Answer(t.Context(), ask(notInFAQ), func(string) error { return nil })
	if err != nil || !got.ModelFailed || outcomes(t, reg)[outcomeUnreachable] != 1 {
		t.Errorf("answer %+v, error %v", got, err)
	}
}

// TestCutTurn ends the turn while the model speaks, by emit and by the context: the server sees the client go, nothing
// more is emitted, and it is not the model's failure.
func TestCutTurn(t *testing.T) {
	t.Parallel()
	taken := errors.New("taken over")
	for name, want := range map[string]error{"emit": taken, "context": context.Canceled} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			server := newStandIn(t, then(send(chunk("Three", "")), send(chunk(" working", "")), silence,
				func(http.ResponseWriter, *http.Request) { close(gone) }))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var emitted []string
			reg := prometheus.NewRegistry()
			got, err := server.withModel(t, NewMetrics(reg)).Answer(ctx, ask(inFAQ), func(piece string) error {
				if len(emitted) == 1 && name == "emit" {
					return taken
				}
				if emitted = append(emitted, piece); len(emitted) == 2 {
					cancel()
				}
				return nil
			})
			<-gone
			if !errors.Is(err, want) || got.ModelFailed || got.Text != strings.Join(emitted, "") {
				t.Errorf("answer %+v, emitted %q, error %v", got, emitted, err)
			}
			if outcomes(t, reg)[outcomeCanceled] != 1 {
				t.Error("not counted as canceled")
			}
		})
	}
}

// TestEndlessLine has a server that never ends its line: what is read of it is bounded.
func TestEndlessLine(t *testing.T) {
	t.Parallel()
	server := newStandIn(t, func(w http.ResponseWriter, _ *http.Request) {
		junk := bytes.Repeat([]byte("data: x"), 10000)
		for {
			if _, err := w.Write(junk); err != nil {
				return
			}
		}
	})
	got, err := server.withModel(t, nil).Answer(t.Context(), ask(notInFAQ), func(string) error { return nil })
	if err != nil || !got.ModelFailed {
		t.Errorf("answer %+v, error %v", got, err)
	}
}

// TestNothingSecretIsLogged looks for the key, which the server repeats, and for the customer's words in log and errors.
func TestNothingSecretIsLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	server := newStandIn(t, then(send(chunk("Sofas", "")), send(`data: {"error":{"message":"sk-secret"}}`+"\n\n", "\n")), status(401))
	bot, err := New(Config{Table: newTable(server.URL+"/v1", long), APIKey: "sk-secret", HTTPClient: server.Client(),
		Logger: slog.New(slog.NewTextHandler(io.Writer(&log), &slog.HandlerOptions{Level: slog.LevelInfo}))})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := bot.Answer(t.Context(), ask(notInFAQ), func(string) error { return nil }); err != nil {
			log.WriteString(err.Error())
		}
	}
	if s := strings.ToLower(log.String()); strings.Contains(s, "sk-secret") || strings.Contains(s, "sofa") || !strings.Contains(s, "status=401") {
		t.Errorf("log: %s", log.String())
	}
}
