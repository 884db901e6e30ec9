package routing

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

var timePattern = regexp.MustCompile(`^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`)

// minutes since midnight of a wall-clock time.
func (r *report) minutes(field string, t v1alpha1.TimeOfDay) (int, bool) {
	if !timePattern.MatchString(string(t)) {
		r.invalid(field, "%q must be a time from \"00:00\" to \"24:00\", in quotes", t)
		return 0, false
	}
	hours, _ := strconv.Atoi(string(t[:2]))
	minutes, _ := strconv.Atoi(string(t[3:]))
	return hours*60 + minutes, true
}

func (r *report) timeRange(field string, t v1alpha1.TimeRange) (from, to int, ok bool) {
	from, okFrom := r.minutes(field+".from", t.From)
	to, okTo := r.minutes(field+".to", t.To)
	if !okFrom || !okTo {
		return 0, 0, false
	}
	if from >= to {
		r.invalid(field, "from %q is not before to %q; a night shift is two windows, one up to \"24:00\" and one from \"00:00\"", t.From, t.To)
		return 0, 0, false
	}
	return from, to, true
}

// windows reads weekly hours. A window that makes no sense is left out; windows that overlap are reported, and count
// as the time that any of them covers.
func (r *report) windows(field string, list []v1alpha1.WeeklyWindow) []Window {
	var out []Window
	var at []int // the index in list of each window in out
	for i, w := range list {
		field := fmt.Sprintf("%s[%d]", field, i)
		days := true
		for j, d := range w.Days {
			if !slices.Contains(weekdays, d) {
				r.invalid(fmt.Sprintf("%s.days[%d]", field, j), "%q must be one of Mon, Tue, Wed, Thu, Fri, Sat, Sun", d)
				days = false
			}
		}
		twice(r, field+".days", w.Days)
		if len(w.Days) == 0 {
			r.invalid(field+".days", "is empty; name the days of the window, such as [Mon, Tue]")
			days = false
		}
		from, to, ok := r.timeRange(field, w.TimeRange)
		if days && ok {
			out, at = append(out, Window{Days: slices.Clone(w.Days), From: from, To: to}), append(at, i)
		}
	}
	r.overlaps(field, out, at)
	return out
}

func (r *report) overlaps(field string, windows []Window, at []int) {
	for i, w := range windows {
		for j := range i {
			day := slices.IndexFunc(w.Days, func(d v1alpha1.Weekday) bool { return slices.Contains(windows[j].Days, d) })
			if day >= 0 && w.From < windows[j].To && windows[j].From < w.To {
				r.invalid(fmt.Sprintf("%s[%d]", field, at[i]), "%s–%s overlaps another window of the same day; join the two or move one: %s has %s–%s in %s[%d]",
					clock(w.From), clock(w.To), w.Days[day], clock(windows[j].From), clock(windows[j].To), field, at[j])
				break
			}
		}
	}
}

func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// closures reads dates, one entry for each range of hours, in the order of time.
func (r *report) closures(list []v1alpha1.Closure) []Closure {
	var out []Closure
	for i, c := range list {
		field := fmt.Sprintf("spec.closures[%d]", i)
		if _, err := time.Parse(dateFormat, c.Date); err != nil {
			r.invalid(field+".date", "%q is not a date of the calendar; write it like 2026-12-25", c.Date)
			continue
		}
		if slices.ContainsFunc(list[:i], func(b v1alpha1.Closure) bool { return b.Date == c.Date }) {
			r.invalid(field+".date", "%q is listed twice; keep one, with all the hours", c.Date)
		}
		if len(c.Hours) == 0 {
			out = append(out, Closure{c.Date, 0, dayMinutes, c.Reason})
		}
		for j, h := range c.Hours {
			if from, to, ok := r.timeRange(fmt.Sprintf("%s.hours[%d]", field, j), h); ok {
				out = append(out, Closure{c.Date, from, to, c.Reason})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Closure) int { return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.From, b.From)) })
	return out
}
