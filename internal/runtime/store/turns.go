package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// replicaLease begins the names of the leases that say which replicas live.
const replicaLease = "replica/"

const (
	queryTurn = `SELECT conversation, replica, attempt, epoch, answer_to, body,
		coalesce((SELECT until FROM leases WHERE name = '` + replicaLease + `' || replica), 0) FROM turns WHERE conversation = $1`
	queryPutTurn = `INSERT INTO turns (conversation, replica, attempt, epoch, answer_to, body) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (conversation) DO UPDATE SET replica = excluded.replica, attempt = excluded.attempt, epoch = excluded.epoch,
		answer_to = excluded.answer_to, body = excluded.body`
	queryLease = `INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE
		SET holder = excluded.holder, until = excluded.until WHERE leases.holder = excluded.holder OR leases.until <= $4
		RETURNING holder`
	queryLost = `SELECT name FROM leases WHERE name >= '` + replicaLease + `' AND name < 'replica0' AND name <> $1 AND until <= $2`
)

// Turn is an answer of the AI that is being said.
type Turn struct {
	Conversation string
	// Replica says it.
	Replica string
	// Attempt tells two tries apart: the Text of a later one begins anew.
	Attempt int64
	// Epoch and AnswerTo are what the turn began with, as of conversation.AIAnswers.
	Epoch, AnswerTo int64
	// Text is what customers may have seen of it.
	Text string
	// Lives says that its replica's lease has not run out. Reading sets it.
	Lives bool
}

// Kept is what became of a Turn in KeepTurns.
type Kept int

// The values of Kept.
const (
	// KeptLater: somebody else has the conversation's lock; nothing was written.
	KeptLater Kept = iota
	// KeptNow: the turn's text is what customers may see from the commit on.
	KeptNow
	// KeptOver: the turn has ended. The conversation has changed hands or was answered, or another replica answers.
	KeptOver
)

func (r reader) Turn(id string) (t Turn, ok bool, err error) {
	var body []byte
	var until int64
	err = r.each(func(scan func(...any) error) error {
		ok = true
		return scan(&t.Conversation, &t.Replica, &t.Attempt, &t.Epoch, &t.AnswerTo, &body, &until)
	}, queryTurn, id)
	if err == nil && ok {
		err = json.Unmarshal(body, &t.Text)
	}
	var now time.Time
	if err == nil && until > 0 {
		now, err = r.Now()
		t.Lives = now.UnixNano() < until
	}
	if err != nil {
		return Turn{}, false, fmt.Errorf("read the turn in conversation %s: %w", id, err)
	}
	return t, ok, nil
}

func (w tx) KeepTurns(turns []Turn) (kept map[string]Kept, err error) {
	var ids []string
	for _, t := range turns {
		ids = append(ids, t.Conversation)
	}
	locked := map[string]conversation.Conversation{}
	found, err := bodies[conversation.Conversation](w.reader,
		`SELECT body FROM conversations WHERE `+w.in("id")+` ORDER BY id`+w.skipLocked, w.list(ids))
	for _, c := range found {
		w.writing.lock(c)
		locked[c.ID] = c
	}
	kept = map[string]Kept{}
	for _, t := range turns {
		c, ok := locked[t.Conversation]
		if err != nil || !ok {
			continue
		}
		kept[t.Conversation], err = w.keepTurn(c, t)
	}
	if err != nil {
		return nil, w.note("keep turns of", fmt.Sprint(ids), err)
	}
	return kept, nil
}

// keepTurn writes a turn down if its answer is owed and nobody else gives it. Text stays what customers may have seen of
// an earlier attempt until there is some of this one.
func (w tx) keepTurn(c conversation.Conversation, t Turn) (Kept, error) {
	if !c.Owes(t.Epoch, t.AnswerTo) {
		return KeptOver, nil
	}
	before, ok, err := w.Turn(c.ID)
	if err != nil {
		return KeptLater, err
	}
	if ok && before.Replica != t.Replica && before.Lives {
		return KeptOver, nil
	}
	if ok && t.Text == "" {
		before.Replica = t.Replica
		t = before
	}
	text, err := json.Marshal(t.Text) // which holds the character U+0000 too
	if err == nil {
		err = w.exec(queryPutTurn, t.Conversation, t.Replica, t.Attempt, t.Epoch, t.AnswerTo, string(text))
	}
	if t.Text != "" {
		w.writing.wake.Turns = append(w.writing.wake.Turns, t.Conversation)
	}
	return KeptNow, err
}

// endTurn ends the turn of a conversation that was just written, if that was what it was for.
func (w tx) endTurn(before position, c conversation.Change) error {
	if before.owner.Kind != conversation.OwnerAI {
		return nil
	}
	over := c.Conversation.Epoch != before.epoch
	for _, e := range c.Events {
		over = over || e.AnswerTo != 0
	}
	if !over {
		return nil
	}
	return w.exec(`DELETE FROM turns WHERE conversation = $1`, c.Conversation.ID)
}

func (w tx) Lease(name, holder string, d time.Duration) (held bool, err error) {
	now, err := w.Now()
	if err == nil {
		err = w.each(func(scan func(...any) error) error {
			held = true
			return scan(&holder)
		}, queryLease, name, holder, now.Add(d).UnixNano(), now.UnixNano())
	}
	w.writing.wrote = w.writing.wrote || held
	return held, w.note("take lease", name, err)
}

func (w tx) LeaseReplica(replica string, d time.Duration) (lost int, err error) {
	own := replicaLease + replica
	if _, err := w.Lease(own, replica, d); err != nil {
		return 0, err
	}
	now, err := w.Now()
	var names []string
	if err == nil {
		err = w.each(func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			names = append(names, name)
			return err
		}, queryLost+w.skipLocked, own, now.UnixNano())
	}
	for _, name := range names {
		if err == nil {
			err = w.exec(`DELETE FROM leases WHERE name = $1`, name)
		}
		w.writing.wake.Reread = true // it may have died before it told what it committed
	}
	return len(names), w.note("look for lost replicas as", replica, err)
}

func (w tx) LeaveReplica(replica string) error {
	w.writing.wake.Reread = true
	return w.note("leave as replica", replica, w.exec(`DELETE FROM leases WHERE name = $1`, replicaLease+replica))
}
