package tenant

import (
	"context"
	"fmt"
	"net/mail"
	"regexp"
	"strings"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

var (
	// phoneNumber is the form of numbers in E.164, the international one.
	phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	// emailIn and phoneIn find an address and an international number in a message.
	emailIn = regexp.MustCompile(`[^\s<>()\[\]",;:@]+@[^\s<>()\[\]",;:@]+\.[\pL\pN-]{2,}`)
	phoneIn = regexp.MustCompile(`\+[1-9][0-9 ()./-]{5,20}[0-9]`)
	// separators are what people write between the digits of a number.
	separators = strings.NewReplacer(" ", "", "(", "", ")", "", ".", "", "/", "", "-", "")
)

// GiveContact notes how a customer can be reached: an e-mail address, a number in any common form of the international
// one, or both. Neither is verified.
func (t *Tenant) GiveContact(ctx context.Context, id, email, phone string) (out conversation.Conversation, err error) {
	if email != "" {
		if a, err := mail.ParseAddress(email); err != nil || a.Address != email || len(email) > maxName {
			return out, &Invalid{"email", fmt.Sprintf("%q is no e-mail address; give one such as ada@example.com", clip(email))}
		}
	}
	if phone != "" {
		written := phone
		if phone = separators.Replace(phone); !phoneNumber.MatchString(phone) {
			return out, &Invalid{"phone", fmt.Sprintf("%q is no international number; give one such as +31201234567", clip(written))}
		}
	}
	if email == "" && phone == "" {
		return out, &Invalid{"email", "is empty, as is phone; give one of them"}
	}
	err = t.move(ctx, id, &out, func(_ store.Tx, c conversation.Conversation) (conversation.Change, error) {
		return c.GiveContact(email, phone, t.clock.Now())
	})
	return out, err
}

// contactIn is what a customer who was asked how they can be reached answers in a message; both empty if they do not.
func contactIn(c conversation.Conversation, text string) (email, phone string) {
	if c.Contact == nil || !c.Contact.Asked {
		return "", ""
	}
	if c.Contact.By == v1alpha1.ChannelTypePhone {
		if phone = separators.Replace(phoneIn.FindString(text)); !phoneNumber.MatchString(phone) {
			return "", ""
		}
		return "", phone
	}
	found := emailIn.FindString(text)
	if a, err := mail.ParseAddress(found); err != nil || len(found) > maxName || a.Address != found {
		return "", ""
	}
	return found, ""
}
