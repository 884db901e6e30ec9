package routing

import (
	"slices"
	"time"
)

// edge is the first time after now at which the schedule turns on or off, and false if it never does.
func (s schedule) edge(now time.Time) (time.Time, bool) {
	was := s.on(now)
	for _, day := range s.days(now) {
		first, ok := s.change(day, now, was)
		if !ok {
			continue
		}
		// Clocks that go back across midnight show the next date before they show this one again.
		if t, ok := s.change(day.AddDate(0, 0, 1), now, was); ok && t.Before(first) {
			return t, true
		}
		return first, true
	}
	return time.Time{}, false
}

// change is the first instant of a local date after now at which the schedule is not what it was.
func (s schedule) change(day, now time.Time, was bool) (time.Time, bool) {
	for _, t := range s.instants(day) {
		if t.After(now) && s.on(t) != was {
			return t, true
		}
	}
	return time.Time{}, false
}

// days lists, in order, the local dates (as midnights in UTC) that can hold the next edge. A schedule that is always
// on but for closures changes only around a closure's date. Any other repeats weekly, and a week passes without an
// edge only where closures fill it or the clocks skip its windows, which happens less than once a month. Yesterday is
// among them for clocks that go back across midnight.
func (s schedule) days(now time.Time) []time.Time {
	yesterday := date(now.In(s.zone)).AddDate(0, 0, -1)
	var days []time.Time
	if len(s.windows) > 0 && !s.always() {
		for i := range 7 * (len(s.closures) + 6) {
			days = append(days, yesterday.AddDate(0, 0, i))
		}
		return days
	}
	for _, c := range s.closures {
		d, err := time.Parse(dateFormat, c.Date)
		if err != nil {
			continue
		}
		for i := -1; i <= 2; i++ { // 2, because a zone that crosses the date line skips a day
			if d := d.AddDate(0, 0, i); !d.Before(yesterday) {
				days = append(days, d)
			}
		}
	}
	slices.SortFunc(days, time.Time.Compare)
	return slices.CompactFunc(days, time.Time.Equal)
}

// always tells whether the windows fill the whole week.
func (s schedule) always() bool {
	for _, day := range weekdays {
		covered := 0
		for covered < dayMinutes {
			before := covered
			for _, w := range s.windows {
				if slices.Contains(w.Days, day) && w.From <= covered && w.To > covered {
					covered = w.To
				}
			}
			if covered == before {
				return false
			}
		}
	}
	return true
}

// date is the local date of a time as midnight in UTC.
func date(local time.Time) time.Time {
	y, m, d := local.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// instants lists in order the times of a local date at which the schedule may turn on or off: wherever the wall clock
// shows a bound of a window or closure, or jumps. A wall-clock time that is repeated gives two instants, one that is
// skipped none.
func (s schedule) instants(day time.Time) []time.Time {
	minutes := s.bounds(day)
	var all []time.Time
	// No zone is 26 hours or more from UTC, so the segments from day−26h to day+50h hold the whole local date.
	for t, end := day.Add(-26*time.Hour).In(s.zone), day.Add(50*time.Hour); t.Before(end); {
		_, offset := t.Zone()
		_, until := t.ZoneBounds()
		for _, m := range minutes {
			at := day.Add(time.Duration(m)*time.Minute - time.Duration(offset)*time.Second).In(s.zone)
			if !at.Before(t) && (until.IsZero() || at.Before(until)) {
				all = append(all, at)
			}
		}
		if until.IsZero() {
			break
		}
		if date(until).Equal(day) {
			all = append(all, until)
		}
		t = until
	}
	return all
}

// bounds lists the minutes of a local date at which a window or closure begins or ends. Midnight is always one.
func (s schedule) bounds(day time.Time) []int {
	minutes := []int{0}
	for _, w := range s.windows {
		if slices.Contains(w.Days, weekdays[day.Weekday()]) {
			minutes = append(minutes, w.From, w.To)
		}
	}
	text := day.Format(dateFormat)
	for _, c := range s.closures {
		if c.Date == text {
			minutes = append(minutes, c.From, c.To)
		}
	}
	slices.Sort(minutes)
	return slices.Compact(minutes)
}
