package web

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	. "github.com/opencopilot/handoff-operator/internal/runtime/tenant/tenanttest"
)

// An agent takes over at any moment of a streamed answer. What the customer saw of it is what the log has, and the AI
// says nothing afterwards until it is given the conversation back.
func TestTakeoverAtAnyMoment(t *testing.T) {
	t.Parallel()
	rounds := 40
	if os.Getenv("SOAK") != "" {
		rounds = 1000
	}
	table := Table(1, 1000)
	model := NewModel(t, table)
	s := newSite(t, Options{Table: table})
	stop := make(chan struct{})
	var talking sync.WaitGroup
	speech := &pace{changed: make(chan struct{})}
	talking.Go(func() { talk(model, speech, stop, &talking) })
	defer talking.Wait()
	defer close(stop)
	cut := 0
	for range rounds {
		seed := rand.Uint64()
		if interleave(t, s, speech, rand.New(rand.NewPCG(seed, 0))) {
			cut++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d of %d answers were cut", cut, rounds)
	if cut == 0 {
		t.Error("no answer was cut: the test does not reach what it is for")
	}
}

// pace lets the model say one piece after the other as a reader follows, or all of them at once.
type pace struct {
	mu      sync.Mutex
	read    int
	free    bool
	changed chan struct{}
}

func (p *pace) change(how func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	how()
	close(p.changed)
	p.changed = make(chan struct{})
}

// reads is how much the reader has read.
func (p *pace) reads() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read
}

// await waits until the reader has read more, need not, or nobody listens any more.
func (p *pace) await(read int, gone <-chan struct{}) {
	for {
		p.mu.Lock()
		goOn, changed := p.free || p.read > read, p.changed
		p.mu.Unlock()
		if goOn {
			return
		}
		select {
		case <-changed:
		case <-gone:
			return
		}
	}
}

// talk lets the model answer every request in twenty pieces.
func talk(model *Model, speech *pace, stop <-chan struct{}, all *sync.WaitGroup) {
	for {
		select {
		case <-stop:
			return
		case call := <-model.Calls():
			all.Go(func() {
				for i := range 20 {
					read := speech.reads()
					if !call.Say(fmt.Sprintf("piece %d, ", i)) {
						return
					}
					speech.await(read, call.Gone)
				}
				call.End()
			})
		}
	}
}

// interleave plays one conversation with two takeovers and reports whether an answer was cut.
func interleave(t *testing.T, s *site, speech *pace, r *rand.Rand) (cut bool) {
	id, token := s.OpenConversation()
	a0 := s.AgentNamed("a0")
	st := s.follow(t, id, token, "")
	defer st.cancel()
	var seen []frame
	for part := range 2 {
		speech.change(func() { speech.free = false })
		s.Send(id, fmt.Sprintf("%d-1", part), "Tell me a long story")
		var wg sync.WaitGroup
		if r.IntN(2) == 0 {
			wg.Go(func() { s.Send(id, fmt.Sprintf("%d-2", part), "And another one") })
		}
		for range r.IntN(12) { // so many events of the stream pass before the takeover
			f, _ := st.next()
			speech.change(func() { speech.read++ })
			seen = append(seen, f)
			if f.Name == "message" && f.event(t).AnswerTo > 0 {
				break
			}
		}
		speech.change(func() { speech.free = true }) // while it is taken over
		wg.Go(func() {
			if _, err := s.TakeOver(t.Context(), id, a0); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if _, err := s.Reply(t.Context(), id, a0, fmt.Sprint(part), "Hello, a human here."); err != nil {
			t.Error(err)
		}
		if _, err := s.ReturnToAI(t.Context(), id, a0); err != nil {
			t.Error(err)
		}
	}
	log := s.Events(id)
	if log[len(log)-1].Seq > 0 {
		last := s.shown(id)
		if len(seen) == 0 || seen[len(seen)-1].ID != fmt.Sprint(last[len(last)-1]) {
			seen = append(seen, st.untilSeq(last[len(last)-1])...)
		}
	}
	if err := CheckLog(log); err != nil {
		t.Error(err)
	}
	return compare(t, log, seen)
}

// compare holds what a customer saw against the log.
func compare(t *testing.T, log []conversation.Event, seen []frame) (cut bool) {
	t.Helper()
	epoch, pieces, done := int64(0), map[int64]string{}, map[int64]bool{}
	for _, f := range seen {
		if f.Name == "piece" {
			p := f.piece(t)
			switch {
			case p.Epoch < epoch:
				t.Errorf("a piece of epoch %d after an event of epoch %d", p.Epoch, epoch)
			case done[p.AnswerTo]:
				t.Errorf("a piece of the answer to %d after that", p.AnswerTo)
			case p.Offset > 0 && p.Offset != len(pieces[p.AnswerTo]):
				t.Errorf("a piece at %d where %d bytes were", p.Offset, len(pieces[p.AnswerTo]))
			}
			pieces[p.AnswerTo] = pieces[p.AnswerTo][:p.Offset] + p.Text
			continue
		}
		e := f.event(t)
		epoch = max(epoch, e.Epoch)
		if e.AnswerTo != 0 {
			done[e.AnswerTo] = true
			if !strings.HasPrefix(e.Text, pieces[e.AnswerTo]) {
				t.Errorf("the customer saw %q of %q", pieces[e.AnswerTo], e.Text)
			}
			if logged := log[e.Seq-1]; logged.Text != e.Text || logged.Interrupted != e.Interrupted {
				t.Errorf("the log has %q, the customer %q", logged.Text, e.Text)
			}
			cut = cut || e.Interrupted
		}
	}
	for to, text := range pieces {
		if !done[to] {
			t.Errorf("the customer saw %q in answer to %d, of which the log has nothing", text, to)
		}
	}
	return cut
}
