package conversation

import (
	"slices"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// MakeOffer holds the conversation out to one agent.
func (c Conversation) MakeOffer(o Offer, now time.Time) (Change, error) {
	s, err := c.begin(MakeOffer, now)
	if err != nil {
		return Change{}, err
	}
	if c.Offer != nil {
		return s.refuse("it is offered to %s until %s", c.Offer.Agent.Email, c.Offer.ExpiresAt.Format(time.RFC3339))
	}
	s.conv.Offer = &o
	s.append(Event{Type: EventOffered, Author: Author{Kind: AuthorSystem}, Agent: o.Agent.author(), Cost: o.Cost, Room: o.room()})
	return s.done()
}

// OfferExpires ends the open offer, whose agent let it pass. They come after the others when it is offered again.
func (c Conversation) OfferExpires(now time.Time) (Change, error) {
	return c.endOffer(OfferExpires, Event{Type: EventOfferExpired, Author: Author{Kind: AuthorSystem}}, true, now)
}

// OfferMissed is OfferExpires. away says that its agent is set away for it.
func (c Conversation) OfferMissed(away bool, now time.Time) (Change, error) {
	return c.endOffer(OfferExpires, Event{Type: EventOfferExpired, Author: Author{Kind: AuthorSystem}, Away: away}, true, now)
}

// Decline ends the open offer, to which its agent says no. They come after the others when it is offered again.
func (c Conversation) Decline(agent Person, now time.Time) (Change, error) {
	if c.Offer == nil || c.Offer.Agent.Email != agent.Email {
		return Change{}, &Refusal{Decline, c.Owner, "it is not offered to " + agent.Email + " now"}
	}
	return c.endOffer(Decline, Event{Type: EventDeclined, Author: *agent.author()}, true, now)
}

// Withdraw ends the open offer because its agent is not there any more. They did not let it pass.
func (c Conversation) Withdraw(now time.Time) (Change, error) {
	return c.endOffer(Withdraw, Event{Type: EventOfferWithdrawn, Author: Author{Kind: AuthorSystem}}, false, now)
}

func (c Conversation) endOffer(name Name, e Event, passed bool, now time.Time) (Change, error) {
	s, err := c.begin(name, now)
	if err != nil {
		return Change{}, err
	}
	if c.Offer == nil {
		return s.refuse("no offer is open")
	}
	s.conv.Offer = nil
	if passed && !slices.Contains(s.conv.Passed, c.Offer.Agent.Email) {
		s.conv.Passed = append(s.conv.Passed, c.Offer.Agent.Email)
	}
	e.Agent = c.Offer.Agent.author()
	s.append(e)
	return s.done()
}

// Accept gives the conversation to the agent who has the offer, and tells the customer.
func (c Conversation) Accept(agent Person, told string, now time.Time) (Change, error) {
	s, err := c.begin(Accept, now)
	if err != nil {
		return Change{}, err
	}
	if c.Offer == nil || c.Offer.Agent.Email != agent.Email {
		return s.refuse("it is not offered to %s now; take it over instead", agent.Email)
	}
	if !now.Before(c.Offer.ExpiresAt) {
		return s.refuse("the offer to %s expired at %s; take it over instead", agent.Email, c.Offer.ExpiresAt.Format(time.RFC3339))
	}
	owner := s.give(Owner{Kind: OwnerAgent, ID: agent.Email})
	s.conv.Cost, s.conv.Pool = c.Offer.Cost, c.Offer.Pool
	s.append(Event{Type: EventAssigned, Author: *agent.author(), Agent: agent.author(), Cost: c.Offer.Cost, Owner: owner})
	s.tell(told)
	return s.done()
}

// AskContact notes that the customer is asked how they can be reached, and tells them so: by Email for an address at
// which they will be answered, by Phone for a number on which they will be called back.
func (c Conversation) AskContact(by v1alpha1.ChannelType, told string, now time.Time) (Change, error) {
	s, err := c.begin(AskContact, now)
	if err != nil {
		return Change{}, err
	}
	if c.Contact != nil && c.Contact.Asked {
		return s.refuse("the customer was asked already")
	}
	s.contact(func(k *Contact) { k.Asked, k.By = true, by })
	s.append(Event{Type: EventContactAsked, Author: Author{Kind: AuthorSystem}, Contact: s.conv.Contact})
	s.tell(told)
	return s.done()
}

// RecordVoicemail adds a voicemail to a waiting conversation, whose customer is to be called back. It is for the phone
// channel, which is not served yet.
func (c Conversation) RecordVoicemail(v Voicemail, now time.Time) (Change, error) {
	s, err := c.begin(RecordVoicemail, now)
	if err != nil {
		return Change{}, err
	}
	if v.From != "" {
		s.contact(func(k *Contact) { k.Phone, k.By = v.From, v1alpha1.ChannelTypePhone })
	}
	s.append(Event{Type: EventVoicemail, Author: Author{Kind: AuthorCustomer}, Voicemail: &v, Contact: s.conv.Contact})
	return s.done()
}

// Overflow gives a waiting conversation to the line or helpdesk that its route, or the step for when nobody is there,
// names. It is for the adapters of both, which are not served yet.
func (c Conversation) Overflow(to Target, told string, now time.Time) (Change, error) {
	s, err := c.begin(Overflow, now)
	if err != nil {
		return Change{}, err
	}
	s.sendOn(Author{Kind: AuthorSystem}, to, "")
	s.tell(told)
	return s.done()
}
