package routing

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// report collects the Problems of one object.
type report struct {
	object Object
	list   []Problem
}

func (r *report) add(condition, reason, field, message string) {
	r.list = append(r.list, Problem{r.object, condition, reason, field, message})
}

func (r *report) invalid(field, format string, args ...any) {
	r.add(v1alpha1.ConditionAccepted, v1alpha1.ReasonInvalid, field, fmt.Sprintf(format, args...))
}

func (r *report) notFound(field, format string, args ...any) {
	r.add(v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonNotFound, field, fmt.Sprintf(format, args...))
}

// unserved says what this release does instead.
func (r *report) unserved(field, instead string) {
	r.add(v1alpha1.ConditionServed, v1alpha1.ReasonNotServed, field, "accepted, but not served by this release: "+instead)
}

// accepted tells whether no problem so far turns Accepted off.
func (r *report) accepted() bool {
	return !slices.ContainsFunc(r.list, func(p Problem) bool { return p.Condition == v1alpha1.ConditionAccepted })
}

// within reads a length of time with bounds, which are lengths of time too. One that is left out, unreadable or out of
// bounds is the default.
func (r *report) within(field string, d v1alpha1.Duration, least, most string, otherwise time.Duration) time.Duration {
	if d == "" {
		return otherwise
	}
	v, err := time.ParseDuration(string(d))
	if err != nil || !durationPattern.MatchString(string(d)) {
		r.invalid(field, "%q is not a length of time; write it like 45s, 10m or 1h30m", d)
		return otherwise
	}
	low, _ := time.ParseDuration(least)
	high, _ := time.ParseDuration(most)
	if v < low || v > high {
		r.invalid(field, "%q must be from %s to %s", d, least, most)
		return otherwise
	}
	return v
}

// between reads a number; one that is left out or outside of its bounds is the default.
func (r *report) between(field string, v *int32, least, most int32, otherwise int) int {
	if v == nil {
		return otherwise
	}
	if *v < least || *v > most {
		r.invalid(field, "%d must be from %d to %d", *v, least, most)
		return otherwise
	}
	return int(*v)
}

// set is nil for the zero value, which stands for a field left out.
func set(v int32) *int32 {
	if v == 0 {
		return nil
	}
	return &v
}

// matches reports a value that is set and does not fit.
func (r *report) matches(field, value string, pattern *regexp.Regexp, hint string) bool {
	if value == "" || pattern.MatchString(value) {
		return true
	}
	r.invalid(field, "%q must be %s", value, hint)
	return false
}

// oneOf reads an enumerated value; one that is left out or unknown is the default.
func oneOf[T ~string](r *report, field string, value, otherwise T, allowed ...T) T {
	if value == "" {
		return otherwise
	}
	if !slices.Contains(allowed, value) {
		names := make([]string, len(allowed))
		for i, a := range allowed {
			names[i] = string(a)
		}
		r.invalid(field, "%q must be one of %s", value, strings.Join(names, ", "))
		return otherwise
	}
	return value
}

// enabled reads a Mode that is on by default.
func (r *report) enabled(field string, m v1alpha1.Mode) bool {
	return oneOf(r, field, m, v1alpha1.ModeEnabled, v1alpha1.ModeEnabled, v1alpha1.ModeDisabled) == v1alpha1.ModeEnabled
}

// names checks the names of a list's items: well-formed and each once.
type names map[string]int

// fresh reports a name that is not well-formed or that an item before it has.
func (n names) fresh(r *report, list string, i int, name v1alpha1.Name) bool {
	field := fmt.Sprintf("%s[%d].name", list, i)
	if !namePattern.MatchString(string(name)) {
		r.invalid(field, "%q must be "+nameHint, name)
		return false
	}
	if first, ok := n[string(name)]; ok {
		r.invalid(field, "%q is the name of %s[%d] already; choose another", name, list, first)
		return false
	}
	n[string(name)] = i
	return true
}

// strs turns a list of a string type into plain strings.
func strs[T ~string](list []T) []string {
	var out []string
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

func index(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }
