package tenant

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// Time that passes between the reading of a deadline and the setting of its alarm does not put the alarm off.
func TestAnAlarmIsNotPutOffByWhatComesBetween(t *testing.T) {
	t.Parallel()
	clock := clocktesting.NewFakeClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	tenant := &Tenant{clock: clock}
	read := moment{store: clock.Now().Add(time.Hour), here: clock.Now()} // a store whose clock goes an hour fast
	clock.Step(time.Minute)

	past, stop := tenant.alarm(read.local(read.store.Add(time.Minute)))
	defer stop()
	select {
	case <-past:
	default:
		t.Error("what is due waits for more time to pass")
	}
	next, stop := tenant.alarm(read.local(read.store.Add(3 * time.Minute)))
	defer stop()
	clock.Step(2*time.Minute - 1)
	select {
	case <-next:
		t.Error("early")
	default:
	}
	clock.Step(1)
	select {
	case <-next:
	default:
		t.Error("late")
	}
	if never, _ := tenant.alarm(read.local(time.Time{})); never != nil {
		t.Error("an alarm without a time")
	}
}
