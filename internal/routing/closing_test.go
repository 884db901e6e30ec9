package routing

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Two pools: the first has a break and an agent of longer hours, the second one is open for an hour in the evening.
func closingTable() (*Table, *Route) {
	days := []v1alpha1.Weekday{"Mon"}
	table := &Table{Pools: []Pool{
		{Name: "always", TimeZone: "UTC", WrapUp: metav1.Duration{Duration: time.Minute}, MissedOffersUntilAway: 3, Agents: []Agent{{Email: "c@x.example"}}},
		{Name: "day", TimeZone: "Europe/Berlin", Hours: []Window{{Days: days, From: 8 * 60, To: 12 * 60}, {Days: days, From: 13 * 60, To: 18 * 60}},
			Agents: []Agent{{Email: "a@x.example"}, {Email: "b@x.example", Hours: []Window{{Days: days, From: 11 * 60, To: 13*60 + 30}}}}},
		{Name: "evening", TimeZone: "UTC", Hours: []Window{{Days: days, From: 18 * 60, To: 19 * 60}},
			WrapUp: metav1.Duration{Duration: time.Hour}, Agents: []Agent{{Email: "c@x.example"}}},
	}}
	return table, &Route{Targets: []Target{{Pool: "day"}, {Pool: "evening"}, {Pool: "gone"}}}
}

func TestNextClosing(t *testing.T) {
	t.Parallel()
	table, route := closingTable()
	at := func(hour, minute int) time.Time { return time.Date(2026, 3, 2, hour, minute, 0, 0, time.UTC) } // Berlin is one hour ahead
	for name, c := range map[string]struct {
		route *Route
		now   time.Time
		want  time.Time // zero for never
	}{
		"the break is covered":    {route, at(9, 0), at(17, 0)},
		"in the last window":      {route, at(18, 30), at(19, 0)},
		"closed already":          {route, at(17, 30), time.Time{}},
		"never":                   {&Route{Targets: []Target{{Pool: "always"}}}, at(9, 0), time.Time{}},
		"no pool":                 {&Route{Targets: []Target{{Pool: "gone"}}}, at(9, 0), time.Time{}},
		"no route":                {nil, at(9, 0), time.Time{}},
		"open by another's agent": {&Route{Targets: []Target{{Pool: "day"}, {Pool: "always"}}}, at(9, 0), at(9, 0).Add(24 * time.Hour)},
	} {
		got, ok := table.NextClosing(c.route, c.now)
		if !got.Equal(c.want) || ok == c.want.IsZero() {
			t.Errorf("%s: %s, %v, want %s", name, got, ok, c.want)
		}
	}
}

func TestWhenUnavailable(t *testing.T) {
	t.Parallel()
	step := func(a v1alpha1.UnavailableAction, types ...v1alpha1.ChannelType) UnavailableStep {
		return UnavailableStep{ChannelTypes: types, Action: a}
	}
	table := &Table{Policy: &Policy{Unavailable: Unavailable{
		Closed: []UnavailableStep{step(v1alpha1.UnavailableVoicemail), step(v1alpha1.UnavailableCollectContact, "Web")},
		Busy:   []UnavailableStep{step(v1alpha1.UnavailableCallback, "Email")},
	}}}
	for _, c := range []struct {
		busy bool
		ct   v1alpha1.ChannelType
		want v1alpha1.UnavailableAction
	}{
		{false, "Phone", v1alpha1.UnavailableVoicemail}, {false, "Web", v1alpha1.UnavailableCollectContact}, {false, "Email", v1alpha1.UnavailableQueue},
		{true, "Email", v1alpha1.UnavailableCallback}, {true, "Web", v1alpha1.UnavailableQueue},
	} {
		if got := table.WhenUnavailable(c.busy, c.ct).Action; got != c.want {
			t.Errorf("busy %v, %s: %s, want %s", c.busy, c.ct, got, c.want)
		}
	}
	if got := (&Table{}).WhenUnavailable(false, "Web").Action; got != v1alpha1.UnavailableQueue {
		t.Errorf("without a policy: %s", got)
	}
}

func TestWrapUpAndMissedOffers(t *testing.T) {
	t.Parallel()
	table, _ := closingTable()
	for pool, want := range map[string]time.Duration{"always": time.Minute, "evening": time.Hour, "day": 0, "": time.Hour, "gone": time.Hour} {
		if got := table.WrapUp(pool, "c@x.example"); got != want {
			t.Errorf("wrap-up through %q: %s, want %s", pool, got, want)
		}
	}
	if always, gone := table.MissedOffersUntilAway("always"), table.MissedOffersUntilAway("gone"); always != 3 || gone != 0 {
		t.Errorf("missed offers: %d and %d", always, gone)
	}
}
