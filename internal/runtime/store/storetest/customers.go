package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store"
)

// Conversations are found by who their customer says they are, and those merged into one by that one.
func testConversationsOfACustomer(t *testing.T, s store.Store) {
	for i, c := range []conversation.Conversation{
		{ID: "c1", Customer: conversation.Customer{ID: "u1", Email: "ada@example.org"}},
		{ID: "c2", Customer: conversation.Customer{ID: "u1"}},
		{ID: "c3", Customer: conversation.Customer{Email: "Ada@Example.org"}},
		{ID: "c4"},
	} {
		start := conversation.Start(c, "", t0.Add(time.Duration(i)))
		update(t, s, func(tx store.Tx) error { return tx.Create(start, []byte(c.ID)) })
	}
	update(t, s, func(tx store.Tx) error {
		from, err := tx.Conversation("c1")
		into, err2 := tx.Conversation("c2")
		merged, goesOn, err3 := from.MergeInto(into, anna, nil, nil, t0)
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		return errors.Join(tx.Save(merged), tx.Save(goesOn))
	})
	view(t, s, func(r store.Reader) error {
		for key, want := range map[string]string{"u1": "[c2 c1]", "ada@example.org": "[c3]", "": "[]", "u9": "[]"} {
			found, err := r.OfCustomer(key)
			if err != nil {
				return err
			}
			same(t, "conversations of "+key, want, ids(found))
		}
		into, err := r.MergedInto("c2")
		none, err2 := r.MergedInto("c1")
		same(t, "merged into c2", []string{"c1"}, into)
		same(t, "merged into c1", []string(nil), none)
		return errors.Join(err, err2)
	})
}
