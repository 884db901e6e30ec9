package routing

import (
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // so that a zone means the same in an image without /usr/share/zoneinfo

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// weekdays in the order of time.Weekday.
var weekdays = []v1alpha1.Weekday{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

const (
	dayMinutes = 24 * 60
	dateFormat = "2006-01-02"
)

// zones remembers what was loaded: a *time.Location never changes, and reading one takes longer than asking it.
var zones sync.Map // string → *time.Location

// zone loads an IANA zone. "Local" is refused: it means something else on every machine.
func zone(name string) (*time.Location, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), nil
	}
	if name == "" || name == "Local" {
		return nil, errNoZone
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, errNoZone
	}
	zones.Store(name, z)
	return z, nil
}

// location is the pool's zone. A table that passed Validate has only zones that load.
func (p *Pool) location() *time.Location {
	z, err := zone(p.TimeZone)
	if err != nil {
		return time.UTC
	}
	return z
}

// schedule is when a shift is on, as a function of the wall clock alone: a time that a clock change skips is never
// on, one that it repeats is on both times.
type schedule struct {
	zone     *time.Location
	windows  []Window // none: always, but for closures
	closures []Closure
}

func (p *Pool) schedule() schedule { return schedule{p.location(), p.Hours, p.Closures} }

// of is the schedule of one agent of the pool: their own hours under the pool's zone and closures.
func (s schedule) of(a *Agent) schedule {
	if a.Hours != nil {
		s.windows = a.Hours
	}
	return s
}

// on tells whether the shift is on at a time.
func (s schedule) on(t time.Time) bool {
	t = t.In(s.zone)
	minute := t.Hour()*60 + t.Minute()
	if len(s.closures) > 0 {
		date := t.Format(dateFormat)
		for _, c := range s.closures {
			if c.Date == date && c.From <= minute && minute < c.To {
				return false
			}
		}
	}
	if len(s.windows) == 0 {
		return true
	}
	day := weekdays[t.Weekday()]
	return slices.ContainsFunc(s.windows, func(w Window) bool {
		return w.From <= minute && minute < w.To && slices.Contains(w.Days, day)
	})
}

// shift tells for each agent of the pool whether they are on shift.
func (p *Pool) shift(now time.Time) []bool {
	on := make([]bool, len(p.Agents))
	if p.Suspended {
		return on
	}
	s := p.schedule()
	pool := s.on(now)
	for i := range p.Agents {
		on[i] = pool
		if a := &p.Agents[i]; a.Hours != nil {
			on[i] = s.of(a).on(now)
		}
	}
	return on
}

// Closed tells whether nobody of any target of the route is on shift. A nil route has nobody.
func (t *Table) Closed(r *Route, now time.Time) bool {
	if r == nil {
		return true
	}
	return !slices.ContainsFunc(r.Targets, func(target Target) bool {
		p := t.pool(target.Pool)
		return p != nil && slices.Contains(p.shift(now), true)
	})
}

// PoolEdge is the next time after now at which somebody's shift in a pool begins or ends, and false if none ever does or
// there is no such pool.
func (t *Table) PoolEdge(pool string, now time.Time) (next time.Time, ok bool) {
	p := t.pool(pool)
	if p == nil || p.Suspended {
		return next, false
	}
	s := p.schedule()
	var done [][]Window // those who share hours share a shift
	for i := range p.Agents {
		hours := s.of(&p.Agents[i]).windows
		if slices.ContainsFunc(done, func(d []Window) bool { return sameHours(d, hours) }) {
			continue
		}
		done = append(done, hours)
		if edge, any := s.of(&p.Agents[i]).edge(now); any && (!ok || edge.Before(next)) {
			next, ok = edge, true
		}
	}
	return next, ok
}

func sameHours(a, b []Window) bool {
	return slices.EqualFunc(a, b, func(a, b Window) bool {
		return a.From == b.From && a.To == b.To && slices.Equal(a.Days, b.Days)
	})
}
