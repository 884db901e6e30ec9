package copilot

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// speaker writes the body of a response, in the fake time of synctest.
type speaker func(w io.Writer, gone <-chan struct{})

// answers makes a client whose server sends headers after headersAfter and then lets body speak. The body breaks when the
// request ends, as that of a real connection does.
func answers(headersAfter time.Duration, body speaker) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(headersAfter):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		out, in := io.Pipe()
		go func() {
			body(in, r.Context().Done())
			if err := r.Context().Err(); err != nil {
				_ = in.CloseWithError(err)
			}
			_ = in.Close()
		}()
		go func() { <-r.Context().Done(); _ = in.CloseWithError(r.Context().Err()) }()
		return &http.Response{StatusCode: http.StatusOK, Body: out, Header: http.Header{}}, nil
	})}
}

// TestTimeout has the timeout of the table, a minute, cover the whole call.
func TestTimeout(t *testing.T) {
	t.Parallel()
	const second = time.Second
	for name, test := range map[string]struct {
		headersAfter time.Duration
		body         speaker
		want         Answer
		cut          bool
		took         time.Duration
		outcome      string
	}{
		"silent": {
			headersAfter: time.Hour, want: Answer{ModelFailed: true}, took: 60 * second, outcome: outcomeTimeout,
		},
		"silent after its headers": {
			headersAfter: 20 * second, body: func(w io.Writer, gone <-chan struct{}) { _, _ = io.WriteString(w, ": hello\n\n"); <-gone },
			want: Answer{ModelFailed: true}, took: 60 * second, outcome: outcomeTimeout,
		},
		"keeps alive without an answer": {
			body: func(w io.Writer, gone <-chan struct{}) {
				for {
					_, _ = io.WriteString(w, ": keep-alive\n\n")
					select {
					case <-time.After(second / 10):
					case <-gone:
						return
					}
				}
			},
			want: Answer{ModelFailed: true}, took: 60 * second, outcome: outcomeTimeout,
		},
		"silent in the middle": {
			body: func(w io.Writer, gone <-chan struct{}) { _, _ = io.WriteString(w, chunk("Yes", "")); <-gone },
			want: Answer{Text: "Yes", Understood: true, ModelFailed: true}, cut: true, took: 60 * second, outcome: outcomeTimeout,
		},
		"slow first token": {
			headersAfter: 20 * second, body: func(w io.Writer, _ <-chan struct{}) {
				<-time.After(39 * second)
				_, _ = io.WriteString(w, chunk("Yes", "stop"))
			},
			want: Answer{Text: "Yes", Understood: true}, took: 59 * second, outcome: outcomeAnswered,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				reg, began, text := prometheus.NewRegistry(), time.Now(), ""
				bot := newTestCopilot(t, Config{Table: newTable("http://model.example/v1", time.Minute),
					HTTPClient: answers(test.headersAfter, test.body), Metrics: NewMetrics(reg)})
				got, err := bot.Answer(t.Context(), ask(notInFAQ), func(piece string) error { text += piece; return nil })
				var cut *InterruptedError
				if errors.As(err, &cut) != test.cut || !test.cut && err != nil {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(test.want, got); diff != "" || text != got.Text {
					t.Errorf("emitted %q, answer (-want +got):\n%s", text, diff)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("took %s of fake time, want %s", took, test.took)
				}
				if diff := cmp.Diff(map[string]float64{test.outcome: 1}, outcomes(t, reg)); diff != "" {
					t.Errorf("metrics (-want +got):\n%s", diff)
				}
			})
		})
	}
}
