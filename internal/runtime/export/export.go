// Package export reads what a store keeps, and writes it as lines of JSON that the auditor reads again.
package export

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/audit"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// page bounds what is read at once.
	page = 500
	// maxLine bounds a line that is read, in bytes: a conversation of some hundred thousand messages.
	maxLine = 1 << 30
)

// Line is one line: a conversation with all that is kept of it, what an agent was from a time on, or since when that is
// kept.
type Line struct {
	*audit.Log
	Presence *audit.Presence `json:"presence,omitempty"`
	// PresencesFrom is there if something was removed: of the time before, not every presence is known.
	PresencesFrom time.Time `json:"presencesFrom,omitzero"`
}

// Conversation reads one conversation.
func Conversation(r store.Reader, id string) (audit.Log, error) {
	c, err := r.Conversation(id)
	l := audit.Log{Conversation: c}
	for after := int64(0); err == nil; {
		events, failed := r.Events(id, after, page)
		l.Events = append(l.Events, events...)
		err = failed
		if len(events) < page {
			break
		}
		after = events[len(events)-1].Seq
	}
	if err != nil {
		return l, err
	}
	messages, err := r.Deliveries(id)
	if err == nil && len(messages) > 0 {
		l.OutboxFrom, err = r.Begins(store.Delivered)
	}
	for _, d := range messages {
		l.Outbox = append(l.Outbox, audit.Message{Destination: d.Destination, Seq: d.Seq, Kind: d.Kind, Key: d.Key, State: string(d.State),
			At: d.At, Replayed: !d.Since.Equal(d.At), Next: !d.Due.IsZero(), Ended: d.Ended})
	}
	return l, err
}

// Store calls fn for every conversation and every presence of a store, as of one instant.
func Store(ctx context.Context, s interface {
	View(ctx context.Context, fn func(store.Reader) error) error
}, fn func(Line) error) error {
	return s.View(ctx, func(r store.Reader) error {
		for after := ""; ; {
			all, err := r.AllConversations(after, page)
			if err != nil {
				return err
			}
			for _, c := range all {
				l, err := Conversation(r, c.ID)
				if err == nil {
					err = fn(Line{Log: &l})
				}
				if err != nil {
					return err
				}
				after = c.ID
			}
			if len(all) < page {
				return presences(r, fn)
			}
		}
	})
}

func presences(r store.Reader, fn func(Line) error) error {
	begins, err := r.Begins(store.PresenceChanges)
	if err == nil && !begins.IsZero() {
		err = fn(Line{PresencesFrom: begins})
	}
	if err != nil {
		return err
	}
	all, err := r.PresenceLog(time.Unix(0, 0), time.Unix(0, 1<<63-1))
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := fn(Line{Presence: &audit.Presence{Email: p.Email, At: p.At, State: string(p.State)}}); err != nil {
			return err
		}
	}
	return nil
}

// Read calls fn for each line of an exported log.
func Read(from io.Reader, fn func(Line) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var l Line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if l.Log == nil && l.Presence == nil && l.PresencesFrom.IsZero() {
			return fmt.Errorf("line %d: %w", n, errNoLine)
		}
		if err := fn(l); err != nil {
			return err
		}
	}
	return lines.Err()
}

var errNoLine = errors.New(`it has neither "conversation" nor "presence"; give a log that kubectl handoff export wrote`)

// Into adds a line to what an Auditor knows.
func Into(a *audit.Auditor) func(Line) error {
	return func(l Line) error {
		if !l.PresencesFrom.IsZero() {
			a.PresencesFrom = l.PresencesFrom
		}
		if l.Presence != nil {
			a.AddPresence(*l.Presence)
		}
		if l.Log != nil {
			a.Add(*l.Log)
		}
		return nil
	}
}

// Tee writes each line to a file before fn has it.
func Tee(to io.Writer, fn func(Line) error) func(Line) error {
	out := json.NewEncoder(to)
	return func(l Line) error {
		if err := out.Encode(l); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		return fn(l)
	}
}
