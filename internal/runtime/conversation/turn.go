package conversation

import "time"

// AIAnswers appends the AI's answer to the customer's message answerTo, in a turn that began at epoch. It returns
// ErrStale when the conversation has changed hands since or the message was answered. A message that the customer
// wrote meanwhile stays owed.
func (c Conversation) AIAnswers(epoch, answerTo int64, a Answer, now time.Time) (Change, error) {
	if c.stale(epoch, answerTo) {
		return Change{}, ErrStale
	}
	s, err := c.begin(AIAnswers, now)
	if err != nil {
		return Change{}, err
	}
	s.answer(answerTo, a)
	s.conv.Turns++
	s.conv.NotUnderstood++
	if a.Understood {
		s.conv.NotUnderstood = 0
	}
	return s.done()
}

// HandOff gives the conversation to the queue, in a turn for the customer's message answerTo that began at epoch, and
// tells the customer. What the turn released of an answer before, if anything, is kept as cut. It returns ErrStale as
// AIAnswers does.
func (c Conversation) HandOff(epoch, answerTo int64, h Handoff, cut *Answer, told []string, now time.Time) (Change, error) {
	if c.stale(epoch, answerTo) {
		return Change{}, ErrStale
	}
	s, err := c.begin(HandOff, now)
	if err != nil {
		return Change{}, err
	}
	s.cut(answerTo, cut)
	s.handoff(h, s.give(Owner{Kind: OwnerQueue}))
	for _, text := range told {
		s.tell(text)
	}
	return s.done()
}

// Owes says whether the answer of a turn, which began at epoch for the message answerTo, is still to be given.
func (c Conversation) Owes(epoch, answerTo int64) bool { return !c.stale(epoch, answerTo) }

func (c Conversation) stale(epoch, answerTo int64) bool {
	return c.Owner.Kind != OwnerAI || c.Epoch != epoch || answerTo > c.Pending || answerTo <= max(c.Answered, c.Window)
}

// answer writes the AI's message down, in the epoch in which it was said.
func (s *step) answer(answerTo int64, a Answer) {
	s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorAI}, Text: a.Text, Sources: a.Sources,
		AnswerTo: answerTo, Unanswered: !a.Understood && !a.Interrupted, Interrupted: a.Interrupted})
	s.conv.Answered = answerTo
	if s.conv.Pending <= answerTo {
		s.conv.Pending = 0
	}
}

// cut writes down what a customer has seen of an answer that ends here.
func (s *step) cut(answerTo int64, cut *Answer) {
	if cut == nil || cut.Text == "" {
		return
	}
	a := *cut
	a.Interrupted = true
	s.answer(answerTo, a)
}

// handoff writes the handoff down and makes it the one in progress.
func (s *step) handoff(h Handoff, owner *Owner) {
	s.conv.Pending = 0
	s.conv.Handoffs++
	h.Number, h.At = s.conv.Handoffs, s.now
	s.conv.Handoff = &h
	s.conv.Passed = nil
	s.append(Event{Type: EventHandoff, Author: Author{Kind: AuthorSystem}, Owner: owner, Handoff: &h})
}

// cutShort writes down what the AI's running turn had released when the conversation went to somebody else, unless that
// turn's answer is in the log already.
func (s *step) cutShort(before Conversation, cut *Cut) {
	if cut != nil && !before.stale(cut.Epoch, cut.AnswerTo) {
		s.cut(cut.AnswerTo, &cut.Answer)
	}
}

// freshWindow lets the AI begin anew: what was said before cannot trigger a handoff again.
func (s *step) freshWindow(background string) {
	s.conv.Window, s.conv.Background = s.conv.Seq, background
	s.conv.Turns, s.conv.NotUnderstood, s.conv.Pending = 0, 0, 0
	if s.conv.Handoff != nil {
		s.conv.Previous = s.conv.Handoff
	}
	s.conv.Handoff, s.conv.Passed = nil, nil
	if k := s.conv.Contact; k != nil { // the next human answers where the customer is then
		s.conv.Contact = nil
		if k.Email != "" || k.Phone != "" {
			s.conv.Contact = &Contact{Email: k.Email, Phone: k.Phone}
		}
	}
}
