package conversation

import (
	"testing"
	"time"
)

// The time for which a conversation was put off is no work: neither where it was woken, nor where it still is put off when
// the agent lets go of it.
func TestHandlingTimeLeavesSnoozedTimeOut(t *testing.T) {
	t.Parallel()
	at := func(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }
	c := must(t)(owned(t, OwnerAgent).Snooze(anna, at(100), at(2))) // 2 minutes of work
	c = must(t)(c.Wake(&anna, at(50)))
	is(t, "worked", 5*time.Minute, c.Worked(at(53)))
	c = must(t)(c.Snooze(anna, at(100), at(53))) // 3 more
	is(t, "worked while it is put off", 5*time.Minute, c.Worked(at(60)))

	change, err := c.Resolve(anna, Outcome{ToAI: true}, at(60))
	if err != nil {
		t.Fatal(err)
	}
	is(t, "handled", &Handled{"support", c.AnswerBy(), at(60), 5 * time.Minute}, change.Handled)
	c = must(t)(c.CustomerWrites("m9", "Hello?", at(60))) // wakes it
	change, err = c.Resolve(anna, Outcome{ToAI: true}, at(61))
	if err != nil {
		t.Fatal(err)
	}
	is(t, "handled after it was woken", &Handled{"support", c.AnswerBy(), at(61), 6 * time.Minute}, change.Handled)
	is(t, "how it went", &Course{Queued: true, Answered: true}, change.Ended)
}
