package tenant

import (
	"strings"
	"testing"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// What one decision reads is bounded, ends with the newest message, and has no greeting in it.
func TestDecisionReadsABoundedPartOfTheNewest(t *testing.T) {
	t.Parallel()
	v := view{}
	add := func(kind conversation.AuthorKind, text string, answerTo int64) {
		v.window = append(v.window, conversation.Event{Seq: int64(len(v.window) + 1), Type: conversation.EventMessage,
			Author: conversation.Author{Kind: kind}, Text: text, AnswerTo: answerTo})
	}
	add(conversation.AuthorAI, "Welcome!", 0)
	add(conversation.AuthorCustomer, "Hello", 0)
	v.conv.Answered = 2
	add(conversation.AuthorAI, "Hi.", 2)
	if in := decideInput(v); len(in.Messages) != 2 || in.Messages[0].Text != "Hello" {
		t.Errorf("a short conversation is read as %+v", in.Messages)
	}
	for range 98 {
		add(conversation.AuthorCustomer, strings.Repeat("x", MaxText), 0)
		v.conv.Answered = int64(len(v.window))
		add(conversation.AuthorAI, "Hm.", v.conv.Answered)
	}
	add(conversation.AuthorCustomer, "the newest", 0)
	in, size := decideInput(v), 0
	for _, m := range in.Messages {
		size += len(m.Text)
	}
	if size > maxRead || in.Messages[len(in.Messages)-1].Text != "the newest" {
		t.Errorf("%d bytes are read, the last %q", size, in.Messages[len(in.Messages)-1].Text)
	}
}
