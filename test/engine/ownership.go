package engine

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// Request is what somebody asks of a conversation, or does in it: an agent's accept, takeover, return or transfer; reading
// who owns it; and what the AI says, which a customer's stream has shown.
type Request struct{ Agent, Move string }

// Answer is what came of a Request.
type Answer struct {
	// Done: it was granted; Refused: the state machine refused it. Neither: nobody knows whether it came to pass, since the
	// connection broke or the outcome of the commit is not known.
	Done, Refused bool
	// Owner is the agent who owns the conversation then, or empty for the AI or the queue; Epoch the one that it has then.
	Owner string
	Epoch int64
}

// held is who owns a conversation, as far as agents see it: an agent, or nobody for the AI and the queue, between which it
// goes by itself.
type held struct {
	owner string
	// epoch is the least that it can be, and the only one if it is known. Nobody's grows by itself.
	epoch int64
	known bool
	// returns is how often it was given back.
	returns int
}

// Ownership is what one conversation would be if one machine had it: a register of who owns it and at which epoch. Whether
// somebody has an offer to accept is not known to it.
var Ownership = porcupine.NondeterministicModel{
	Init: func() []any { return []any{held{epoch: 1}} },
	Step: func(state, input, output any) []any {
		before, in, out := state.(held), input.(Request), output.(Answer)
		after, may := before.next(in)
		switch {
		case out.Done && may && after.fits(out):
			after.epoch, after.known = out.Epoch, true
			return []any{after}
		case out.Refused && (!may || in.Move == "accept"):
			return []any{before}
		case !out.Done && !out.Refused && may:
			return []any{before, after}
		case !out.Done && !out.Refused:
			return []any{before}
		}
		return nil
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
}

// next returns what becomes of a conversation by a request, and whether it may be granted.
func (h held) next(in Request) (held, bool) {
	mine := h.owner != "" && h.owner == in.Agent
	switch in.Move {
	case "read":
		return h, true
	case "say":
		return h, h.owner == ""
	case "return":
		return h.to("", 1), mine && h.returns < conversation.MaxReturns
	case "transfer":
		return h.to("", 0), mine
	default: // accept and takeover, both of which may be repeated
		if mine {
			return h, true
		}
		return h.to(in.Agent, 0), h.owner == ""
	}
}

// to changes the owner, which raises the epoch by one from what it is.
func (h held) to(owner string, returned int) held {
	return held{owner: owner, epoch: h.epoch + 1, known: h.known && h.owner != "", returns: h.returns + returned}
}

// fits says whether an answer can be that of a conversation in this state.
func (h held) fits(out Answer) bool {
	return out.Owner == h.owner && (out.Epoch == h.epoch || out.Epoch > h.epoch && (!h.known || h.owner == ""))
}
