package routing

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// clockChanges are days before the clocks of a zone change, each in a way of its own.
var clockChanges = []struct{ zone, from string }{
	{"Europe/Berlin", "2026-03-28"}, // 02:00 becomes 03:00
	{"Europe/Berlin", "2026-10-24"}, // 03:00 becomes 02:00
	{"America/New_York", "2026-10-31"},
	{"Australia/Lord_Howe", "2026-04-04"}, // half an hour back
	{"Australia/Lord_Howe", "2026-10-03"}, // half an hour forth
	{"America/Goose_Bay", "2010-11-06"},   // 00:01 becomes 23:01 of the day before
	{"America/Sao_Paulo", "2018-11-03"},   // 00:00 becomes 01:00: a day without midnight
	{"Pacific/Apia", "2011-12-28"},        // a day that does not exist
	{"Asia/Kolkata", "2026-06-01"},
	{"UTC", "2026-06-01"},
}

func drawMinute(t *rapid.T, label string) int {
	if rapid.Bool().Draw(t, label+" near a clock change") {
		return rapid.IntRange(0, 4*60).Draw(t, label)
	}
	return rapid.SampledFrom([]int{0, 1, 8 * 60, 12 * 60, 23*60 + 1, 23*60 + 30, 1439, 1440}).Draw(t, label)
}

func drawRange(t *rapid.T, label string) (int, int) {
	a, b := drawMinute(t, label+" a"), drawMinute(t, label+" b")
	if a == b {
		return 0, dayMinutes
	}
	return min(a, b), max(a, b)
}

func drawSchedule(t *rapid.T, zoneName string, start time.Time) schedule {
	z, err := zone(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	s := schedule{zone: z}
	for i := range rapid.IntRange(0, 4).Draw(t, "windows") {
		from, to := drawRange(t, fmt.Sprintf("window %d", i))
		days := rapid.SliceOfNDistinct(rapid.SampledFrom(weekdays), 1, 7, rapid.ID).Draw(t, "days")
		s.windows = append(s.windows, Window{Days: days, From: from, To: to})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "closures") {
		from, to := drawRange(t, fmt.Sprintf("closure %d", i))
		day := start.AddDate(0, 0, rapid.IntRange(-1, 4).Draw(t, "closed day"))
		s.closures = append(s.closures, Closure{Date: day.Format(dateFormat), From: from, To: to})
	}
	return s
}

// reference reads the clock on the wall every minute. It shares nothing with schedule.on but the fields.
func reference(s schedule, t time.Time) bool {
	local := t.In(s.zone)
	wall, day, today := local.Format("15:04"), local.Weekday().String()[:3], local.Format(dateFormat)
	within := func(from, to int) bool { return clock(from) <= wall && wall < clock(to) }
	for _, c := range s.closures {
		if c.Date == today && within(c.From, c.To) {
			return false
		}
	}
	for _, w := range s.windows {
		if slices.Contains(w.Days, v1alpha1.Weekday(day)) && within(w.From, w.To) {
			return true
		}
	}
	return len(s.windows) == 0
}

// TestEdgesAgainstEveryMinute walks four days around clock changes minute by minute. Wherever the reference turns on or
// off, edge must have said so from the edge before and from somewhere in between, and nothing else.
func TestEdgesAgainstEveryMinute(t *testing.T) {
	t.Parallel()
	for _, c := range clockChanges {
		t.Run(c.zone+" "+c.from, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				start, err := time.Parse(dateFormat, c.from)
				if err != nil {
					t.Fatal(err)
				}
				s := drawSchedule(t, c.zone, start)
				end := start.AddDate(0, 0, 4)
				from := start.Add(time.Duration(rapid.IntRange(0, 86_400).Draw(t, "seconds")) * time.Second)
				was := reference(s, from)
				for m := from.Truncate(time.Minute); m.Before(end); m = m.Add(time.Minute) {
					on := reference(s, m)
					if on != s.on(m) {
						t.Fatalf("on(%s) = %v, the wall clock says %v", m.In(s.zone), s.on(m), on)
					}
					if on == was || !m.After(from) {
						continue
					}
					if got, ok := s.edge(from); !ok || !got.Equal(m) {
						t.Fatalf("edge(%s) = %s %v, want %s", from.In(s.zone), got.In(s.zone), ok, m.In(s.zone))
					}
					from, was = m, on
				}
				if got, ok := s.edge(from); ok && got.Before(end) {
					t.Fatalf("edge(%s) = %s, where nothing changes before %s", from.In(s.zone), got.In(s.zone), end)
				}
			})
		})
	}
}

func mustSchedule(t *testing.T, zoneName string, closures []Closure, windows ...Window) schedule {
	t.Helper()
	z, err := zone(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	return schedule{z, windows, closures}
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestClockChanges writes the promises of the API out: 02:30 that does not exist begins at 03:00, one that exists
// twice counts both times.
func TestClockChanges(t *testing.T) {
	t.Parallel()
	s := mustSchedule(t, "Europe/Berlin", nil, Window{Days: []v1alpha1.Weekday{"Sun"}, From: 150, To: 300}) // 02:30–05:00
	for _, c := range []struct{ now, want string }{
		{"2026-03-29T00:00:00+01:00", "2026-03-29T03:00:00+02:00"}, // 02:30 does not exist
		{"2026-03-29T03:00:00+02:00", "2026-03-29T05:00:00+02:00"},
		{"2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+02:00"}, // first 02:30
		{"2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00"}, // the clock shows 02:00 again: not yet open
		{"2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00"}, // second 02:30
		{"2026-10-25T02:30:00+01:00", "2026-10-25T05:00:00+01:00"},
	} {
		if got, ok := s.edge(at(t, c.now)); !ok || !got.Equal(at(t, c.want)) {
			t.Errorf("after %s the shift changes at %s, want %s", c.now, got, c.want)
		}
	}
	skipped := mustSchedule(t, "Europe/Berlin", nil, Window{Days: []v1alpha1.Weekday{"Sun"}, From: 135, To: 165}) // 02:15–02:45
	if got, _ := skipped.edge(at(t, "2026-03-23T00:00:00Z")); !got.Equal(at(t, "2026-04-05T02:15:00+02:00")) {
		t.Errorf("a window inside the skipped hour opens a week later, not at %s", got)
	}
}

func TestEdgesFarAwayAndNever(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-01-01T12:00:00Z")
	mondays := Window{Days: []v1alpha1.Weekday{"Mon"}, From: 0, To: dayMinutes}
	var everyMonday []Closure
	for day := at(t, "2026-01-05T00:00:00Z"); len(everyMonday) < 100; day = day.AddDate(0, 0, 7) {
		everyMonday = append(everyMonday, Closure{Date: day.Format(dateFormat), To: dayMinutes})
	}
	allWeek := Window{Days: weekdays, From: 0, To: dayMinutes}
	for name, c := range map[string]struct {
		s    schedule
		want string
	}{
		"always open never changes":                    {mustSchedule(t, "UTC", nil), ""},
		"all week never changes":                       {mustSchedule(t, "UTC", nil, allWeek), ""},
		"all week in two windows that meet":            {mustSchedule(t, "UTC", nil, Window{weekdays, 720, dayMinutes}, Window{weekdays, 0, 720}), ""},
		"a closure in a thousand years":                {mustSchedule(t, "UTC", []Closure{{Date: "3026-01-01", From: 60, To: 120}}), "3026-01-01T01:00:00Z"},
		"the same where windows fill the week":         {mustSchedule(t, "UTC", []Closure{{Date: "3026-01-01", From: 60, To: 120}}, allWeek), "3026-01-01T01:00:00Z"},
		"a closure in the past":                        {mustSchedule(t, "UTC", []Closure{{Date: "2025-12-24", To: dayMinutes}}), ""},
		"a hundred closed Mondays":                     {mustSchedule(t, "UTC", everyMonday, mondays), "2027-12-06T00:00:00Z"},
		"adjacent closures are one":                    {mustSchedule(t, "UTC", []Closure{{Date: "2026-01-02", To: dayMinutes}, {Date: "2026-01-01", To: dayMinutes}}), "2026-01-03T00:00:00Z"},
		"a closure outside of the hours is no edge":    {mustSchedule(t, "UTC", []Closure{{Date: "2026-01-02", To: dayMinutes}}, mondays), "2026-01-05T00:00:00Z"},
		"the far side of the date line has its Monday": {mustSchedule(t, "Pacific/Kiritimati", nil, mondays), "2026-01-04T10:00:00Z"},
	} {
		got, ok := c.s.edge(now)
		if ok != (c.want != "") || ok && !got.Equal(at(t, c.want)) {
			t.Errorf("%s: edge %s %v, want %q", name, got, ok, c.want)
		}
	}
}
