package routing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

var errNoZone = errors.New("not a time zone of the IANA database")

// Validate checks that a Table from outside can be used: its version is known and what it names inside itself is
// there. All that is wrong is joined in one error.
func (t *Table) Validate() error {
	if t.FormatVersion < 1 || t.FormatVersion > FormatVersion {
		return fmt.Errorf("formatVersion %d: this release reads 1 to %d; upgrade the runtime to the operator's release", t.FormatVersion, FormatVersion)
	}
	var errs []error
	if t.Copilot.Namespace == "" || t.Copilot.Name == "" {
		errs = append(errs, errors.New("copilot: namespace and name are needed"))
	}
	errs = append(errs, t.validateChannels()...)
	if !slices.IsSortedFunc(t.Pools, func(a, b Pool) int { return strings.Compare(a.Name, b.Name) }) {
		errs = append(errs, errors.New("pools: not sorted by name"))
	}
	for i := range t.Pools {
		errs = append(errs, t.Pools[i].validate()...)
	}
	if t.Policy != nil {
		errs = append(errs, t.validateTargets()...)
	}
	return errors.Join(errs...)
}

func (t *Table) validateChannels() []error {
	var errs []error
	holders := map[string]string{}
	for _, c := range t.Channels {
		if c.Web == nil || c.Web.Token == "" {
			errs = append(errs, fmt.Errorf("channel %q: only web channels with a token can be served", c.Name))
			continue
		}
		if other, taken := holders[c.Web.Token]; taken {
			errs = append(errs, fmt.Errorf("channels %q and %q have the same token", other, c.Name))
		}
		holders[c.Web.Token] = c.Name
	}
	return errs
}

func (t *Table) validateTargets() []error {
	var errs []error
	for _, p := range t.Policy.Priorities {
		if wrong := readExpression(p.Expression).wrong; wrong != "" {
			errs = append(errs, fmt.Errorf("priority %q: %q %s", p.Name, p.Expression, wrong))
		}
	}
	for _, r := range t.Policy.Routes {
		if wrong := readExpression(r.Expression).wrong; r.Expression != "" && wrong != "" {
			errs = append(errs, fmt.Errorf("route %q: %q %s", r.Name, r.Expression, wrong))
		}
		for i, target := range r.Targets {
			if target.Pool != "" && t.pool(target.Pool) == nil {
				errs = append(errs, fmt.Errorf("route %q: target %d names pool %q, which the table lacks", r.Name, i, target.Pool))
			}
			if target.For.Duration < 0 {
				errs = append(errs, fmt.Errorf("route %q: target %d is tried for %s", r.Name, i, target.For.Duration))
			}
		}
	}
	return errs
}

func (p *Pool) validate() []error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("pool %q: %w", p.Name, fmt.Errorf(format, args...)))
	}
	if _, err := zone(p.TimeZone); err != nil {
		bad("timeZone %q: %w", p.TimeZone, err)
	}
	if p.OfferTimeout.Duration <= 0 {
		bad("offerTimeout %s must be above 0s", p.OfferTimeout.Duration)
	}
	if err := validWindows(p.Hours); err != nil {
		bad("hours: %w", err)
	}
	for _, c := range p.Closures {
		if _, err := time.Parse(dateFormat, c.Date); err != nil {
			bad("closure date %q is not one of the calendar", c.Date)
		}
		if c.From < 0 || c.From >= c.To || c.To > dayMinutes {
			bad("closure %s: from %d to %d", c.Date, c.From, c.To)
		}
	}
	for _, a := range p.Agents {
		if a.Email == "" || a.Email != strings.ToLower(a.Email) {
			bad("agent %q: email %q must be set and in lower case", a.Name, a.Email)
		}
		if a.Capacity < 1 {
			bad("agent %q: capacity %d must be at least 1", a.Name, a.Capacity)
		}
		if err := validWindows(a.Hours); err != nil {
			bad("agent %q: hours: %w", a.Name, err)
		}
	}
	return errs
}

func validWindows(windows []Window) error {
	for _, w := range windows {
		if w.From < 0 || w.From >= w.To || w.To > dayMinutes {
			return fmt.Errorf("from %d to %d", w.From, w.To)
		}
		for _, d := range w.Days {
			if !slices.Contains(weekdays, d) {
				return fmt.Errorf("day %q", d)
			}
		}
	}
	return nil
}
