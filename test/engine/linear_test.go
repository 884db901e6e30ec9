package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
	"github.com/opencopilot/handoff-operator/test/engine"
)

// request is what an agent asks of a conversation: accept, takeover, return, or to read who owns it.
type request struct{ agent, move string }

// answer is what came of it. owner is the agent who owns the conversation then, or empty for the AI or the queue.
type answer struct {
	done, refused bool
	owner         string
	// unknown: the connection broke, or the outcome of the commit was not known.
	unknown bool
}

// held is who owns a conversation, as far as agents see it: an agent, or nobody for the AI and the queue, which change
// hands by themselves; and how often it was given back.
type held struct {
	owner   string
	returns int
}

// ownership is the register of one conversation. Whether somebody has an offer to accept is not known to it.
var ownership = porcupine.NondeterministicModel{
	Init: func() []any { return []any{held{}} },
	Step: func(state, input, output any) []any {
		before, in, out := state.(held), input.(request), output.(answer)
		moved, may := next(before, in)
		switch {
		case out.unknown && may:
			return []any{before, moved}
		case out.unknown:
			return []any{before}
		case out.refused && (!may || in.move == "accept"):
			return []any{before}
		case out.done && may && out.owner == moved.owner:
			return []any{moved}
		}
		return nil
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
}

// next returns what becomes of a conversation by a request, and whether it may be granted.
func next(before held, in request) (held, bool) {
	mine := before.owner == in.agent
	switch in.move {
	case "read":
		return before, true
	case "return":
		return held{"", before.returns + 1}, mine && before.returns < conversation.MaxReturns
	default: // accept and takeover, both of which may be repeated
		return held{in.agent, before.returns}, before.owner == "" || mine
	}
}

// history are the requests to one conversation with their answers.
type history struct {
	mu  sync.Mutex
	ops []porcupine.Operation
}

func (h *history) do(client int, in request, ask func() (conversation.Conversation, error)) error {
	call := time.Now().UnixNano()
	c, err := ask()
	op := porcupine.Operation{ClientId: client, Input: in, Call: call, Return: time.Now().UnixNano()}
	var status *engine.Status
	switch {
	case err == nil:
		out := answer{done: true}
		if c.Owner.Kind == conversation.OwnerAgent {
			out.owner = c.Owner.ID
		}
		op.Output = out
	case errors.As(err, &status) && status.Code == http.StatusConflict:
		op.Output = answer{refused: true}
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil // nobody was asked
	case !errors.As(err, &status) || status.Code == http.StatusServiceUnavailable:
		op.Output, op.Return = answer{unknown: true}, math.MaxInt64 // it may happen at any time after
	default:
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
	return nil
}

// Agents claim one conversation, take it over and give it back on four replicas at once, while the customer asks for a human
// and replicas are killed: whatever was answered could have been answered by one machine, in some order of its own.
func TestClaimsAndTakeoversAreLinearizable(t *testing.T) {
	t.Parallel()
	runs := 10
	if os.Getenv("SOAK") != "" {
		runs = 2000
	}
	agents := []string{"a0", "a1", "a2"}
	f := engine.New(t, engine.Options{Table: Table(len(agents), 1000), Replicas: 4})
	tokens := make([]string, len(agents))
	for i, a := range agents {
		tokens[i] = must[string](t)(f.Replicas[i].SignIn(t.Context(), a))
		if err := f.Replicas[i].Presence(t.Context(), tokens[i], "online"); err != nil {
			t.Fatal(err)
		}
	}
	total, granted := 0, map[string]int{}
	for run := range runs {
		ops := claims(t, f, agents, tokens, rand.New(rand.NewPCG(uint64(run), 1)), run%5 == 4) //nolint:gosec // a run's number
		for _, op := range ops {
			if op.Output.(answer).done {
				granted[op.Input.(request).move]++
			}
		}
		total += len(ops)
		if result := porcupine.CheckOperationsTimeout(ownership.ToModel(), ops, time.Minute); result != porcupine.Ok {
			slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
			for _, op := range ops {
				t.Logf("%d %d–%d %s", op.ClientId, op.Call, op.Return, ownership.DescribeOperation(op.Input, op.Output))
			}
			t.Fatalf("run %d: %s", run, result)
		}
	}
	t.Logf("%d runs, %d requests, granted %v", runs, total, granted)
	for _, move := range []string{"accept", "takeover", "return"} {
		if granted[move] == 0 {
			t.Errorf("no %s was granted: the test does not reach what it is for", move)
		}
	}
}

// claims plays one conversation and returns all that was asked and answered.
func claims(t *testing.T, f *engine.Fleet, agents, tokens []string, r *rand.Rand, kill bool) []porcupine.Operation {
	t.Helper()
	c := must[engine.Customer](t)(f.Replicas[0].Open(t.Context()))
	h := &history{}
	ctx, cancel := context.WithTimeout(t.Context(), engine.Patience)
	defer cancel()
	var playing sync.WaitGroup
	playing.Go(func() {
		for i := range 3 {
			_, _ = f.Replicas[i].Say(ctx, c, fmt.Sprint("m", i), Human) // what comes of it is seen by who claims it
		}
	})
	moves := []string{"accept", "accept", "takeover", "return", "return", "read"}
	for client := range 2 * len(agents) {
		seed := r.Uint64()
		playing.Go(func() {
			r := rand.New(rand.NewPCG(seed, 2))
			for range 6 {
				i := client % len(agents)
				in := request{Email(agents[i]), moves[r.IntN(len(moves))]}
				at := f.Replicas[r.IntN(len(f.Replicas))]
				err := h.do(client, in, func() (conversation.Conversation, error) {
					if in.move == "read" {
						return at.Read(ctx, tokens[i], c.ID)
					}
					return at.Move(ctx, tokens[i], c.ID, in.move)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	if kill {
		victim := f.Replicas[1+r.IntN(len(f.Replicas)-1)]
		victim.Kill()
		victim.Start()
	}
	playing.Wait()
	return h.ops
}
