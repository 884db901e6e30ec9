package logcheck

// Rule names what must hold.
type Rule string

// The rules.
const (
	// ConversationKept: a conversation whose beginning was acknowledged has a log.
	ConversationKept Rule = "ConversationKept"
	// SeqContiguous: the events of a log are numbered from 1 without gaps.
	SeqContiguous Rule = "SeqContiguous"
	// EpochFollowsOwner: the epoch never falls, and rises exactly where the owner changes, by one, along the arrows of
	// the state machine; so every epoch has one owner.
	EpochFollowsOwner Rule = "EpochFollowsOwner"
	// OnlyOwnerSpeaks: the AI speaks only while it is the owner, an agent only while they are.
	OnlyOwnerSpeaks Rule = "OnlyOwnerSpeaks"

	// MessageKept: an acknowledged message or note is in the log.
	MessageKept Rule = "MessageKept"
	// MessageOnce: no message or note is in the log twice, acknowledged or not.
	MessageOnce Rule = "MessageOnce"
	// MessageAsSent: what the log has of customers and agents was sent by them, to this conversation, with this text.
	MessageAsSent Rule = "MessageAsSent"

	// AnsweredOnce: the AI answers a message at most once, in the order of the messages, and in the epoch in which it
	// was written.
	AnsweredOnce Rule = "AnsweredOnce"
	// AnsweredOrHandedOff: at the end, every message written to the AI was answered, or the conversation went to a human.
	AnsweredOrHandedOff Rule = "AnsweredOrHandedOff"

	// HandoffOnce: each time the AI loses the conversation there is exactly one handoff, and they are numbered from 1.
	HandoffOnce Rule = "HandoffOnce"
	// HandoffTold: the customer is told of a handoff or an assignment right behind it, in the same epoch.
	HandoffTold Rule = "HandoffTold"

	// OfferAlone: a conversation has at most one open offer, only while the queue owns it.
	OfferAlone Rule = "OfferAlone"
	// OfferAccepted: an assignment or the end of an offer is about the open offer's agent.
	OfferAccepted Rule = "OfferAccepted"
	// AssignedOnce: each handoff has exactly one agent who got it, by accepting or taking over.
	AssignedOnce Rule = "AssignedOnce"
	// WithinCapacity: no offer brings an agent above their capacity, over all conversations.
	WithinCapacity Rule = "WithinCapacity"

	// MoveKept: an acknowledged accept, takeover, resolve or return is in the log.
	MoveKept Rule = "MoveKept"
	// MoveOnce: no handoff is resolved or returned twice, acknowledged or not.
	MoveOnce Rule = "MoveOnce"
	// MoveAsMade: those in the log were made by that agent.
	MoveAsMade Rule = "MoveAsMade"

	// SeenAsLogged: what a customer was shown is, number by number, the customer's view of the log.
	SeenAsLogged Rule = "SeenAsLogged"
	// SeenWhole: a customer was shown the events in order, each once, and none was left out.
	SeenWhole Rule = "SeenWhole"
	// PiecesKept: the pieces of an answer that a customer was shown are a beginning of the message that the log has in
	// the end, be it whole or interrupted, unless the connection was cut in between.
	PiecesKept Rule = "PiecesKept"
)
