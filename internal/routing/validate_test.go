package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	good := func() *Table {
		table := shop()
		table.Channels = []Channel{{Name: "a", Type: "Web", Web: &WebChannel{Token: "token-of-a"}}, {Name: "b", Type: "Web", Web: &WebChannel{Token: "token-of-b"}}}
		table.Policy.Routes = []Route{*route(Target{Pool: "days", For: lasting(time.Minute)}, Target{Helpdesk: "zendesk"})}
		return table
	}
	if err := good().Validate(); err != nil {
		t.Fatalf("a good table is refused: %v", err)
	}
	for want, spoil := range map[string]func(*Table){
		"formatVersion 2: this release reads 1 to 1": func(t *Table) { t.FormatVersion = 2 },
		"formatVersion 0":                                 func(t *Table) { t.FormatVersion = 0 },
		"namespace and name are needed":                   func(t *Table) { t.Copilot.Name = "" },
		`channel "a": only web channels with a token`:     func(t *Table) { t.Channels[0].Web = nil },
		`channels "a" and "b" have the same token`:        func(t *Table) { t.Channels[1].Web.Token = "token-of-a" },
		"not sorted by name":                              func(t *Table) { t.Pools[0], t.Pools[1] = t.Pools[1], t.Pools[0] },
		`names pool "nowhere", which the table lacks`:     func(t *Table) { t.Policy.Routes[0].Targets[0].Pool = "nowhere" },
		"target 0 is tried for -1s":                       func(t *Table) { t.Policy.Routes[0].Targets[0].For.Duration = -time.Second },
		`timeZone "Mars/Olympus": not a time zone`:        func(t *Table) { t.Pools[0].TimeZone = "Mars/Olympus" },
		"offerTimeout 0s must be above":                   func(t *Table) { t.Pools[0].OfferTimeout.Duration = 0 },
		`pool "days": hours: from 600 to 600`:             func(t *Table) { t.Pools[0].Hours[0].From, t.Pools[0].Hours[0].To = 600, 600 },
		`hours: day "Someday"`:                            func(t *Table) { t.Pools[0].Hours[0].Days = []v1alpha1.Weekday{"Someday"} },
		"closure 2026-01-01: from 0 to 1441":              func(t *Table) { t.Pools[0].Closures = []Closure{{Date: "2026-01-01", To: 1441}} },
		`agent "ann": email "Ann@shop.example" must be`:   func(t *Table) { t.Pools[0].Agents[0].Email = "Ann@shop.example" },
		`agent "ann": capacity 0`:                         func(t *Table) { t.Pools[0].Agents[0].Capacity = 0 },
		`pool "days": agent "eve": hours: from -1 to 600`: func(t *Table) { t.Pools[0].Agents[3].Hours[0].From = -1 },
		`closure date "2026-02-30"`:                       func(t *Table) { t.Pools[0].Closures = []Closure{{Date: "2026-02-30", To: 60}} },
	} {
		table := good()
		spoil(table)
		if err := table.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}
