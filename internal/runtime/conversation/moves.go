package conversation

import (
	"cmp"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Start makes a new conversation, which belongs to the AI. A greeting is its first message.
func Start(c Conversation, greeting string, now time.Time) Change {
	c.Owner, c.Epoch, c.CreatedAt, c.UpdatedAt = Owner{Kind: OwnerAI}, 1, now, now
	s := &step{conv: c, now: now}
	s.append(Event{Type: EventStarted, Author: Author{Kind: AuthorSystem}, Owner: &c.Owner})
	if greeting != "" {
		s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorAI}, Text: greeting})
	}
	return Change{Conversation: s.conv, Events: s.evs}
}

// CustomerWrites appends a customer's message to a conversation that is open. Where the AI owns it, it owes an answer
// afterwards. The caller makes sure that clientID is new.
func (c Conversation) CustomerWrites(clientID, text string, now time.Time) (Change, error) {
	s, err := c.begin(CustomerWrites, now)
	if err != nil {
		return Change{}, err
	}
	s.wake(Author{Kind: AuthorSystem})
	s.customerSays(clientID, text)
	return s.done()
}

// Reopen takes a customer's message to a closed conversation. Without again the AI answers it, with a fresh window;
// otherwise it goes to the queue as the handoff again, and the customer is told. The caller makes sure that clientID is
// new, and that the conversation was not closed too long ago.
func (c Conversation) Reopen(clientID, text string, again *Handoff, told []string, now time.Time) (Change, error) {
	s, err := c.begin(Reopen, now)
	if err != nil {
		return Change{}, err
	}
	if !c.ErasedAt.IsZero() {
		return s.refuse("what was in it was erased; begin another conversation")
	}
	if c.MergedInto != "" {
		return s.refuse("it goes on in conversation %s", c.MergedInto)
	}
	to := Owner{Kind: OwnerAI}
	if again != nil {
		to = Owner{Kind: OwnerQueue}
	}
	s.append(Event{Type: EventReopened, Author: Author{Kind: AuthorSystem}, Owner: s.give(to)})
	s.freshWindow(c.Background)
	s.customerSays(clientID, text)
	if again != nil {
		s.handoff(*again, nil)
		for _, text := range told {
			s.tell(text)
		}
	}
	return s.done()
}

// Continue notes that a conversation, whose customer came back too late to reopen it, goes on in another.
func (c Conversation) Continue(other string, now time.Time) (Change, error) {
	s, err := c.begin(Continue, now)
	if err != nil {
		return Change{}, err
	}
	if !c.ErasedAt.IsZero() {
		return s.refuse("what was in it was erased; begin another conversation")
	}
	if c.MergedInto != "" {
		return s.refuse("it goes on in conversation %s", c.MergedInto)
	}
	s.conv.MergedInto = other
	s.append(Event{Type: EventContinued, Author: Author{Kind: AuthorSystem}, Other: other})
	return s.done()
}

// CustomerLeaves notes that the customer went away. With a question open while the AI owns it, see FollowUp.
func (c Conversation) CustomerLeaves(now time.Time) (Change, error) {
	s, err := c.begin(CustomerLeaves, now)
	if err != nil {
		return Change{}, err
	}
	return s.leave()
}

// QuestionOpen says whether the AI owns a conversation in which it owes an answer, or had none.
func (c Conversation) QuestionOpen() bool {
	return c.Owner.Kind == OwnerAI && (c.Pending != 0 || c.NotUnderstood > 0)
}

// FollowUp gives the conversation of a customer who went away with a question open to the queue: a human follows it up.
// cut is as for TakeOver.
func (c Conversation) FollowUp(h Handoff, cut *Cut, told []string, now time.Time) (Change, error) {
	s, err := c.begin(FollowUp, now)
	if err != nil {
		return Change{}, err
	}
	if !c.QuestionOpen() {
		return s.refuse("the AI has answered")
	}
	if _, err := s.leave(); err != nil {
		return Change{}, err
	}
	s.cutShort(c, cut)
	h.Reason = v1alpha1.HandoffCustomerLeft
	s.handoff(h, s.give(Owner{Kind: OwnerQueue}))
	for _, text := range told {
		s.tell(text)
	}
	return s.done()
}

// CustomerReturns notes that a customer who went away is back.
func (c Conversation) CustomerReturns(now time.Time) (Change, error) {
	s, err := c.begin(CustomerReturns, now)
	if err != nil {
		return Change{}, err
	}
	if c.LeftAt.IsZero() {
		return s.refuse("the customer is there")
	}
	s.conv.LeftAt = time.Time{}
	s.append(Event{Type: EventCustomerReturned, Author: Author{Kind: AuthorCustomer}})
	return s.done()
}

// GiveContact notes how the customer can be reached. What they do not give stays as it was.
func (c Conversation) GiveContact(email, phone string, now time.Time) (Change, error) {
	s, err := c.begin(GiveContact, now)
	if err != nil {
		return Change{}, err
	}
	if email == "" && phone == "" {
		return s.refuse("neither an e-mail address nor a number is given")
	}
	s.conv.Course.Postponed = s.conv.Course.Postponed || c.Handoff != nil
	s.contact(func(k *Contact) { k.Email, k.Phone = cmp.Or(email, k.Email), cmp.Or(phone, k.Phone) })
	s.append(Event{Type: EventContactGiven, Author: Author{Kind: AuthorCustomer}, Contact: s.conv.Contact})
	return s.done()
}

func (s *step) leave() (Change, error) {
	if !s.conv.LeftAt.IsZero() {
		return s.refuse("the customer has left already")
	}
	s.conv.LeftAt = s.now
	s.append(Event{Type: EventCustomerLeft, Author: Author{Kind: AuthorCustomer}})
	return s.done()
}

// customerSays appends a customer's message, with which they are back.
func (s *step) customerSays(clientID, text string) {
	s.conv.LeftAt, s.conv.ReturnAt = time.Time{}, time.Time{}
	s.append(Event{Type: EventMessage, Author: Author{Kind: AuthorCustomer, ID: s.conv.Customer.ID, Name: s.conv.Customer.Name},
		Text: text, ClientID: clientID})
	s.conv.LastCustomer = s.conv.Seq
	if s.conv.Owner.Kind == OwnerAI {
		s.conv.Pending = s.conv.Seq
	}
}

// contact changes how the customer can be reached.
func (s *step) contact(change func(*Contact)) {
	var k Contact
	if s.conv.Contact != nil {
		k = *s.conv.Contact
	}
	change(&k)
	s.conv.Contact = &k
}
