package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/export"
	"github.com/opencopilot/handoff-operator/internal/runtime/records"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

const (
	// erasedAtOnce bounds the conversations of one transaction.
	erasedAtOnce = 10
	// presenceBefore is how far back a presence may have begun that lasts into a period: a session ends before.
	presenceBefore = 2 * SessionLifetime
	// logsAtOnce bounds the conversations that a report reads in one transaction.
	logsAtOnce = 100
	// recordsFor is how long records are kept at least, where anything is ever removed: a report can be compared with that
	// of a year before.
	recordsFor = 400 * 24 * time.Hour
	// trimEvery is how often what is old is removed, so many rows in one transaction.
	trimEvery     = 24 * time.Hour
	trimmedAtOnce = 500
	// maxPeriod bounds a report, whose conversations are all read.
	maxPeriod = 92 * 24 * time.Hour
)

// trail keeps in the audit trail what somebody did that is no event of a conversation.
func (t *Tenant) trail(tx store.Tx, who Session, e store.AuditEntry) error {
	now, err := tx.Now()
	if err != nil {
		return err
	}
	e.At, e.Actor = now, who.Agent.Email
	return tx.Audit(e)
}

// ignoreNotFound returns nil for store.ErrNotFound.
func ignoreNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// AuditTrail returns up to limit entries that fit, behind one.
func (t *Tenant) AuditTrail(ctx context.Context, f store.AuditFilter, after int64, limit int) (entries []store.AuditEntry, err error) {
	err = t.store.View(ctx, func(r store.Reader) (err error) {
		entries, err = r.AuditTrail(f, after, limit)
		return err
	})
	return entries, err
}

// customerHash stands for a customer in the audit trail, which outlives what is known of them.
func customerHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// findCustomer returns the ids of a customer's conversations, and notes who looked for them and why. What was merged with
// one of them is the same customer's, by whatever they called themselves there: it comes first, so that who erases in this
// order, and is interrupted, finds the rest again.
func (t *Tenant) findCustomer(ctx context.Context, who Session, key, action string) (ids []string, err error) {
	if key == "" {
		return nil, &Invalid{"customer", "is empty; give the customer's id, e-mail address or phone number"}
	}
	if err := t.catchUp(ctx); err != nil {
		return nil, err
	}
	err = t.store.Update(ctx, func(tx store.Tx) error {
		found, err := tx.FindCustomer(key)
		if err != nil {
			return err
		}
		if ids, err = mergedWith(tx, found); err != nil {
			return err
		}
		ids = append(ids, found...)
		return t.trail(tx, who, store.AuditEntry{Action: action, Subject: customerHash(key), Detail: fmt.Sprintf("%d conversations", len(ids))})
	})
	return ids, err
}

// mergedWith returns the conversations that some were merged with, through however many others, without these themselves.
func mergedWith(r store.Reader, ids []string) (others []string, err error) {
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	for next := ids; len(next) > 0; {
		id := next[0]
		c, err := r.Conversation(id)
		if err != nil {
			return nil, err
		}
		linked, err := r.MergedInto(id)
		if err != nil {
			return nil, err
		}
		if next = next[1:]; c.MergedInto != "" {
			linked = append(linked, c.MergedInto)
		}
		for _, other := range linked {
			if !seen[other] {
				seen[other] = true
				others, next = append(others, other), append(slices.Clip(next), other)
			}
		}
	}
	return others, nil
}

// ExportCustomer calls fn with all that is kept of a customer, conversation by conversation, for a supervisor. A
// customer is found by their id, e-mail address or number, which are what they said.
func (t *Tenant) ExportCustomer(ctx context.Context, who Session, key string, fn func(export.Line) error) error {
	ids, err := t.findCustomer(ctx, who, key, "customer_exported")
	if err != nil {
		return err
	}
	for _, id := range ids {
		var l export.Line
		err := t.store.View(ctx, func(r store.Reader) error {
			log, err := export.Conversation(r, id)
			l.Log = &log
			return err
		})
		if err == nil {
			err = fn(l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// EraseCustomer takes out of a customer's conversations what people wrote and who they are, and closes them, for a
// supervisor. It returns how many there were. It may be repeated after an error.
func (t *Tenant) EraseCustomer(ctx context.Context, who Session, key string) (n int, err error) {
	ids, err := t.findCustomer(ctx, who, key, "customer_erased")
	if err != nil {
		return 0, err
	}
	by := agentAuthor(who.Agent)
	for _, id := range ids {
		err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
			now, err := tx.Now()
			if err != nil {
				return err
			}
			return eraseOne(tx, id, by, now, save)
		})
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// eraseOne erases one conversation, unless it was erased.
func eraseOne(tx store.Tx, id string, by conversation.Author, now time.Time, save func(conversation.Change) error) error {
	c, err := tx.Conversation(id)
	if err != nil || !c.ErasedAt.IsZero() {
		return err
	}
	change, err := c.Erase(by, now)
	if err != nil {
		return err
	}
	if err := tx.EraseContent(id); err != nil {
		return err
	}
	return save(change)
}

func (t *Tenant) wakeRetention() {
	select {
	case t.closed <- struct{}{}:
	default:
	}
}

// runRetention erases closed conversations whose time is over, at that time, and removes old records once a day.
func (t *Tenant) runRetention(ctx context.Context) error {
	var trim time.Time
	for {
		next, err := t.eraseOld(ctx)
		if err == nil && t.current.Load() != nil && !t.clock.Now().Before(trim) {
			if err = t.trim(ctx); err == nil {
				trim = t.clock.Now().Add(trimEvery)
			}
		}
		if err != nil && ctx.Err() == nil {
			t.log.Error("erasing old conversations and records failed and is tried again", "error", err)
			next = t.clock.Now().Add(retryTurn)
		}
		if !trim.IsZero() && (next.IsZero() || trim.Before(next)) {
			next = trim
		}
		timer, stop := t.alarm(next)
		select {
		case <-ctx.Done():
			stop()
			return nil
		case <-t.closed:
		case <-timer:
		}
		stop()
	}
}

// eraseOld erases what is due, and returns when the next is, by this process's clock; the zero time if there is none.
func (t *Tenant) eraseOld(ctx context.Context) (next time.Time, err error) {
	in := t.current.Load()
	if in == nil || in.table.Copilot.Retention.Duration == 0 {
		return next, nil // Use wakes the retention
	}
	keep := in.table.Copilot.Retention.Duration
	for more := true; more; {
		if err := t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
			now, err := tx.Now()
			if err != nil {
				return err
			}
			ids, err := tx.ClaimClosed(now.Add(-keep), erasedAtOnce)
			if err != nil {
				return err
			}
			more = len(ids) == erasedAtOnce
			slices.Sort(ids)
			for _, id := range ids {
				if err := eraseOne(tx, id, conversation.Author{Kind: conversation.AuthorSystem}, now, save); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return next, err
		}
	}
	err = t.store.View(ctx, func(r store.Reader) error {
		now, err := t.moment(r)
		if err != nil {
			return err
		}
		oldest, err := r.OldestClosed()
		if !oldest.IsZero() {
			due, later := oldest.Add(keep), now.store.Add(retryTurn)
			if due.Before(later) { // one that is due is another replica's
				due = later
			}
			next = now.local(due)
		}
		return err
	})
	return next, err
}

// trim removes what was delivered and the records that are older than they are kept.
func (t *Tenant) trim(ctx context.Context) error {
	keep := map[store.Record]time.Duration{store.Delivered: store.DeliveredFor}
	if d := t.current.Load().table.Copilot.Retention.Duration; d > 0 {
		for _, what := range []store.Record{store.Trail, store.PresenceChanges, store.Spans} {
			keep[what] = max(d, recordsFor)
		}
	}
	for what, d := range keep {
		for more := true; more; {
			if err := t.store.Update(ctx, func(tx store.Tx) error {
				now, err := tx.Now()
				if err != nil {
					return err
				}
				more, err = tx.Trim(what, now.Add(-d), trimmedAtOnce)
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Report computes the figures of a period for supervisors.
func (t *Tenant) Report(ctx context.Context, from, to time.Time, threshold time.Duration) (records.Report, error) {
	if !to.After(from) || to.Sub(from) > maxPeriod {
		return records.Report{}, &Invalid{"to", fmt.Sprintf("must come after from, at most %d days", int(maxPeriod.Hours())/24)}
	}
	if err := t.catchUp(ctx); err != nil {
		return records.Report{}, fmt.Errorf("computing a report: %w", err)
	}
	in := records.Input{From: from, To: to, Threshold: threshold}
	var spans []store.Span
	err := t.store.View(ctx, func(r store.Reader) error {
		now, err := r.Now()
		if err != nil {
			return err
		}
		if in.To.After(now) {
			in.To = now
		}
		for _, what := range []store.Record{store.Spans, store.PresenceChanges} {
			if begins, err := r.Begins(what); err != nil {
				return err
			} else if from.Before(begins) {
				return &Invalid{"from", "is before " + begins.Format(time.RFC3339) + ", up to when records were removed; give a later time"}
			}
		}
		if spans, err = r.Handoffs(in.From, in.To); err != nil {
			return err
		}
		changes, err := r.PresenceLog(from.Add(-presenceBefore), in.To)
		if err != nil {
			return err
		}
		current, err := r.Presences()
		in.Online = online(changes, current, in.To)
		return err
	})
	if err == nil {
		in.Contacts, err = t.contacts(ctx, spans)
	}
	if err != nil {
		return records.Report{}, fmt.Errorf("computing a report: %w", err)
	}
	return records.Compute(in), nil
}

// contacts reads the contacts of which a period's spans tell out of the logs of their conversations. Logs are long, and are
// many in three months, so a few are read at a time: what happens meanwhile is in those that come later. A conversation
// that is erased meanwhile is left out.
func (t *Tenant) contacts(ctx context.Context, spans []store.Span) (all []records.Contact, err error) {
	numbers := map[string][]int{}
	var ids []string
	for _, s := range spans {
		if numbers[s.Conversation] == nil {
			ids = append(ids, s.Conversation)
		}
		numbers[s.Conversation] = append(numbers[s.Conversation], s.Number)
	}
	for some := range slices.Chunk(ids, logsAtOnce) {
		var found []records.Contact
		err := t.store.View(ctx, func(r store.Reader) error {
			found = nil
			for _, id := range some {
				log, err := export.Conversation(r, id)
				if errors.Is(err, store.ErrNotFound) {
					continue
				}
				if err != nil {
					return err
				}
				found = append(found, slices.DeleteFunc(records.Contacts(id, log.Events), func(c records.Contact) bool {
					return !slices.Contains(numbers[id], c.Number)
				})...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// online turns changes of presences into times online. One that was not changed since lasts as long as it says now.
func online(changes []store.PresenceChange, current map[string]store.Presence, to time.Time) (out []records.Presence) {
	since := map[string]time.Time{}
	end := func(email string, at time.Time) {
		if from, ok := since[email]; ok {
			out = append(out, records.Presence{Agent: email, From: from, To: at})
			delete(since, email)
		}
	}
	for _, c := range changes {
		end(c.Email, c.At)
		if c.State == store.Online {
			since[c.Email] = c.At
		}
	}
	for email := range since {
		if until := current[email].Until; !until.IsZero() && until.Before(to) {
			end(email, until)
		}
		end(email, to)
	}
	return out
}
