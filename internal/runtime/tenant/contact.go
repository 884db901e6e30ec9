package tenant

import (
	"context"
	"fmt"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/decide"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// GiveContact notes how a customer can be reached: an e-mail address, a number in any common form of the international
// one, or both. Neither is verified.
func (t *Tenant) GiveContact(ctx context.Context, id, email, phone string) (out conversation.Conversation, err error) {
	if email != "" && decide.Contact(email).Email != email {
		return out, &Invalid{"email", fmt.Sprintf("%q is no e-mail address; give one such as ada@example.com", clip(email))}
	}
	number := decide.Contact(phone).Phone
	if phone != "" && number == "" {
		return out, &Invalid{"phone", fmt.Sprintf("%q is no international number; give one such as +31201234567", clip(phone))}
	}
	if email == "" && phone == "" {
		return out, &Invalid{"email", "is empty, as is phone; give one of them"}
	}
	in, err := t.inputs()
	if err != nil {
		return out, err
	}
	err = t.change(ctx, func(tx store.Tx, save func(conversation.Change) error) error {
		c, now, err := locked(tx, id)
		if err != nil {
			return err
		}
		w := &waiting{tx: tx, table: in.table, conv: c, now: now, save: save}
		err = w.giveContact(email, number)
		out = w.conv
		return err
	})
	return out, err
}
