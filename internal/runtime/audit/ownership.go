package audit

import (
	"fmt"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// reading is one conversation that is being judged.
type reading struct {
	*Auditor
	log    Log
	owners map[int64]conversation.Owner
}

func (r *reading) bad(rule Rule, seq int64, format string, args ...any) {
	r.violations = append(r.violations, Violation{rule, r.log.Conversation.ID, seq, fmt.Sprintf(format, args...)})
}

func (r *reading) sequence() {
	var latest time.Time
	for i, e := range r.log.Events {
		if e.At.Before(latest) {
			r.twice = append(r.twice, span{e.At, latest})
		} else {
			latest = e.At
		}
		if want := int64(i) + 1; e.Seq != want {
			r.bad(Sequence, e.Seq, "it stands where %d belongs", want)
			return
		}
	}
	if n := int64(len(r.log.Events)); r.log.Conversation.Seq != n {
		r.bad(Sequence, n, "the log ends here, and the conversation says %d", r.log.Conversation.Seq)
	}
}

// cutLate says whether an event is what the customer saw of an answer that a takeover cut, written behind the takeover.
func (r *reading) cutLate(e conversation.Event) bool {
	return e.Author.Kind == conversation.AuthorAI && e.Interrupted && r.owners[e.Epoch].Kind == conversation.OwnerAI
}

func (r *reading) ownership() {
	epoch := int64(0)
	for _, e := range r.log.Events {
		switch {
		case e.Epoch < epoch && !r.cutLate(e):
			r.bad(OneOwner, e.Seq, "epoch %d comes after epoch %d", e.Epoch, epoch)
		case e.Epoch > epoch+1:
			r.bad(OneOwner, e.Seq, "epoch %d follows on epoch %d", e.Epoch, epoch)
		}
		epoch = max(epoch, e.Epoch)
		if e.Owner == nil {
			continue
		}
		if before, twice := r.owners[e.Epoch]; twice {
			r.bad(OneOwner, e.Seq, "epoch %d is given to %s %s, and was %s %s's", e.Epoch, e.Owner.Kind, e.Owner.ID, before.Kind, before.ID)
			continue
		}
		r.owners[e.Epoch] = *e.Owner
	}
	for n := int64(1); n <= epoch; n++ {
		if _, owned := r.owners[n]; !owned {
			r.bad(OneOwner, 0, "nobody owns epoch %d", n)
		}
	}
	if c := r.log.Conversation; c.Epoch != epoch || c.Owner != r.owners[epoch] {
		r.bad(OneOwner, c.Seq, "the log ends with owner %s %s at epoch %d, and the conversation says %s %s at %d",
			r.owners[epoch].Kind, r.owners[epoch].ID, epoch, c.Owner.Kind, c.Owner.ID, c.Epoch)
	}
}

// speech judges who said what.
func (r *reading) speech() {
	answered, cut := map[int64]bool{}, map[int64]bool{}
	epoch := int64(0)
	for _, e := range r.log.Events {
		if e.Type == conversation.EventMessage {
			owner := r.owners[e.Epoch]
			switch {
			case e.Author.Kind == conversation.AuthorAI && owner.Kind != conversation.OwnerAI:
				r.bad(AISilent, e.Seq, "the AI speaks while %s %s owns the conversation", owner.Kind, owner.ID)
			case e.Author.Kind == conversation.AuthorAI && e.Epoch < epoch && (!e.Interrupted || cut[e.Epoch]):
				r.bad(AISilent, e.Seq, "the AI speaks after epoch %d, and more than what was seen of one answer", e.Epoch)
			case e.Author.Kind == conversation.AuthorAgent && !speaksFor(e.Author, owner):
				r.bad(OneOwner, e.Seq, "%s speaks while %s %s owns the conversation", e.Author.ID, owner.Kind, owner.ID)
			}
			cut[e.Epoch] = cut[e.Epoch] || e.Interrupted
		}
		epoch = max(epoch, e.Epoch)
		if e.AnswerTo == 0 {
			continue
		}
		if answered[e.AnswerTo] || !r.customers(e.AnswerTo, e.Seq) {
			r.bad(AnsweredOnce, e.Seq, "it answers event %d, which was answered before or is no message of a customer before it", e.AnswerTo)
		}
		answered[e.AnswerTo] = true
	}
}

// speaksFor says whether an author is the agent who owns a conversation, or a human at the helpdesk that does.
func speaksFor(a conversation.Author, owner conversation.Owner) bool {
	return owner.Kind == conversation.OwnerAgent && owner.ID == a.ID || owner.Kind == conversation.OwnerHelpdesk && a.ID == ""
}

// customers says whether an event is a customer's message that stands before another event.
func (r *reading) customers(seq, before int64) bool {
	return seq > 0 && seq < before && seq <= int64(len(r.log.Events)) && r.log.Events[seq-1].Author.Kind == conversation.AuthorCustomer
}
