package routing

import (
	"testing"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func TestExpressions(t *testing.T) {
	t.Parallel()
	f := Facts{
		IssueType: "billing", ChannelType: "Web", Channel: "shop", Language: "de", Reason: "HumanRequested", Turns: 3,
		Message: "I was charged twice", Sentiment: v1alpha1.SentimentAngry, Now: monday,
		Customer: Customer{Name: "Cleo", Email: "cleo@example.org", Attributes: map[string]any{"tier": "vip"}},
	}
	for expression, want := range map[string]bool{
		`turns >= 3`: true, `turns > 3`: false,
		`issueType == "billing" && language.startsWith("de")`:  true,
		`channel.type == "Web" && channel.name == "shop"`:      true,
		`sentiment == "Angry" && reason == "HumanRequested"`:   true,
		`message.contains("charged")`:                          true,
		`message.matches("(?i)TWICE$")`:                        true,
		`customer.email.endsWith("@example.org")`:              true,
		`customer.verified`:                                    false,
		`customer.attributes.?tier.orValue("") == "vip"`:       true,
		`customer.attributes.?plan.orValue("none") == "none"`:  true,
		`now.getDayOfWeek() == 1 && now.getHours("UTC") == 12`: true,
		`customer.attributes.plan == "gold"`:                   false, // there is none: not true
		`!(customer.attributes.plan == "gold")`:                false, // and its contrary neither
		`customer.phone == ""`:                                 false,
		`message`:                                              false, // neither true nor false
		`message.matches("` + hard + `")`:                      false, // costs too much, see below
	} {
		g := f
		if expression == `message.matches("`+hard+`")` {
			g.Message = long
		}
		if got := g.satisfy(expression); got != want {
			t.Errorf("%s is %v", expression, got)
		}
	}
	if yes, err := evaluate(`message.matches("`+hard+`")`, with(f, func(f *Facts) { f.Message = long }).variables()); err == nil {
		t.Errorf("a costly expression over a long message: %v, no error", yes)
	}
}

// hard is a regular expression that takes long over long.
var hard, long = func() (string, string) {
	r, m := "", ""
	for range 200 {
		r += "(a|aa)?"
	}
	for range 16 << 10 {
		m += "a"
	}
	return r + "$", m
}()

func TestPointsAddUp(t *testing.T) {
	t.Parallel()
	table := &Table{Policy: &Policy{Priorities: []Priority{
		{"angry", `sentiment == "Angry"`, 10}, {"long", `turns >= 5`, 5}, {"mail", `channel.type == "Email"`, -20}, {"broken", `customer.attributes.x`, 1000},
	}}}
	for want, f := range map[int]Facts{
		0:   {},
		10:  {Sentiment: "Angry"},
		15:  {Sentiment: "Angry", Turns: 5},
		-5:  {Sentiment: "Angry", Turns: 5, ChannelType: "Email"},
		-20: {ChannelType: "Email"},
	} {
		if got := table.Points(f); got != want {
			t.Errorf("%+v has %d points, want %d", f, got, want)
		}
	}
	if !table.Evaluates() || shop().Evaluates() || (&Table{}).Evaluates() {
		t.Error("Evaluates")
	}
}

func TestRouteByExpression(t *testing.T) {
	t.Parallel()
	table := shop()
	table.Policy.Routes = []Route{
		{Name: "vip", IssueTypes: []string{"billing"}, Expression: `customer.attributes.?tier.orValue("") == "vip"`}, {Name: "rest"},
	}
	vip := Customer{Attributes: map[string]any{"tier": "vip"}}
	for _, c := range []struct {
		f    Facts
		want string
	}{
		{Facts{IssueType: "billing", Customer: vip}, "vip"},
		{Facts{IssueType: "technical", Customer: vip}, "rest"},
		{Facts{IssueType: "billing"}, "rest"},
	} {
		if got := table.Route(c.f); got.Name != c.want {
			t.Errorf("%+v goes along %s, want %s", c.f, got.Name, c.want)
		}
	}
	if err := table.Validate(); err != nil {
		t.Errorf("valid: %v", err)
	}
	table.Policy.Routes[0].Expression = "turns >="
	table.Policy.Priorities = []Priority{{"p", `"text"`, 1}}
	if err := table.Validate(); err == nil {
		t.Error("a table with expressions that nobody can read is valid")
	}
}

// The route of the handoff stays, where it is gone the facts decide anew, and what a human chose counts before both.
func TestFollow(t *testing.T) {
	t.Parallel()
	table := shop()
	table.Policy.Routes = []Route{
		{Name: "talk", Expression: `message.contains("talk")`, Targets: []Target{{Pool: "seniors"}}},
		{Name: "rest", Targets: []Target{{Pool: "days"}}},
	}
	for _, c := range []struct {
		way  Way
		want string
	}{
		{Way{Route: "talk"}, "0:ann/0 0:zoe/0"}, // the message is not known any more, the route is
		{Way{Route: "gone"}, "0:ann/0 0:bo/0 0:cy/0"},
		{Way{}, "0:ann/0 0:bo/0 0:cy/0"},
		{Way{Route: "talk", Pool: "days"}, "0:ann/0 0:bo/0 0:cy/0"},
		{Way{Route: "talk", Pool: "nowhere"}, ""},
		{Way{Agent: "zoe@shop.example"}, "0:zoe/0"},
		{Way{Agent: "ann@shop.example", Pool: "days"}, "0:ann/0 2:bo/0 2:cy/0"}, // through the first of her two pools
		{Way{Agent: "dan@shop.example", Pool: "days"}, "1:ann/0 1:bo/0 1:cy/0"}, // who is off shift is skipped at once
		{Way{Agent: "nobody@shop.example"}, ""},
	} {
		if got := brief(table.Candidates(table.Follow(c.way, Facts{}), Facts{}, time.Second, monday)); got != c.want {
			t.Errorf("%+v: %s, want %s", c.way, got, c.want)
		}
	}
	table.Policy = nil
	if r := table.Follow(Way{Route: "talk"}, Facts{}); r != nil {
		t.Errorf("without a policy there is route %q", r.Name)
	}
}
