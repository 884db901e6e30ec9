package audit

import (
	"fmt"
	"slices"
	"strings"
)

func (r *reading) once() {
	seen := map[string]int64{}
	for _, e := range r.log.Events {
		if e.ClientID == "" {
			continue
		}
		key := string(e.Author.Kind) + " " + e.ClientID
		if before, twice := seen[key]; twice {
			r.bad(Once, e.Seq, "it has the id %q that event %d has", e.ClientID, before)
		}
		seen[key] = e.Seq
	}
}

// follows says whether a number may stand where another belongs, behind some messages of a stream: old ones may be removed
// between, but not if those before it are younger, or the conversation is.
func (r *reading) follows(seq, want int64, before []Message) bool {
	begin := r.log.Conversation.CreatedAt
	if len(before) > 0 {
		begin = before[len(before)-1].At
	}
	return seq == want || seq > want && !begin.After(r.log.OutboxFrom)
}

// outbox judges the messages of each destination.
func (r *reading) outbox() {
	streams := map[string][]Message{}
	for _, m := range r.log.Outbox {
		streams[m.Destination] = append(streams[m.Destination], m)
	}
	for destination, all := range streams {
		slices.SortFunc(all, func(a, b Message) int { return int(a.Seq - b.Seq) })
		next, want := 0, int64(1)
		var last *Message // that waits, or ended in its turn
		for i, m := range all {
			if !r.follows(m.Seq, want, all[:i]) {
				r.bad(Outbox, m.Seq, "message %d to %s stands where %d belongs", m.Seq, destination, want)
				break
			}
			want = m.Seq + 1
			if want := strings.Join([]string{r.log.Conversation.ID, destination, fmt.Sprint(m.Seq)}, "/"); m.Key != want {
				r.bad(Outbox, m.Seq, "message %d to %s has the key %q and not %q", m.Seq, destination, m.Key, want)
			}
			if m.Next {
				next++
			}
			if m.Replayed {
				continue
			}
			if last != nil && !m.Ended.IsZero() && (last.Ended.IsZero() || last.Ended.After(m.Ended)) {
				r.bad(Outbox, m.Seq, "message %d to %s ended before message %d, which comes first", m.Seq, destination, last.Seq)
			}
			last = &all[i]
		}
		if waiting := slices.ContainsFunc(all, func(m Message) bool { return m.State == "pending" }); waiting && next == 0 {
			r.bad(Outbox, 0, "none of what waits for %s may be tried", destination)
		}
	}
}
