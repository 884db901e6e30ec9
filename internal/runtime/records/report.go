package records

import (
	"cmp"
	"slices"
	"time"
)

// Presence says that an agent was online for a time.
type Presence struct {
	Agent    string
	From, To time.Time
}

// Input is what a Report is computed from.
type Input struct {
	// From and To bound the period; To is not in it.
	From, To time.Time
	// Threshold is the time within which an answer meets the service level.
	Threshold time.Duration
	// Contacts are all of which some part lies in the period.
	Contacts []Contact
	Online   []Presence
}

// Report has the figures of a period. The counts are of contacts that came into the queue in it; the definitions are
// those of Amazon Connect (https://docs.aws.amazon.com/connect/latest/adminguide/metrics-definitions.html), as
// docs/operations.md has them. A figure without anything to compute it from is nil.
type Report struct {
	From             time.Time `json:"from"`
	To               time.Time `json:"to"`
	ThresholdSeconds float64   `json:"thresholdSeconds"`

	Queued         int `json:"queued"`
	Answered       int `json:"answered"`
	AnsweredInTime int `json:"answeredWithinThreshold"`
	Abandoned      int `json:"abandoned"`
	SentOutside    int `json:"sentOutside"`
	Waiting        int `json:"waiting"`
	TakenFromTheAI int `json:"takenFromTheAI"`
	// ServiceLevel is AnsweredInTime of Queued, AbandonmentRate is Abandoned of Queued, both from 0 to 1.
	ServiceLevel    *float64 `json:"serviceLevel"`
	AbandonmentRate *float64 `json:"abandonmentRate"`
	// AverageSpeedOfAnswer is from the queue to the first agent, over those answered; LongestWait the longest of these.
	AverageSpeedOfAnswer *float64 `json:"averageSpeedOfAnswerSeconds"`
	LongestWait          *float64 `json:"longestWaitSeconds"`
	// AverageHandlingTime is what agents had them, over those that ended in the period with an agent's work.
	Handled             int      `json:"handled"`
	AverageHandlingTime *float64 `json:"averageHandlingTimeSeconds"`
	// Occupancy is the part of the time online in which an agent had at least one contact, over all agents.
	Occupancy    *float64       `json:"occupancy"`
	Dispositions map[string]int `json:"dispositions"`
	Agents       []AgentReport  `json:"agents"`
}

// AgentReport has the figures of one agent.
type AgentReport struct {
	Email string `json:"email"`
	// Handled counts the contacts of which some work in the period was theirs.
	Handled int `json:"handled"`
	// HandlingSeconds is the sum over these; two at once count twice. BusySeconds counts the time with at least one once,
	// while they were online, and OnlineSeconds the time online.
	HandlingSeconds float64  `json:"handlingSeconds"`
	BusySeconds     float64  `json:"busySeconds"`
	OnlineSeconds   float64  `json:"onlineSeconds"`
	Occupancy       *float64 `json:"occupancy"`
}

// Compute makes the Report of a period.
func Compute(in Input) Report {
	r := Report{From: in.From, To: in.To, ThresholdSeconds: in.Threshold.Seconds(), Dispositions: map[string]int{}, Agents: []AgentReport{}}
	var wait, longest, handling time.Duration
	for _, c := range in.Contacts {
		if in.has(c.Ended) {
			if spent := c.handling(); len(c.Work) > 0 {
				r.Handled++
				handling += spent
			}
			if c.Disposition != "" {
				r.Dispositions[c.Disposition]++
			}
		}
		if c.Queued.IsZero() {
			if in.has(c.Answered) {
				r.TakenFromTheAI++
			}
			continue
		}
		if !in.has(c.Queued) {
			continue
		}
		r.Queued++
		switch {
		case !c.Answered.IsZero():
			waited := c.Answered.Sub(c.Queued)
			r.Answered++
			wait, longest = wait+waited, max(longest, waited)
			if waited <= in.Threshold {
				r.AnsweredInTime++
			}
		case c.Outside:
			r.SentOutside++
		case c.Ended.IsZero():
			r.Waiting++
		case !c.Postponed:
			r.Abandoned++
		}
	}
	r.ServiceLevel = part(float64(r.AnsweredInTime), float64(r.Queued))
	r.AbandonmentRate = part(float64(r.Abandoned), float64(r.Queued))
	r.AverageSpeedOfAnswer = part(wait.Seconds(), float64(r.Answered))
	if r.Answered > 0 {
		seconds := longest.Seconds()
		r.LongestWait = &seconds
	}
	r.AverageHandlingTime = part(handling.Seconds(), float64(r.Handled))
	r.agents(in)
	return r
}

func (in Input) has(at time.Time) bool {
	return !at.IsZero() && !at.Before(in.From) && at.Before(in.To)
}

// handling is what agents had a contact.
func (c Contact) handling() (sum time.Duration) {
	for _, w := range c.Work {
		to := w.To
		if to.IsZero() {
			to = c.Ended
		}
		sum += to.Sub(w.From)
	}
	return sum
}

// part is a of b, or nil of nothing.
func part(a, b float64) *float64 {
	if b == 0 {
		return nil
	}
	q := a / b
	return &q
}

// agents computes the figures by agent, and the occupancy over all.
func (r *Report) agents(in Input) {
	work, online, handled := map[string][]span{}, map[string][]span{}, map[string]int{}
	for _, c := range in.Contacts {
		seen := map[string]bool{}
		for _, w := range c.Work {
			s, ok := in.clip(w.From, w.To)
			if !ok {
				continue
			}
			work[w.Agent] = append(work[w.Agent], s)
			if !seen[w.Agent] {
				seen[w.Agent] = true
				handled[w.Agent]++
			}
		}
	}
	for _, p := range in.Online {
		if s, ok := in.clip(p.From, p.To); ok {
			online[p.Agent] = append(online[p.Agent], s)
		}
	}
	emails := map[string]bool{}
	for email := range work {
		emails[email] = true
	}
	for email := range online {
		emails[email] = true
	}
	var busy, there float64
	for email := range emails {
		on := union(online[email])
		a := AgentReport{Email: email, Handled: handled[email], OnlineSeconds: length(on)}
		for _, s := range work[email] {
			a.HandlingSeconds += s.to.Sub(s.from).Seconds()
		}
		a.BusySeconds = length(both(union(work[email]), on))
		a.Occupancy = part(a.BusySeconds, a.OnlineSeconds)
		busy, there = busy+a.BusySeconds, there+a.OnlineSeconds
		r.Agents = append(r.Agents, a)
	}
	slices.SortFunc(r.Agents, func(a, b AgentReport) int { return cmp.Compare(a.Email, b.Email) })
	r.Occupancy = part(busy, there)
}

// span is a time that is not empty.
type span struct{ from, to time.Time }

// clip cuts a time to the period; one without an end goes on.
func (in Input) clip(from, to time.Time) (span, bool) {
	if to.IsZero() || to.After(in.To) {
		to = in.To
	}
	if from.Before(in.From) {
		from = in.From
	}
	return span{from, to}, to.After(from)
}

// union merges spans that overlap or touch.
func union(spans []span) (out []span) {
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	for _, s := range spans {
		if n := len(out); n > 0 && !s.from.After(out[n-1].to) {
			if s.to.After(out[n-1].to) {
				out[n-1].to = s.to
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// both is what two unions have in common.
func both(a, b []span) (out []span) {
	for _, x := range a {
		for _, y := range b {
			s := x
			if y.from.After(s.from) {
				s.from = y.from
			}
			if y.to.Before(s.to) {
				s.to = y.to
			}
			if s.to.After(s.from) {
				out = append(out, s)
			}
		}
	}
	return out
}

func length(spans []span) (seconds float64) {
	for _, s := range spans {
		seconds += s.to.Sub(s.from).Seconds()
	}
	return seconds
}
