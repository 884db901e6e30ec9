package routing

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// changingZones change their clocks by different rules: by an hour, by half of one and by two, in the north and in the
// south, for Ramadan, at midnight, at weekends that others do not have, backwards in winter as Dublin counts it, across
// the date line, and once for good.
var changingZones = []string{
	"Africa/Cairo", "Africa/Casablanca", "Africa/Khartoum", "America/Asuncion", "America/Havana", "America/Mexico_City",
	"America/New_York", "America/Nuuk", "America/Sao_Paulo", "America/Scoresbysund", "America/St_Johns", "Antarctica/Casey",
	"Antarctica/Troll", "Asia/Amman", "Asia/Beirut", "Asia/Gaza", "Asia/Jerusalem", "Asia/Pyongyang", "Asia/Tehran", "Atlantic/Azores",
	"Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/Chisinau", "Europe/Dublin", "Europe/Istanbul", "Europe/Volgograd",
	"Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Easter", "Pacific/Fiji", "Pacific/Norfolk",
}

// changesOf lists when the clocks of a zone change from 2016 up to 2026: the ten years behind these tests know rules that
// were given up since.
func changesOf(t *testing.T, name string) (all []time.Time) {
	t.Helper()
	z, err := zone(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	end := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(2016, 1, 1, 0, 0, 0, 0, z); ; {
		_, next := at.ZoneBounds()
		if next.IsZero() || next.After(end) {
			return all
		}
		_, before := at.Zone()
		if _, after := next.Zone(); before != after { // not only another name
			all = append(all, next)
		}
		at = next
	}
}

// aroundChange draws a schedule whose windows and closures begin and end near where a clock was and is.
func aroundChange(t *rapid.T, change time.Time) schedule {
	s := schedule{zone: change.Location()}
	before, after := change.Add(-time.Nanosecond), change
	minute := func(label string) int {
		if rapid.Bool().Draw(t, label+" anywhere") {
			return rapid.IntRange(0, dayMinutes).Draw(t, label)
		}
		at := rapid.SampledFrom([]time.Time{before, after}).Draw(t, label+" of")
		return min(max(at.Hour()*60+at.Minute()+rapid.IntRange(-130, 130).Draw(t, label+" off by"), 0), dayMinutes)
	}
	span := func(label string) (int, int) {
		a, b := minute(label+" a"), minute(label+" b")
		if a == b {
			return 0, dayMinutes
		}
		return min(a, b), max(a, b)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "windows") {
		from, to := span(fmt.Sprint("window ", i))
		days := rapid.SliceOfNDistinct(rapid.SampledFrom(weekdays), 1, 7, rapid.ID).Draw(t, "days")
		s.windows = append(s.windows, Window{Days: append(days, weekdays[before.Weekday()], weekdays[after.Weekday()]), From: from, To: to})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "closures") {
		from, to := span(fmt.Sprint("closure ", i))
		day := rapid.SampledFrom([]time.Time{before, after, after.AddDate(0, 0, 1)}).Draw(t, "closed")
		s.closures = append(s.closures, Closure{Date: day.Format(dateFormat), From: from, To: to})
	}
	return s
}

// TestEveryClockChangeOfTenYears walks the day and a half around each change minute by minute: on is what the clock on
// the wall says, a skipped time never comes, a repeated one counts both times, and edge names each turn and no other.
func TestEveryClockChangeOfTenYears(t *testing.T) {
	t.Parallel()
	total := 0
	for _, name := range changingZones {
		changes := changesOf(t, name)
		if len(changes) == 0 {
			t.Errorf("%s never changes its clocks", name)
		}
		total += len(changes)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, change := range changes {
				checked := 0
				rapid.Check(t, func(t *rapid.T) {
					if checked++; checked > 4 && testing.Short() || checked > 12 {
						return
					}
					walk(t, aroundChange(t, change), change.Add(-18*time.Hour).Truncate(time.Minute), change.Add(18*time.Hour))
				})
			}
		})
	}
	t.Logf("%d changes in %d zones", total, len(changingZones))
}

// walk compares a schedule with the clock on the wall, every minute.
func walk(t *rapid.T, s schedule, from, end time.Time) {
	was := reference(s, from)
	for m := from; m.Before(end); m = m.Add(time.Minute) {
		on := reference(s, m)
		if on != s.on(m) {
			t.Fatalf("on(%s) = %v, the wall clock says %v", m.In(s.zone), s.on(m), on)
		}
		if on == was {
			continue
		}
		if got, ok := s.edge(from); !ok || !got.Equal(m) {
			t.Fatalf("edge(%s) = %s %v, want %s", from.In(s.zone), got.In(s.zone), ok, m.In(s.zone))
		}
		from, was = m, on
	}
	if got, ok := s.edge(from); ok && got.Before(end) {
		t.Fatalf("edge(%s) = %s, where nothing changes before %s", from.In(s.zone), got.In(s.zone), end.In(s.zone))
	}
}

// A window from 02:30 to 03:30 on the day of a change, in minutes that it is open: those that are skipped are not, those
// that come twice count twice.
func TestHalfPastTwo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, day string
		open      int
		from      string
	}{
		{"Europe/Berlin", "2026-03-29", 30, "03:00"},       // 02:30 does not exist: it begins at 03:00
		{"Europe/Berlin", "2026-10-25", 90, "02:30"},       // it comes twice, 03:00 once
		{"America/New_York", "2026-03-08", 30, "03:00"},    //
		{"America/New_York", "2026-11-01", 60, "02:30"},    // 01:00 to 02:00 comes twice
		{"Australia/Lord_Howe", "2026-10-04", 60, "02:30"}, // 02:00 becomes 02:30
		{"Australia/Lord_Howe", "2026-04-05", 60, "02:30"}, // 02:00 becomes 01:30
		{"Europe/Dublin", "2026-10-25", 60, "02:30"},       // 02:00 becomes 01:00
		{"Antarctica/Troll", "2026-03-29", 30, "03:00"},    // 01:00 becomes 03:00
		{"Pacific/Apia", "2011-12-30", 0, ""},              // the day does not exist
		{"Asia/Kolkata", "2026-03-29", 60, "02:30"},        // nothing changes
	} {
		z, err := zone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		s := schedule{zone: z, windows: []Window{{Days: weekdays, From: 150, To: 210}}}
		day, _ := time.Parse(dateFormat, c.day)
		open, first := 0, ""
		for m := day.Add(-26 * time.Hour); m.Before(day.Add(50 * time.Hour)); m = m.Add(time.Minute) {
			if local := m.In(z); local.Format(dateFormat) == c.day && s.on(m) {
				if open++; open == 1 {
					first = local.Format("15:04")
				}
			}
		}
		if open != c.open || first != c.from {
			t.Errorf("%s on %s: open for %d minutes from %q, want %d from %q", c.zone, c.day, open, first, c.open, c.from)
		}
	}
}

// A closure of a whole day binds who has hours of their own.
func TestClosureBindsOwnHours(t *testing.T) {
	t.Parallel()
	a := agent("eve", 2, "", nil)
	a.Hours = []Window{{Days: weekdays, From: 0, To: dayMinutes}}
	p := pool("p", nil, a)
	p.TimeZone, p.Closures = "Pacific/Apia", []Closure{{Date: "2026-06-02", To: dayMinutes}}
	table := &Table{Pools: []Pool{p}}
	for now, want := range map[string]int{
		"2026-06-02T00:00:00+13:00": 0, "2026-06-02T23:59:59+13:00": 0, "2026-06-03T00:00:00+13:00": 1, "2026-06-01T23:59:59+13:00": 1,
	} {
		if got := len(table.Candidates(route(Target{Pool: "p"}), Facts{}, 0, at(t, now))); got != want {
			t.Errorf("at %s %d are on shift, want %d", now, got, want)
		}
	}
}
