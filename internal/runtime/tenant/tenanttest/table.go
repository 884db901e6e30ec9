package tenanttest

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

const (
	// Token belongs to the Channel "web" of Table.
	Token = "web-token-1"
	// Origin may use that Channel.
	Origin = "https://shop.example"
	// OtherToken belongs to the Channel "other" of Table.
	OtherToken = "other-token-1"
	// OtherOrigin may use that Channel.
	OtherOrigin = "https://other.example"
	// OfferTimeout is that of Table's pool.
	OfferTimeout = 45 * time.Second
	// Question can be answered from the knowledge of Table.
	Question = "How long does delivery take?"
	// Answer to Question.
	Answer = "Orders arrive within three working days."
	// FAQ is that knowledge.
	FAQ = "# Delivery\n## " + Question + "\n" + Answer + "\n# Returns\n## How do I return an item?\nReturns are free for 30 days.\n"
	// Human asks for a human.
	Human = "I want to talk to a human, please"
)

// Email is the address of an agent named "a0", "a1" and so on.
func Email(name string) string { return name + "@agents.example" }

// Table has two Channels and one pool of agents a0, a1 and so on, who are always on shift and have this capacity.
func Table(agents, capacity int) *routing.Table {
	p := routing.Pool{
		Name: "team", TimeZone: "UTC", Strategy: "Balanced", OfferTimeout: metav1.Duration{Duration: OfferTimeout},
		MissedOffersUntilAway: 3, Costs: map[v1alpha1.ChannelType]int{v1alpha1.ChannelTypeWeb: 1},
	}
	for i := range agents {
		name := fmt.Sprintf("a%d", i)
		p.Agents = append(p.Agents, routing.Agent{Name: name, DisplayName: "Agent " + name, Email: Email(name), Capacity: capacity})
	}
	web := func(name, token, origin string) routing.Channel {
		return routing.Channel{Name: name, Type: v1alpha1.ChannelTypeWeb, Web: &routing.WebChannel{Token: token, AllowedOrigins: []string{origin}}}
	}
	return &routing.Table{
		FormatVersion: 1,
		Copilot: routing.Copilot{Namespace: "shop", Name: "hello", DisplayName: "Hello", Language: "en",
			Knowledge: []routing.KnowledgeSource{{Name: "faq", ConfigMap: "faq"}}},
		Channels: []routing.Channel{web("other", OtherToken, OtherOrigin), web("web", Token, Origin)},
		Policy: &routing.Policy{
			Name:       "hello",
			Triggers:   routing.Triggers{HumanRequest: true, NotUnderstoodTurns: 2, Sentiment: v1alpha1.SentimentAngry, ModelFailure: true},
			Routes:     []routing.Route{{Name: "all", Targets: []routing.Target{{Pool: "team"}}}},
			ReturnToAI: routing.ReturnToAI{OnResolve: true},
		},
		Pools: []routing.Pool{p},
	}
}
