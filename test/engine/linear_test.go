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
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
	"github.com/opencopilot/handoff-operator/test/engine"
)

// soak returns the number for a long proof, or the short form's, unless an environment variable has another one.
func soak(t *testing.T, name string, short, long int) int {
	t.Helper()
	if text := os.Getenv(name); text != "" {
		return must[int](t)(strconv.Atoi(text))
	}
	if os.Getenv("SOAK") != "" {
		return long
	}
	return short
}

// history are the requests to one conversation with their answers.
type history struct {
	mu  sync.Mutex
	ops []porcupine.Operation
}

func (h *history) add(op porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
}

func (h *history) do(client int, in engine.Request, ask func() (conversation.Conversation, error)) error {
	call := time.Now().UnixNano()
	c, err := ask()
	op := porcupine.Operation{ClientId: client, Input: in, Call: call, Return: time.Now().UnixNano()}
	var status *engine.Status
	switch {
	case err == nil:
		out := engine.Answer{Done: true, Epoch: c.Epoch}
		if c.Owner.Kind == conversation.OwnerAgent {
			out.Owner = c.Owner.ID
		}
		op.Output = out
	case errors.As(err, &status) && status.Code == http.StatusConflict:
		op.Output = engine.Answer{Refused: true}
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil // nobody was asked
	case !errors.As(err, &status) || status.Code == http.StatusServiceUnavailable:
		op.Output, op.Return = engine.Answer{}, math.MaxInt64 // it may happen at any time after
	default:
		return err
	}
	h.add(op)
	return nil
}

// race is a fleet with agents who all want the same conversations.
type race struct {
	*engine.Fleet
	agents, tokens []string
	// requests, kills and granted count what has happened.
	requests, kills atomic.Int64
	mu              sync.Mutex
	granted         map[string]int
}

// Agents claim conversations, take them over, transfer them and give them back on four replicas at once, while the AI
// answers, the customer asks for a human, and replicas are killed: whatever was answered and shown of a conversation could
// have been so by one machine, in some order of its own.
func TestClaimsAndTakeoversAreLinearizable(t *testing.T) {
	t.Parallel()
	runs := soak(t, "LINEAR_RUNS", 20, 2000)
	table := Table(3, 1000)
	model := NewModel(t, table)
	r := &race{Fleet: engine.New(t, engine.Options{Table: table, Replicas: 4}), agents: []string{"a0", "a1", "a2"}, granted: map[string]int{}}
	stop := make(chan struct{})
	var beside sync.WaitGroup
	beside.Go(func() { talk(model, 20, stop, &beside) })
	r.signIn(t)
	beside.Go(func() { r.disturb(t, stop) })
	defer beside.Wait()
	defer close(stop)
	began := time.Now()
	next := make(chan int)
	var racing sync.WaitGroup
	for range 6 {
		racing.Go(func() {
			for run := range next {
				r.check(t, run)
			}
		})
	}
	for run := range runs {
		if run%100 == 99 {
			t.Logf("%d of %d runs, %d requests, %d kills, %s", run, runs, r.requests.Load(), r.kills.Load(), time.Since(began).Round(time.Second))
		}
		if t.Failed() {
			break
		}
		next <- run
	}
	close(next)
	racing.Wait()
	t.Logf("%d runs, %d requests, %d kills, granted %v, in %s", runs, r.requests.Load(), r.kills.Load(), r.granted, time.Since(began).Round(time.Second))
	for _, move := range []string{"accept", "takeover", "return", "transfer", "say"} {
		if r.granted[move] == 0 {
			t.Errorf("no %s was granted: the test does not reach what it is for", move)
		}
	}
	audited(t, r.Fleet, nil)
}

func (r *race) signIn(t *testing.T) {
	t.Helper()
	for i, a := range r.agents {
		r.tokens = append(r.tokens, must[string](t)(r.Replicas[i].SignIn(t.Context(), a)))
		if err := r.Replicas[i].Presence(t.Context(), r.tokens[i], "online"); err != nil {
			t.Fatal(err)
		}
	}
}

// disturb kills a replica and starts it again, every second or so, and lets agents who let too many offers pass come back.
func (r *race) disturb(t *testing.T, stop <-chan struct{}) {
	t.Helper()
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
		victim := r.Replicas[1+rand.IntN(len(r.Replicas)-1)] //nolint:gosec // which one does not matter
		r.kills.Add(1)
		victim.Kill()
		victim.Start()
		for i := range r.agents {
			var status *engine.Status // a machine that is busy with other things may say: try again; then the next round does
			err := r.Replicas[0].Presence(t.Context(), r.tokens[i], "online")
			if err != nil && (!errors.As(err, &status) || status.Code != http.StatusServiceUnavailable) {
				t.Error(err)
			}
		}
	}
}

// check plays one conversation and looks for an order of what was answered.
func (r *race) check(t *testing.T, run int) {
	t.Helper()
	ops := r.play(t, rand.New(rand.NewPCG(uint64(run), 1)), run%2 == 1) //nolint:gosec // a run's number
	r.mu.Lock()
	for _, op := range ops {
		if op.Output.(engine.Answer).Done {
			r.granted[op.Input.(engine.Request).Move]++
		}
	}
	r.mu.Unlock()
	r.requests.Add(int64(len(ops)))
	if result := porcupine.CheckOperationsTimeout(engine.Ownership.ToModel(), ops, time.Minute); result != porcupine.Ok {
		slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
		for _, op := range ops {
			t.Logf("%d %d–%d %s", op.ClientId, op.Call, op.Return, engine.Ownership.DescribeOperation(op.Input, op.Output))
		}
		t.Errorf("run %d: %s", run, result)
	}
}

// play plays one conversation and returns all that was asked, answered and shown. The agents may let the AI begin.
func (r *race) play(t *testing.T, dice *rand.Rand, polite bool) []porcupine.Operation {
	t.Helper()
	c := must[engine.Customer](t)(r.Replicas[0].Open(t.Context()))
	h := &history{}
	ctx, cancel := context.WithTimeout(t.Context(), engine.Patience)
	defer cancel()
	var playing, watching sync.WaitGroup
	following, unfollow := context.WithCancel(ctx)
	spoken := make(chan struct{})
	watching.Go(func() { r.customer(t, following, c, h, sync.OnceFunc(func() { close(spoken) })) })
	say := func(i int) error {
		text := []string{"Tell me a story", Human}[i%2]
		_, err := r.Replicas[i%len(r.Replicas)].Say(ctx, c, fmt.Sprint("m", i), text)
		return err
	}
	asked := say(0)
	if polite {
		select {
		case <-spoken:
		case <-ctx.Done():
			t.Errorf("%s: the AI says nothing; asking it: %v", c.ID, asked)
		}
	}
	playing.Go(func() {
		for i := range 3 {
			_ = say(i + 1) // what comes of it is seen by who claims it
		}
	})
	moves := []string{"accept", "accept", "takeover", "return", "transfer", "return", "read"}
	for client := range 2 * len(r.agents) {
		seed := dice.Uint64()
		playing.Go(func() {
			own := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // a run's number
			for range 6 {
				if err := r.ask(ctx, h, client, moves[own.IntN(len(moves))], c.ID, r.Replicas[own.IntN(len(r.Replicas))]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	playing.Wait()
	unfollow()
	watching.Wait()
	r.leave(ctx, c.ID)
	return h.ops
}

func (r *race) ask(ctx context.Context, h *history, client int, move, id string, at *engine.Replica) error {
	i := client % len(r.agents)
	return h.do(client, engine.Request{Agent: Email(r.agents[i]), Move: move}, func() (conversation.Conversation, error) {
		switch move {
		case "read":
			return at.Read(ctx, r.tokens[i], id)
		case "transfer":
			return at.Transfer(ctx, r.tokens[i], id, "team", "please")
		default:
			return at.Move(ctx, r.tokens[i], id, move)
		}
	})
}

// customer follows a conversation and notes what the AI says in it. When a piece was said is not known, but that it was
// before it was shown, and after the conversation began.
func (r *race) customer(t *testing.T, ctx context.Context, c engine.Customer, h *history, spoken func()) { //nolint:revive // t first, as everywhere
	t.Helper()
	call := time.Now().UnixNano()
	frames, err := r.Replicas[0].Follow(ctx, c, 0)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	seen := engine.Seen{Lost: r.kills.Load}
	said := map[[2]int64]bool{}
	for f := range frames {
		if err := seen.Show(f); err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
		epoch, answerTo, ok := voice(f)
		if !ok || said[[2]int64{epoch, answerTo}] {
			continue
		}
		spoken()
		said[[2]int64{epoch, answerTo}] = true
		h.add(porcupine.Operation{ClientId: 2 * len(r.agents), Input: engine.Request{Move: "say"}, Call: call, Return: time.Now().UnixNano(),
			Output: engine.Answer{Done: true, Epoch: epoch}})
	}
	if ctx.Err() == nil {
		t.Errorf("%s: the stream ended, after %s", c.ID, Types(seen.Events))
	}
}

// voice says whether a frame is the AI's, a piece of an answer or the answer.
func voice(f engine.Frame) (epoch, answerTo int64, ok bool) {
	if f.Name == "piece" {
		p, err := f.Piece()
		return p.Epoch, p.AnswerTo, err == nil
	}
	e, err := f.Event()
	return e.Epoch, e.AnswerTo, err == nil && e.AnswerTo != 0
}

// leave lets somebody close what is left of a conversation, so that nobody is offered it any more.
func (r *race) leave(ctx context.Context, id string) {
	for i := range r.agents {
		if c, err := r.Replicas[0].Move(ctx, r.tokens[i], id, "takeover"); err == nil && c.Owner.ID == Email(r.agents[i]) {
			_, _ = r.Replicas[0].Move(ctx, r.tokens[i], id, "resolve")
			return
		}
	}
}

// Histories that no machine could have are found, and some that look like it are not.
func TestTheModelOfOwnership(t *testing.T) {
	t.Parallel()
	const forever = math.MaxInt64
	op := func(agent, move string, from, to int64, out engine.Answer) porcupine.Operation {
		return porcupine.Operation{Input: engine.Request{Agent: agent, Move: move}, Call: from, Return: to, Output: out}
	}
	done := func(owner string, epoch int64) engine.Answer {
		return engine.Answer{Done: true, Owner: owner, Epoch: epoch}
	}
	for name, tc := range map[string]struct {
		ok  bool
		ops []porcupine.Operation
	}{
		"two agents take one offer":            {false, []porcupine.Operation{op("a", "accept", 1, 4, done("a", 3)), op("b", "accept", 2, 3, done("b", 3))}},
		"one after the other gave it back":     {true, []porcupine.Operation{op("a", "accept", 1, 2, done("a", 3)), op("a", "return", 3, 4, done("", 4)), op("b", "takeover", 5, 6, done("b", 5))}},
		"an epoch twice":                       {false, []porcupine.Operation{op("a", "takeover", 1, 2, done("a", 2)), op("a", "return", 3, 4, done("", 3)), op("b", "takeover", 5, 6, done("b", 3))}},
		"the AI speaks while a human has it":   {false, []porcupine.Operation{op("a", "takeover", 1, 2, done("a", 2)), op("", "say", 3, 4, done("", 1)), op("a", "read", 5, 6, done("a", 2))}},
		"what the AI said before is shown now": {true, []porcupine.Operation{op("a", "takeover", 1, 2, done("a", 2)), op("", "say", 0, 4, done("", 1)), op("a", "read", 5, 6, done("a", 2))}},
		"a read of the past":                   {false, []porcupine.Operation{op("a", "takeover", 1, 2, done("a", 2)), op("b", "read", 3, 4, done("", 1))}},
		"a takeover refused without a reason":  {false, []porcupine.Operation{op("a", "takeover", 1, 2, engine.Answer{Refused: true})}},
		"a takeover of a lost answer":          {true, []porcupine.Operation{op("a", "takeover", 1, forever, engine.Answer{}), op("b", "read", 5, 6, done("a", 7))}},
		"a transfer that left nothing":         {false, []porcupine.Operation{op("a", "takeover", 1, 2, done("a", 2)), op("a", "transfer", 3, 4, done("", 3)), op("b", "read", 5, 6, done("a", 2))}},
	} {
		if result := porcupine.CheckOperationsTimeout(engine.Ownership.ToModel(), tc.ops, time.Minute); (result == porcupine.Ok) != tc.ok {
			t.Errorf("%s: %s", name, result)
		}
	}
}
