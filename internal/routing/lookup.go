package routing

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Candidate is an agent who may be offered a conversation: on shift and able. Presence and load are not known here.
type Candidate struct {
	Email, Name, DisplayName string
	// Pool through which the agent is reached; its settings are those below.
	Pool string
	// Ring is the index of the route's target, 0 being the first that opened.
	Ring int
	// Level of the agent's skill for the type of issue; 0 if there is none or the type is not known.
	Level int
	// Capacity of the person in units; Cost is what this conversation takes, never more than Capacity.
	Capacity, Cost       int
	Strategy             v1alpha1.AssignmentStrategy
	OfferTimeout, WrapUp time.Duration
	// Stickiness is how long after a customer's last conversation its agent comes first; zero for not at all.
	Stickiness time.Duration
	// SpeaksLanguage is false where nobody of the ring speaks the customer's language and so everybody is asked.
	SpeaksLanguage bool
}

// Route is the first route that matches, or nil if none does or the Copilot never hands off.
func (t *Table) Route(f Facts) *Route {
	if t.Policy == nil {
		return nil
	}
	for i := range t.Policy.Routes {
		if r := &t.Policy.Routes[i]; r.matches(f) {
			return r
		}
	}
	return nil
}

func (r *Route) matches(f Facts) bool {
	return holds(r.IssueTypes, f.IssueType) && holds(r.ChannelTypes, f.ChannelType) && holds(r.Channels, f.Channel) &&
		holds(r.Reasons, f.Reason) && holdsLanguage(r.Languages, f.Language) && (r.Expression == "" || f.satisfy(r.Expression))
}

func holds[T comparable](list []T, value T) bool {
	return len(list) == 0 || slices.Contains(list, value)
}

func holdsLanguage(tags []string, language string) bool {
	return len(tags) == 0 || slices.ContainsFunc(tags, func(tag string) bool { return covers(tag, language) })
}

// covers tells whether a language is a tag or a narrower form of it: "pt" covers "pt-BR", but not the other way round.
func covers(tag, language string) bool {
	tag, language = strings.ToLower(tag), strings.ToLower(language)
	return language == tag || strings.HasPrefix(language, tag+"-")
}

// Candidates are the agents of the rings that are open for a conversation that has waited this long: in the order of
// rings, then the better level for its type of issue, then the e-mail address. Each person comes once, in their first
// ring. A ring opens when the one before has been open for its time, or at once where nobody able is on shift in it.
func (t *Table) Candidates(r *Route, f Facts, waited time.Duration, now time.Time) []Candidate {
	if r == nil {
		return nil
	}
	var all []Candidate
	seen := map[string]bool{}
	var opens time.Duration
	for i, target := range r.Targets {
		if opens > waited {
			break
		}
		ring := t.Ring(i, target, f, now)
		for _, c := range ring {
			if !seen[c.Email] {
				seen[c.Email] = true
				all = append(all, c)
			}
		}
		if len(ring) == 0 {
			continue
		}
		if target.For.Duration == 0 && !target.Beside {
			break
		}
		opens += target.For.Duration
	}
	return all
}

// Ring lists who of one target of a route, which is its index there, is on shift and able: the better level for the type
// of issue first, then by e-mail address. Who speaks the customer's language is asked; where nobody does, everybody is.
func (t *Table) Ring(index int, target Target, f Facts, now time.Time) []Candidate {
	p := t.pool(target.Pool)
	if p == nil {
		return nil
	}
	var ring []Candidate
	speaker := false
	for i, on := range p.shift(now) {
		a := &p.Agents[i]
		if !on || target.Agent != "" && a.Email != target.Agent || f.IssueType != "" && a.Skills[f.IssueType] < target.MinLevel {
			continue
		}
		c := p.candidate(a, f)
		c.Ring = index
		speaker = speaker || c.SpeaksLanguage
		ring = append(ring, c)
	}
	if speaker {
		ring = slices.DeleteFunc(ring, func(c Candidate) bool { return !c.SpeaksLanguage })
	}
	slices.SortStableFunc(ring, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(a.Email, b.Email))
	})
	return ring
}

func (p *Pool) candidate(a *Agent, f Facts) Candidate {
	cost := p.Costs[f.ChannelType]
	return Candidate{
		Email: a.Email, Name: a.Name, DisplayName: a.DisplayName, Pool: p.Name,
		Level: a.Skills[f.IssueType], Capacity: a.Capacity, Cost: min(max(cost, 1), a.Capacity),
		Strategy: p.Strategy, OfferTimeout: p.OfferTimeout.Duration, WrapUp: p.WrapUp.Duration, Stickiness: p.Stickiness.Duration,
		SpeaksLanguage: a.speaks(f.Language),
	}
}

// speaks compares primary languages: who speaks en-GB is asked for en-US too.
func (a *Agent) speaks(language string) bool {
	return language == "" || len(a.Languages) == 0 || slices.ContainsFunc(a.Languages, func(tag string) bool {
		return PrimaryLanguage(tag) == PrimaryLanguage(language)
	})
}

// PrimaryLanguage is the first part of a language tag in lower case: en of en-GB.
func PrimaryLanguage(tag string) string {
	p, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return p
}

func (t *Table) pool(name string) *Pool {
	i, ok := slices.BinarySearchFunc(t.Pools, name, func(p Pool, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return nil
	}
	return &t.Pools[i]
}

// AgentByEmail finds a person by their address in any case.
func (t *Table) AgentByEmail(email string) (Agent, bool) {
	email = strings.ToLower(email)
	for i := range t.Pools {
		for j := range t.Pools[i].Agents {
			if t.Pools[i].Agents[j].Email == email {
				return t.Pools[i].Agents[j], true
			}
		}
	}
	return Agent{}, false
}

// ChannelByToken finds a web channel by its public token, or returns nil.
func (t *Table) ChannelByToken(token string) *Channel {
	for i := range t.Channels {
		if c := &t.Channels[i]; c.Web != nil && c.Web.Token == token {
			return c
		}
	}
	return nil
}

// IsSupervisor tells whether an e-mail address in lower case is a supervisor's.
func (t *Table) IsSupervisor(email string) bool {
	_, found := slices.BinarySearch(t.Copilot.Supervisors, email)
	return found
}
