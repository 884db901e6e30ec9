package chaos

import (
	"maps"
	"slices"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/test/chaos/logcheck"
)

// faults are what is planted in the logs of a finished run, wherever it can be: each takes one event away without a
// trace, or writes it twice, and names the rule that has to notice.
var faults = []struct {
	at     func(conversation.Event) bool
	twice  bool
	breaks logcheck.Rule
}{
	{by(conversation.EventMessage, conversation.AuthorCustomer), false, logcheck.MessageKept},
	{by(conversation.EventMessage, conversation.AuthorCustomer), true, logcheck.MessageOnce},
	{by(conversation.EventMessage, conversation.AuthorAgent), false, logcheck.MessageKept},
	{by(conversation.EventMessage, conversation.AuthorAgent), true, logcheck.MessageOnce},
	{by(conversation.EventHandoff, conversation.AuthorSystem), false, logcheck.HandoffOnce},
	{by(conversation.EventHandoff, conversation.AuthorSystem), true, logcheck.HandoffOnce},
	{by(conversation.EventAssigned, conversation.AuthorAgent), false, logcheck.AssignedOnce},
	{by(conversation.EventAssigned, conversation.AuthorAgent), true, logcheck.AssignedOnce},
}

func by(kind conversation.EventType, author conversation.AuthorKind) func(conversation.Event) bool {
	return func(e conversation.Event) bool { return e.Type == kind && e.Author.Kind == author }
}

// plantEach is how many of each fault are planted, one at a time.
const plantEach = 3

// plant counts how many faults the checker finds that nothing but the logs can show: what customers saw is left out.
func (r *Report) plant(j logcheck.Journal, logs map[string][]conversation.Event, o Options) {
	j.Seen = nil
	for _, f := range faults {
		planted := 0
		for _, id := range j.Opened {
			i := slices.IndexFunc(logs[id], f.at)
			if i < 0 || planted == plantEach {
				continue
			}
			planted++
			r.Planted++
			spoilt := maps.Clone(logs)
			spoilt[id] = spoil(logs[id], i, f.twice)
			if slices.ContainsFunc(logcheck.Check(j, spoilt, o.Capacities), func(v logcheck.Violation) bool { return v.Rule == f.breaks && v.Conversation == id }) {
				r.Found++
			}
		}
	}
}

// spoil returns a log without the event at i, or with it twice, and numbers without a gap.
func spoil(events []conversation.Event, i int, twice bool) []conversation.Event {
	out := slices.Concat(events[:i], events[i+1:])
	if twice {
		out = slices.Concat(events[:i+1], events[i:])
	}
	for k := range out {
		out[k].Seq = int64(k) + 1
	}
	return out
}
