package storetest

import (
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// asked begins a conversation in which the AI owes an answer to event 3.
func asked(t *testing.T, s store.Store, id string) {
	t.Helper()
	started(t, s, id, t0)
	moved(t, s, id, writes("", "question"))
}

func turnOf(id, replica string, attempt int64, text string) store.Turn {
	return store.Turn{Conversation: id, Replica: replica, Attempt: attempt, Epoch: 1, AnswerTo: 3, Text: text}
}

// keep writes turns down and returns what became of the first.
func keep(t *testing.T, s store.Store, turns ...store.Turn) (kept store.Kept) {
	t.Helper()
	update(t, s, func(tx store.Tx) error {
		all, err := tx.KeepTurns(turns)
		kept = all[turns[0].Conversation]
		return err
	})
	return kept
}

// said checks what customers may see of an answer, and who says it.
func said(t *testing.T, s store.Store, id, replica, text string) {
	t.Helper()
	view(t, s, func(r store.Reader) error {
		turn, ok, err := r.Turn(id)
		if ok != (replica != "") || turn.Replica != replica || turn.Text != text {
			t.Errorf("%s: %+v, %v; want %q of %q", id, turn, ok, text, replica)
		}
		return err
	})
}

func testTurns(t *testing.T, s store.Store) {
	for _, id := range []string{"taken", "answered", "other"} {
		asked(t, s, id)
		if kept := keep(t, s, turnOf(id, "a", 1, "")); kept != store.KeptNow {
			t.Errorf("a first turn: %v", kept)
		}
		keep(t, s, turnOf(id, "a", 1, "Once\x00"), turnOf("other", "a", 1, "Two"))
		said(t, s, id, "a", map[bool]string{true: "Two", false: "Once\x00"}[id == "other"])
	}
	moved(t, s, "taken", func(c conversation.Conversation) (conversation.Change, error) {
		return c.TakeOver(anna, 1, conversation.Handoff{}, nil, "", t0)
	})
	moved(t, s, "answered", func(c conversation.Conversation) (conversation.Change, error) {
		return c.AIAnswers(1, 3, conversation.Answer{Text: "Once upon a time", Understood: true}, t0)
	})
	for _, id := range []string{"taken", "answered"} {
		said(t, s, id, "", "")
		if kept := keep(t, s, turnOf(id, "a", 1, "Once upon")); kept != store.KeptOver {
			t.Errorf("%s: %v, want that it is over", id, kept)
		}
		said(t, s, id, "", "")
	}
	moved(t, s, "other", writes("", "another question"))
	said(t, s, "other", "a", "Two")
}

// A replica that lives keeps its turn. That of a dead one is taken, and what was seen of it stays until there is more.
func testTurnsOfOthers(t *testing.T, s store.Store) {
	asked(t, s, "c1")
	lease := func(replica string, d time.Duration) (lost int) {
		update(t, s, func(tx store.Tx) (err error) {
			lost, err = tx.LeaseReplica(replica, d)
			return err
		})
		return lost
	}
	owing := func() (ids []string) {
		view(t, s, func(r store.Reader) (err error) {
			ids, err = r.Owing()
			return err
		})
		return ids
	}
	lease("a", time.Hour)
	keep(t, s, turnOf("c1", "a", 1, "Once"))
	if ids := owing(); len(ids) != 0 {
		t.Errorf("answers that nobody gives: %v, and a gives it", ids)
	}
	if kept := keep(t, s, turnOf("c1", "b", 2, "Hello")); kept != store.KeptOver {
		t.Errorf("the turn of another: %v", kept)
	}
	said(t, s, "c1", "a", "Once")

	ear := Listen(t, s)
	lease("a", 0) // it has run out
	if lost := lease("b", time.Hour); lost != 1 {
		t.Errorf("%d replicas were lost, want 1", lost)
	}
	ear.Until("of a lost replica", func(w store.Wake) bool { return w.Reread })
	if lost := lease("b", time.Hour); lost != 0 {
		t.Errorf("%d replicas were lost again", lost)
	}
	if ids := owing(); len(ids) != 1 {
		t.Errorf("answers that nobody gives: %v, want c1", ids)
	}
	if kept := keep(t, s, turnOf("c1", "b", 2, "")); kept != store.KeptNow {
		t.Errorf("the turn of a dead one: %v", kept)
	}
	said(t, s, "c1", "b", "Once")
	if kept := keep(t, s, turnOf("c1", "a", 1, "Once upon")); kept != store.KeptOver {
		t.Errorf("the turn that was taken for dead: %v", kept)
	}
	keep(t, s, turnOf("c1", "b", 2, "Hello"))
	said(t, s, "c1", "b", "Hello")
	update(t, s, func(tx store.Tx) error { return tx.LeaveReplica("b") })
	ear.Until("of a replica that left", func(w store.Wake) bool { return w.Reread })
	if ids := owing(); len(ids) != 1 {
		t.Errorf("answers that nobody gives: %v, want c1", ids)
	}
}

// Pieces wake those who watch, and nobody else.
func testTurnsWake(t *testing.T, s store.Store) {
	asked(t, s, "c1")
	ear := Listen(t, s)
	ear.settle(s)
	keep(t, s, turnOf("c1", "a", 1, "Once"))
	for _, w := range ear.Until("a piece", func(w store.Wake) bool { return len(w.Turns) == 1 && w.Turns[0] == "c1" }) {
		if w.Queue || w.Reread || len(w.Conversations) > 0 {
			t.Errorf("%+v for a piece", w)
		}
	}
}

func testLeases(t *testing.T, s store.Store) {
	take := func(holder string, d time.Duration) (held bool) {
		update(t, s, func(tx store.Tx) (err error) {
			held, err = tx.Lease("mailbox", holder, d)
			return err
		})
		return held
	}
	for i, step := range []struct {
		holder string
		d      time.Duration
		want   bool
	}{{"a", time.Minute, true}, {"b", time.Minute, false}, {"a", time.Minute, true}, {"a", 0, true}, {"b", time.Minute, true}, {"a", time.Minute, false}} {
		if held := take(step.holder, step.d); held != step.want {
			t.Errorf("step %d: %s holds it: %v", i, step.holder, held)
		}
	}
}
