package conversation_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// kept are the fields of an event that an erasure leaves: a new field has to be put here or be taken out by Erased.
var kept = map[string]bool{
	"Seq": true, "Epoch": true, "Type": true, "At": true, "Author.Kind": true, "AnswerTo": true, "Unanswered": true,
	"Interrupted": true, "Owner.Kind": true, "Owner.ID": true, "Agent.Kind": true, "Agent.ID": true, "Agent.Name": true,
	"Room.Held": true, "Room.Capacity": true, "Cost": true, "Disposition": true, "Target.Pool": true, "Target.Agent": true, "Target.Line": true,
	"Target.Helpdesk": true, "Until": true, "Other": true, "Copied": true, "Absence": true, "Away": true,
	"Handoff.Number": true, "Handoff.Reason": true, "Handoff.IssueType": true, "Handoff.Sentiment": true,
	"Handoff.Language": true, "Handoff.Confidence": true, "Handoff.Priority": true, "Handoff.Route": true, "Handoff.At": true,
	"Handoff.Pinned.Pool": true, "Handoff.Pinned.Agent": true, "Handoff.Pinned.Line": true, "Handoff.Pinned.Helpdesk": true,
}

// An event in which everything is set has afterwards only what is kept.
func TestErasedKeepsTheStructureOnly(t *testing.T) {
	t.Parallel()
	var full conversation.Event
	fill(reflect.ValueOf(&full).Elem())
	full.Author.Kind = conversation.AuthorCustomer
	for field, zero := range leaves("", reflect.ValueOf(full.Erased())) {
		if zero == kept[field] {
			t.Errorf("%s: it is kept = %v, and stays after an erasure = %v", field, kept[field], !zero)
		}
	}
}

// fill sets every field.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	default:
		v.SetInt(1)
	}
}

// leaves says of each field that holds a value whether it is zero.
func leaves(path string, v reflect.Value) map[string]bool {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return map[string]bool{strings.TrimPrefix(path, "."): v.IsZero()}
	}
	out := map[string]bool{}
	for i := range v.NumField() {
		for field, zero := range leaves(path+"."+v.Type().Field(i).Name, v.Field(i)) {
			out[field] = zero
		}
	}
	return out
}

// An erased conversation has no customer any more and does not go on.
func TestEraseEndsAConversation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	c := conversation.Start(conversation.Conversation{ID: "c", Customer: conversation.Customer{ID: "u", Name: "Ada", Email: "a@b.example"}}, "Hi", now).Conversation
	by := conversation.Author{Kind: conversation.AuthorAgent, ID: "boss@agents.example"}
	change, err := c.Erase(by, now)
	if err != nil {
		t.Fatal(err)
	}
	e := change.Conversation
	if e.Customer != (conversation.Customer{}) || e.Owner.Kind != conversation.OwnerNobody || e.Epoch != 2 || e.ErasedAt != now || e.ClosedAt != now {
		t.Errorf("afterwards: %+v", e)
	}
	var refusal *conversation.Refusal
	if _, err := e.Erase(by, now); !errors.As(err, &refusal) {
		t.Errorf("erased twice: %v", err)
	}
	if _, err := e.Reopen("m", "hello", nil, nil, now); !errors.As(err, &refusal) {
		t.Errorf("written to afterwards: %v", err)
	}
	if _, err := e.Continue("c2", now); !errors.As(err, &refusal) {
		t.Errorf("goes on elsewhere: %v", err)
	}
}
