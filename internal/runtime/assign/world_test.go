package assign_test

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/assign"
)

// t0 is a Monday, 09:00 UTC.
var t0 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	web   = v1alpha1.ChannelTypeWeb
	phone = v1alpha1.ChannelTypePhone
)

func lasting(d time.Duration) metav1.Duration { return metav1.Duration{Duration: d} }

func email(name string) string { return name + "@shop.example" }

func person(name string, capacity int, skills map[string]int, languages ...string) routing.Agent {
	return routing.Agent{Name: name, DisplayName: name, Email: email(name), Capacity: capacity, Skills: skills, Languages: languages}
}

func pool(name string, strategy v1alpha1.AssignmentStrategy, agents ...routing.Agent) routing.Pool {
	return routing.Pool{
		Name: name, TimeZone: "UTC", Strategy: strategy, OfferTimeout: lasting(45 * time.Second),
		Costs: map[v1alpha1.ChannelType]int{web: 1, phone: 4}, Agents: agents,
	}
}

func table(routes []routing.Route, pools ...routing.Pool) *routing.Table {
	return &routing.Table{Policy: &routing.Policy{Routes: routes}, Pools: pools}
}

// to is a route of all conversations.
func to(targets ...routing.Target) []routing.Route {
	return []routing.Route{{Name: "all", Targets: targets}}
}

// chat is a conversation of a type of issue that waits since a time after t0.
func chat(id string, after time.Duration, issueType string) assign.Waiting {
	at := t0.Add(after)
	return assign.Waiting{ID: id, At: at, Place: at, Facts: routing.Facts{IssueType: issueType, ChannelType: web, Language: "en"}}
}

// there is an agent who is present for long and holds something.
func there(name string, units int) assign.Agent {
	return assign.Agent{Email: email(name), Load: assign.Load{Units: units}, Until: t0.Add(1000 * time.Hour)}
}

// brief writes proposals as "conversation>agent/ring".
func brief(made []assign.Proposal) (out []string) {
	for _, p := range made {
		out = append(out, fmt.Sprintf("%s>%s/%d", p.ID, p.Candidate.Name, p.Candidate.Ring))
	}
	return out
}
