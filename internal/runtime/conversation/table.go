package conversation

// Name names a transition.
type Name string

// The names of the transitions. Transitions lists what each needs and does.
const (
	CustomerWrites  Name = "CustomerWrites"
	CustomerLeaves  Name = "CustomerLeaves"
	CustomerReturns Name = "CustomerReturns"
	FollowUp        Name = "FollowUp"
	Reopen          Name = "Reopen"
	Continue        Name = "Continue"
	GiveContact     Name = "GiveContact"

	AIAnswers Name = "AIAnswers"
	HandOff   Name = "HandOff"

	MakeOffer       Name = "MakeOffer"
	OfferExpires    Name = "OfferExpires"
	Decline         Name = "Decline"
	Withdraw        Name = "Withdraw"
	Accept          Name = "Accept"
	AskContact      Name = "AskContact"
	RecordVoicemail Name = "RecordVoicemail"
	Overflow        Name = "Overflow"
	NobodyThere     Name = "NobodyThere"
	Inform          Name = "Inform"

	TakeOver     Name = "TakeOver"
	Adopt        Name = "Adopt"
	AgentReplies Name = "AgentReplies"
	AgentNotes   Name = "AgentNotes"
	Transfer     Name = "Transfer"
	Snooze       Name = "Snooze"
	Wake         Name = "Wake"
	Resolve      Name = "Resolve"
	ReturnToAI   Name = "ReturnToAI"
	IdleReturn   Name = "IdleReturn"
	AgentGone    Name = "AgentGone"
	BeginWrapUp  Name = "BeginWrapUp"
	EndWrapUp    Name = "EndWrapUp"

	OutsideReplies Name = "OutsideReplies"
	OutsideEnds    Name = "OutsideEnds"
	Requeue        Name = "Requeue"

	Reassign     Name = "Reassign"
	ReassignToAI Name = "ReassignToAI"
	Merge        Name = "Merge"
	Absorb       Name = "Absorb"
	Erase        Name = "Erase"
)

// Transition is one row of the state machine. docs/conversation.md is drawn from these rows.
type Transition struct {
	Name Name
	// From are the owners in which it may happen.
	From []OwnerKind
	// To are the owners it leads to; empty means that the owner stays and the epoch with it.
	To []OwnerKind
	// Guard says what else must hold, and Effect what is written, for the reader of the docs.
	Guard, Effect string
}

var (
	open    = []OwnerKind{OwnerAI, OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk}
	anybody = append(open[:len(open):len(open)], OwnerNobody)
	outside = []OwnerKind{OwnerLine, OwnerHelpdesk}
	humans  = []OwnerKind{OwnerQueue, OwnerAgent, OwnerLine, OwnerHelpdesk}
)

// Transitions is the whole state machine: what is not in it cannot happen.
var Transitions = []Transition{
	{CustomerWrites, open, nil,
		"the message's client id is new", "the message; a snooze ends; the customer is back; the AI owes an answer where it is the owner"},
	{CustomerLeaves, open, nil,
		"the customer is there", "that they left"},
	{CustomerReturns, open, nil,
		"the customer left", "that they are back"},
	{FollowUp, []OwnerKind{OwnerAI}, []OwnerKind{OwnerQueue},
		"the customer is there and leaves with a question open: the AI owes an answer, or had none",
		"that they left, the released part of a cut answer, the handoff with the reason CustomerLeft, what the customer is told"},
	{Reopen, []OwnerKind{OwnerNobody}, []OwnerKind{OwnerAI, OwnerQueue},
		"the customer writes to a conversation that was closed not long ago and not merged",
		"reopened, the message; either a fresh window in which the AI owes an answer, or a handoff for the last agent, and what the customer is told"},
	{Continue, []OwnerKind{OwnerNobody}, nil,
		"not merged or continued yet", "the id of the conversation that goes on for it"},
	{GiveContact, open, nil,
		"there is an e-mail address or a number", "how the customer can be reached"},

	{AIAnswers, []OwnerKind{OwnerAI}, nil,
		"the epoch is the one the turn began with, and the answer is still owed", "the AI's message with its sources"},
	{HandOff, []OwnerKind{OwnerAI}, []OwnerKind{OwnerQueue},
		"the epoch is the one the turn began with, and the answer is still owed", "the released part of a cut answer, the handoff with both summaries, what the customer is told"},

	{MakeOffer, []OwnerKind{OwnerQueue}, nil,
		"no offer is open; the agent is on shift, present, able and below capacity", "the offer, which takes the agent's capacity"},
	{OfferExpires, []OwnerKind{OwnerQueue}, nil,
		"an offer is open", "the offer ends, its agent comes after the others, the place in the queue stays"},
	{Decline, []OwnerKind{OwnerQueue}, nil,
		"the open offer is this agent's", "the offer ends, its agent comes after the others, the place in the queue stays"},
	{Withdraw, []OwnerKind{OwnerQueue}, nil,
		"an offer is open", "the offer ends because its agent is not there any more, the place in the queue stays"},
	{Accept, []OwnerKind{OwnerQueue}, []OwnerKind{OwnerAgent},
		"the open offer is this agent's and its time is not up", "assigned, what the customer is told"},
	{AskContact, []OwnerKind{OwnerQueue}, nil,
		"the customer was not asked yet", "what the customer is asked for: an e-mail address or a number; what they are told"},
	{RecordVoicemail, []OwnerKind{OwnerQueue}, nil,
		"", "the voicemail, and the caller's number to call back"},
	{Overflow, []OwnerKind{OwnerQueue}, outside,
		"the route or the unavailable step names a line or helpdesk", "transferred, an open offer ends, what the customer is told"},
	{NobodyThere, []OwnerKind{OwnerQueue}, nil,
		"nobody is on shift, or nobody took it in time, and the customer was not told so in this wait", "why nobody is there, what the customer is told"},
	{Inform, []OwnerKind{OwnerQueue}, nil,
		"", "what the customer is told"},

	{TakeOver, []OwnerKind{OwnerAI, OwnerQueue, OwnerLine}, []OwnerKind{OwnerAgent},
		"an agent of the Copilot", "the released part of a cut answer, the handoff where there was none, taken over"},
	{Adopt, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerAgent},
		"an agent of the Copilot; the owner is in no pool any more", "taken over, what the customer is told"},
	{AgentReplies, []OwnerKind{OwnerAgent}, nil,
		"the agent is the owner", "the agent's message; a snooze ends; the customer's silence counts from now"},
	{AgentNotes, anybody, nil,
		"an agent of the Copilot", "a note that the customer never sees"},
	{Transfer, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerQueue, OwnerLine, OwnerHelpdesk},
		"the agent is the owner, and the target is somebody else", "transferred with a note for the next human, a wait of its own begins, what the customer is told"},
	{Snooze, []OwnerKind{OwnerAgent}, nil,
		"the agent is the owner; the time is to come", "snoozed until then: the agent keeps it, but it takes none of their capacity"},
	{Wake, []OwnerKind{OwnerAgent}, nil,
		"it is snoozed; the time has come, or the owner asks for it", "woken: it takes the agent's capacity again, beyond the limit if need be"},
	{Resolve, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerAI, OwnerNobody},
		"the agent is the owner", "resolved with its disposition; the AI answers again with a fresh window, or the conversation is closed. One that went back too often is closed, with a note why"},
	{ReturnToAI, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerAI},
		"the agent is the owner; it has not gone back too often", "returned; the AI answers again with a fresh window"},
	{IdleReturn, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerAI, OwnerNobody},
		"the customer has been silent since a human's last message for as long as the policy says",
		"returned; the AI answers again with a fresh window. One that went back too often is closed, with a note why"},
	{AgentGone, []OwnerKind{OwnerAgent}, []OwnerKind{OwnerQueue},
		"the agent is offline; the customer's newest message has no human's answer, and is not put off", "requeued at its old place, what the customer is told"},
	{BeginWrapUp, []OwnerKind{OwnerAI, OwnerNobody}, nil,
		"an agent has just let go of it", "its units stay taken until the wrap-up ends"},
	{EndWrapUp, anybody, nil,
		"there is a wrap-up; its time is up, or its agent is done or has the conversation again", "the units are free"},

	{OutsideReplies, []OwnerKind{OwnerHelpdesk}, nil,
		"", "the message of a human at the helpdesk"},
	{OutsideEnds, outside, []OwnerKind{OwnerAI, OwnerNobody},
		"", "resolved where it was worked, as Resolve"},
	{Requeue, outside, []OwnerKind{OwnerQueue},
		"", "nobody answered there, with the reason; its old place in the queue, what the customer is told"},

	{Reassign, open, []OwnerKind{OwnerAgent, OwnerQueue, OwnerNobody},
		"a supervisor; the new owner is another one, or the queue with another target",
		"the released part of a cut answer, the handoff where there was none, reassigned with a note, what the customer is told"},
	{ReassignToAI, humans, []OwnerKind{OwnerAI},
		"a supervisor", "reassigned; the AI answers again with a fresh window, and may be given it as often as a new one"},
	{Merge, anybody, []OwnerKind{OwnerNobody},
		"both conversations name the same customer, are two, and neither is merged; the other one is open",
		"the released part of a cut answer, the id of the conversation that goes on"},
	{Absorb, open, nil,
		"as Merge", "the id of the merged conversation, and what its customer wrote there without an answer, as messages here"},
	{Erase, anybody, []OwnerKind{OwnerNobody},
		"it was not erased before", "erased; what people wrote and who the customer is goes out of the log, whose structure stays"},
}
