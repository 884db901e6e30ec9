package logcheck

import (
	"slices"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// fault is one planted fault. also are the rules that cannot but break with it.
type fault struct {
	name  string
	rule  Rule
	plant func(r *run)
	also  []Rule
}

var planted = []fault{
	{"a conversation is lost", ConversationKept, func(r *run) {
		r.journal = Journal{Opened: []string{first, second}}
		delete(r.logs, second)
		r.logs[first] = r.logs[first][:2]
	}, nil},
	{"a number is left out", SeqContiguous, func(r *run) {
		for i := range r.logs[second] {
			r.logs[second][i].Seq++
		}
		delete(r.journal.Seen, second)
	}, nil},
	{"the epoch falls", EpochFollowsOwner, func(r *run) {
		last := len(r.logs[second]) - 1
		r.logs[second][last].Epoch--
		delete(r.journal.Seen, second)
	}, nil},
	{"the epoch jumps", EpochFollowsOwner, func(r *run) {
		for i := r.find(second, conversation.EventResolved, 1); i < len(r.logs[second]); i++ {
			r.logs[second][i].Epoch++
		}
		delete(r.journal.Seen, second)
	}, nil},
	{"the epoch rises and the owner stays", EpochFollowsOwner, func(r *run) {
		r.logs[second] = append(r.logs[second], conversation.Event{Seq: r.conv.Seq + 1, Epoch: r.conv.Epoch + 1, Type: conversation.EventMessage,
			Author: conversation.Author{Kind: conversation.AuthorSystem}, At: r.now})
	}, nil},
	{"the owner changes and the epoch stays", EpochFollowsOwner, func(r *run) {
		r.logs[second] = append(r.logs[second], conversation.Event{Seq: r.conv.Seq + 1, Epoch: r.conv.Epoch, Type: conversation.EventReopened,
			Owner: &conversation.Owner{Kind: conversation.OwnerAI}, At: r.now})
	}, nil},
	{"the owner jumps from the queue to nobody", EpochFollowsOwner, func(r *run) {
		e := &r.logs[second][r.find(second, conversation.EventAssigned, 1)]
		e.Owner = &conversation.Owner{Kind: conversation.OwnerNobody}
		delete(r.journal.Seen, second)
	}, nil},
	{"the AI speaks in the queue", OnlyOwnerSpeaks, func(r *run) {
		i := r.find(second, conversation.EventOffered, 1)
		e := r.logs[second][i]
		r.insert(second, i+1, conversation.Event{Epoch: e.Epoch, At: e.At, Type: conversation.EventMessage, Text: "Still here",
			Author: conversation.Author{Kind: conversation.AuthorAI}})
	}, nil},
	{"another agent speaks", OnlyOwnerSpeaks, func(r *run) {
		r.logs[first][r.message(first, "Hello")].Author.ID = ann
		r.journal.Sent[slices.IndexFunc(r.journal.Sent, func(s Sent) bool { return s.ClientID == "r1" })].Author.ID = ann
	}, nil},

	{"an acknowledged message is lost", MessageKept, func(r *run) { r.remove(first, r.message(first, "Thanks"), 1) }, nil},
	{"an acknowledged reply is lost", MessageKept, func(r *run) { r.remove(first, r.message(first, "Hello"), 1) }, nil},
	{"an acknowledged note is lost", MessageKept, func(r *run) { r.remove(first, r.message(first, "nice"), 1) }, nil},
	{"a message is doubled", MessageOnce, func(r *run) {
		i := r.message(first, "Thanks")
		r.insert(first, i+1, r.logs[first][i])
	}, nil},
	{"an unacknowledged message is doubled", MessageOnce, func(r *run) {
		i := r.message(first, "Thanks")
		r.insert(first, i+1, r.logs[first][i])
		r.unacknowledge("m3")
	}, nil},
	{"a message's text changes", MessageAsSent, func(r *run) {
		r.logs[first][r.message(first, "Thanks")].Text = "Thank"
		delete(r.journal.Seen, first)
	}, nil},
	{"a message comes from nowhere", MessageAsSent, func(r *run) {
		i := r.message(first, "Thanks")
		e := r.logs[first][i]
		e.ClientID = "x"
		r.insert(first, i+1, e)
	}, nil},
	{"a reply is logged as a note", MessageAsSent, func(r *run) {
		r.logs[first][r.message(first, "Hello")].Type = conversation.EventNote
		delete(r.journal.Seen, first)
	}, nil},

	{"a message is answered twice", AnsweredOnce, func(r *run) {
		i := r.message(first, "Nine to six.")
		r.insert(first, i+1, r.logs[first][i])
	}, nil},
	{"an answer answers nothing", AnsweredOnce, func(r *run) {
		r.logs[first][r.message(first, "Nine to six.")].AnswerTo = 2
		delete(r.journal.Seen, first)
	}, nil},
	{"an answer is lost at the end", AnsweredOrHandedOff, func(r *run) { r.remove(first, r.message(first, "Yes."), 1) }, nil},

	{"a handoff is lost", HandoffOnce, func(r *run) { r.remove(first, r.find(first, conversation.EventHandoff, 2), 1) },
		[]Rule{AssignedOnce, MoveKept, MoveOnce}},
	{"a handoff has the number of another", HandoffOnce, func(r *run) {
		r.logs[first][r.find(first, conversation.EventHandoff, 2)].Handoff.Number = 1
	}, nil},
	{"a handoff is doubled", HandoffOnce, func(r *run) {
		i := r.find(second, conversation.EventHandoff, 1)
		e := r.logs[second][i]
		twin := *e.Handoff
		twin.Number, e.Handoff, e.Owner = 2, &twin, nil
		r.insert(second, i+2, e)
	}, []Rule{AssignedOnce, MoveKept}},
	{"the customer is not told of a handoff", HandoffTold, func(r *run) { r.remove(second, r.message(second, "Somebody will be here soon"), 1) }, nil},
	{"the customer is not told who it is", HandoffTold, func(r *run) { r.remove(second, r.message(second, "Ann is here"), 1) }, nil},

	{"two offers are open", OfferAlone, func(r *run) { r.remove(first, r.find(first, conversation.EventOfferExpired, 1), 1) }, nil},
	{"an agent's conversation is offered", OfferAlone, func(r *run) {
		i := r.find(second, conversation.EventAssigned, 1)
		offer := r.logs[second][r.find(second, conversation.EventOffered, 1)]
		offer.Epoch, offer.At = r.logs[second][i+1].Epoch, r.logs[second][i+1].At
		r.insert(second, i+2, offer)
	}, nil},
	{"an offer is lost", OfferAccepted, func(r *run) { r.remove(second, r.find(second, conversation.EventOffered, 1), 1) }, nil},
	{"another agent's offer ends", OfferAccepted, func(r *run) {
		r.logs[first][r.find(first, conversation.EventOfferExpired, 1)].Agent = &conversation.Author{ID: bob}
	}, nil},
	{"another agent accepts", OfferAccepted, func(r *run) {
		e := &r.logs[second][r.find(second, conversation.EventAssigned, 1)]
		e.Author.ID, e.Agent, e.Owner = bob, &conversation.Author{ID: bob}, &conversation.Owner{Kind: conversation.OwnerAgent, ID: bob}
		e = &r.logs[second][r.find(second, conversation.EventResolved, 1)]
		e.Author.ID = bob
		delete(r.journal.Seen, second)
		for i := range r.journal.Moves {
			if r.journal.Moves[i].Conversation == second {
				r.journal.Moves[i].Agent = bob
			}
		}
	}, nil},
	{"an assignment is lost, and all after it", AssignedOnce, func(r *run) {
		i := r.find(second, conversation.EventAssigned, 1)
		r.remove(second, i, len(r.logs[second])-i)
		r.journal.Moves = slices.DeleteFunc(r.journal.Moves, func(m Move) bool { return m.Conversation == second })
	}, nil},
	{"a conversation is assigned twice", AssignedOnce, func(r *run) {
		i := r.find(second, conversation.EventAssigned, 1)
		e := r.logs[second][i]
		e.Owner, e.Epoch = nil, e.Epoch-1
		r.insert(second, i, e)
	}, []Rule{HandoffTold}},
	{"an agent gets one more than they can hold", WithinCapacity, func(r *run) {
		last := r.logs[second][r.find(second, conversation.EventOffered, 1)].At
		delete(r.journal.Seen, first)
		for i := r.find(first, conversation.EventOfferExpired, 1); i < len(r.logs[first]); i++ {
			r.logs[first][i].At = last
		}
		for i := range r.find(first, conversation.EventOfferExpired, 1) {
			r.logs[first][i].At = r.logs[first][0].At
		}
		delete(r.journal.Seen, second)
		for i := range r.find(second, conversation.EventResolved, 1) {
			r.logs[second][i].At = r.logs[first][0].At
		}
	}, nil},
	{"an agent nobody knows gets an offer", WithinCapacity, func(r *run) { delete(r.capacities, ann) }, nil},

	{"an acknowledged accept is lost", MoveKept, func(r *run) {
		r.logs[second][r.find(second, conversation.EventAssigned, 1)].Type = conversation.EventTakenOver
		r.journal.Moves = append(r.journal.Moves, Move{Conversation: second, Agent: ann, Type: conversation.EventTakenOver})
		delete(r.journal.Seen, second)
	}, nil},
	{"an acknowledged resolve is lost", MoveKept, func(r *run) {
		i := r.find(second, conversation.EventResolved, 1)
		r.remove(second, i, len(r.logs[second])-i)
	}, nil},
	{"a handoff is resolved twice", MoveOnce, func(r *run) {
		i := r.find(second, conversation.EventResolved, 1)
		e := r.logs[second][i]
		e.Owner = nil
		r.insert(second, i+1, e)
	}, nil},
	{"a resolve comes from nowhere", MoveAsMade, func(r *run) {
		r.journal.Moves = slices.DeleteFunc(r.journal.Moves, func(m Move) bool { return m.Conversation == second && m.Type == conversation.EventResolved })
	}, nil},

	{"the customer saw another text", SeenAsLogged, func(r *run) { r.see(first, 2).Event.Text = "Hell" }, nil},
	{"the customer saw another payload", SeenAsLogged, func(r *run) {
		r.see(first, int64(r.find(first, conversation.EventHandoff, 1))+1).Payload.Sentiment = "angry"
	}, nil},
	{"the customer saw an agent's address", SeenAsLogged, func(r *run) {
		r.see(first, int64(r.message(first, "Hello"))+1).Event.Author.ID = bob
	}, nil},
	{"the customer saw a note", SeenAsLogged, func(r *run) {
		i := r.message(first, "nice")
		at := slices.IndexFunc(r.journal.Seen[first], func(s Seen) bool { return s.Event.Seq == int64(i) })
		r.journal.Seen[first] = slices.Insert(r.journal.Seen[first], at+1, Seen{Event: r.logs[first][i]})
	}, nil},
	{"the customer saw what was lost", SeenAsLogged, func(r *run) {
		last := r.logs[second][len(r.logs[second])-1]
		last.Seq++
		r.journal.Seen[second] = append(r.journal.Seen[second], Seen{Event: last})
	}, nil},
	{"the customer's stream left one out", SeenWhole, func(r *run) {
		r.journal.Seen[first] = slices.DeleteFunc(r.journal.Seen[first], func(s Seen) bool { return s.Event.Text == "Thanks" })
	}, nil},
	{"the customer's stream brought one twice", SeenWhole, func(r *run) {
		r.journal.Seen[second] = append(r.journal.Seen[second], r.journal.Seen[second][len(r.journal.Seen[second])-1])
	}, nil},
	{"the customer saw more of a cut answer than is kept", PiecesKept, func(r *run) {
		i := r.message(first, "On Sunday we are")
		r.logs[first][i].Text = "On Sun"
		r.see(first, int64(i)+1).Event.Text = "On Sun"
	}, nil},
	{"a cut answer is not kept at all", PiecesKept, func(r *run) {
		i := r.message(first, "On Sunday we are")
		seen := r.journal.Seen[first]
		at := slices.IndexFunc(seen, func(s Seen) bool { return s.Event.Seq == int64(i)+1 })
		question := r.logs[first][i].AnswerTo
		r.remove(first, i, 1)
		for j := range seen[at+1:] {
			if s := &seen[at+1+j]; s.Event.Seq > 0 {
				s.Event.Seq--
			}
			if s := &seen[at+1+j]; s.Event.AnswerTo > question {
				s.Event.AnswerTo--
			}
		}
		r.journal.Seen[first] = slices.Delete(seen, at, at+1)
	}, nil},
	{"a piece leaves a gap", PiecesKept, func(r *run) {
		at := slices.IndexFunc(r.journal.Seen[first], func(s Seen) bool { return s.Event.Text == "day we" })
		r.journal.Seen[first][at].Offset++
	}, nil},
}

func (r *run) unacknowledge(clientID string) {
	for i := range r.journal.Sent {
		if r.journal.Sent[i].ClientID == clientID {
			r.journal.Sent[i].Acknowledged = false
		}
	}
}
