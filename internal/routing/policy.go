package routing

import (
	"cmp"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

const defaultNotUnderstoodTurns = 2

// CheckPolicy is what Compile finds wrong with a HandoffPolicy by itself, given the names of the AgentPools that
// exist. What only shows under a Copilot (a helpdesk it lacks) is found by Compile alone.
func CheckPolicy(p *v1alpha1.HandoffPolicy, pools map[string]bool) []Problem {
	_, problems := compilePolicy(p, pools)
	return problems
}

// compilePolicy fills in defaults. A mistake costs as little as it can: an unreadable value counts as left out, and a
// target or route that cannot be followed is left out.
func compilePolicy(p *v1alpha1.HandoffPolicy, pools map[string]bool) (*Policy, []Problem) {
	r := &report{object: Object{"HandoffPolicy", p.Name}}
	out := &Policy{Name: p.Name, Triggers: r.triggers(p.Spec.Triggers)}
	out.IssueTypes = r.issueTypes(p.Spec.IssueTypes)
	out.Priorities = r.priorities(p.Spec.Priorities)
	out.Routes = r.routes(p, pools)
	out.Unavailable = r.unavailable(p.Spec.Unavailable)
	out.ReturnToAI = r.returnToAI(p.Spec.ReturnToAI)
	out.Messages = r.messages(p.Spec.Messages)
	return out, r.list
}

// emptyPolicy stands for one that does not exist yet: customers who need a human wait in the queue until it does.
func emptyPolicy(name string) *Policy {
	out, _ := compilePolicy(&v1alpha1.HandoffPolicy{ObjectMeta: metav1.ObjectMeta{Name: name}}, nil)
	return out
}

func (r *report) triggers(t *v1alpha1.Triggers) Triggers {
	if t == nil {
		t = &v1alpha1.Triggers{}
	}
	out := Triggers{HumanRequest: true, NotUnderstoodTurns: defaultNotUnderstoodTurns, Sentiment: v1alpha1.SentimentAngry, ModelFailure: true}
	const at = "spec.triggers."
	if h := t.HumanRequest; h != nil {
		out.HumanRequest = r.enabled(at+"humanRequest.mode", h.Mode)
	}
	if n := t.NotUnderstood; n != nil {
		out.NotUnderstoodTurns = r.between(at+"notUnderstood.turns", set(n.Turns), 1, 20, defaultNotUnderstoodTurns)
		if !r.enabled(at+"notUnderstood.mode", n.Mode) {
			out.NotUnderstoodTurns = 0
		}
	}
	if s := t.Sentiment; s != nil {
		out.Sentiment = oneOf(r, at+"sentiment.threshold", s.Threshold, v1alpha1.SentimentAngry, v1alpha1.SentimentDissatisfied, v1alpha1.SentimentAngry)
		if !r.enabled(at+"sentiment.mode", s.Mode) {
			out.Sentiment = ""
		}
	}
	if m := t.ModelFailure; m != nil {
		out.ModelFailure = r.enabled(at+"modelFailure.mode", m.Mode)
	}
	if l := t.TurnLimit; l != nil {
		out.TurnLimit = r.between(at+"turnLimit.turns", &l.Turns, 1, 1000, 0)
	}
	seen := names{}
	for i, f := range t.ForbiddenTopics {
		if seen.fresh(r, at+"forbiddenTopics", i, f.Name) {
			out.ForbiddenTopics = append(out.ForbiddenTopics, Topic{string(f.Name), f.Description, slices.Clone(f.Keywords)})
		}
		twice(r, index(at+"forbiddenTopics", i)+".keywords", f.Keywords)
		if len(f.Keywords) == 0 && f.Description == "" {
			r.invalid(index(at+"forbiddenTopics", i), "topic %q can never be found; list its keywords, or describe it for the model", f.Name)
		} else if len(f.Keywords) == 0 {
			r.unserved(fmt.Sprintf("%sforbiddenTopics[%d].keywords", at, i), "a topic without keywords is never found")
		}
	}
	for i := range t.Rules {
		r.expression(index(at+"rules", i)+".expression", t.Rules[i].Expression)
		r.unserved(index(at+"rules", i), "the rule hands nothing off")
	}
	return out
}

func (r *report) issueTypes(list []v1alpha1.IssueType) []IssueType {
	if len(list) > MaxIssueTypes {
		r.invalid("spec.issueTypes", "%d types of issue are more than %d", len(list), MaxIssueTypes)
	}
	var out []IssueType
	seen := names{}
	for i, t := range list {
		if seen.fresh(r, "spec.issueTypes", i, t.Name) {
			twice(r, index("spec.issueTypes", i)+".keywords", t.Keywords)
			out = append(out, IssueType{string(t.Name), t.Description, slices.Clone(t.Keywords)})
		}
	}
	return out
}

func (r *report) priorities(list []v1alpha1.Priority) []Priority {
	var out []Priority
	seen := names{}
	for i, p := range list {
		field := index("spec.priorities", i)
		ok := seen.fresh(r, "spec.priorities", i, p.Name)
		readable := r.expression(field+".expression", p.Expression)
		add := r.between(field+".add", &p.Add, -10000, 10000, 0)
		if ok && readable {
			out = append(out, Priority{string(p.Name), p.Expression, add})
		}
	}
	return out
}

func (r *report) unavailable(u *v1alpha1.Unavailable) Unavailable {
	queue := []UnavailableStep{{Action: v1alpha1.UnavailableQueue}}
	out := Unavailable{Closed: queue}
	if u == nil {
		return out
	}
	if steps := r.steps("spec.unavailable.closed", u.Closed); steps != nil {
		out.Closed = steps
	}
	if b := u.Busy; b != nil {
		out.Busy = queue
		out.BusyAfter = metav1.Duration{Duration: r.within("spec.unavailable.busy.after", b.After, "1s", "168h", 0)}
		if b.After == "" && len(b.Then) > 0 {
			r.invalid("spec.unavailable.busy.after", "then is never taken without after; say when, such as after: 10m")
		}
		if steps := r.steps("spec.unavailable.busy.then", b.Then); steps != nil {
			out.Busy = steps
		}
	}
	return out
}

// unservedActions are what becomes of steps that need a channel of their own.
var unservedActions = map[v1alpha1.UnavailableAction]string{
	v1alpha1.UnavailableCollectContact: "the customer is asked and their address kept for the agent, but no mail is sent to it",
	v1alpha1.UnavailableCallback:       "the customer is asked and their number kept for the agent, but it is not dialled",
	v1alpha1.UnavailableVoicemail:      "calls are not answered",
	v1alpha1.UnavailableHelpdesk:       "the conversation waits in the queue",
}

func (r *report) steps(list string, steps []v1alpha1.UnavailableStep) []UnavailableStep {
	var out []UnavailableStep
	for i, s := range steps {
		field := fmt.Sprintf("%s[%d]", list, i)
		r.channelTypes(field+".channelTypes", s.ChannelTypes)
		step := UnavailableStep{ChannelTypes: slices.Clone(s.ChannelTypes)}
		step.Action = oneOf(r, field+".action", s.Action, v1alpha1.UnavailableQueue, v1alpha1.UnavailableQueue, v1alpha1.UnavailableCollectContact,
			v1alpha1.UnavailableVoicemail, v1alpha1.UnavailableCallback, v1alpha1.UnavailableHelpdesk)
		r.fits(field, s)
		if instead := unservedActions[step.Action]; instead != "" {
			r.unserved(field+".action", instead)
		}
		if step.Action == v1alpha1.UnavailableHelpdesk {
			if s.Helpdesk == nil {
				continue
			}
			step.Helpdesk = string(s.Helpdesk.Name)
		}
		out = append(out, step)
	}
	return out
}

// fits reports a step whose parts contradict each other.
func (r *report) fits(field string, s v1alpha1.UnavailableStep) {
	switch {
	case s.Action == v1alpha1.UnavailableHelpdesk && s.Helpdesk == nil:
		r.invalid(field+".helpdesk", "the action Helpdesk needs the field helpdesk: {name: ...}")
	case s.Action != v1alpha1.UnavailableHelpdesk && s.Helpdesk != nil:
		r.invalid(field+".helpdesk", "the action %s has no helpdesk; remove it, or use the action Helpdesk", s.Action)
	}
	i := slices.IndexFunc(s.ChannelTypes, func(c v1alpha1.ChannelType) bool { return c != v1alpha1.ChannelTypePhone })
	if s.Action == v1alpha1.UnavailableVoicemail && i >= 0 {
		r.invalid(index(field+".channelTypes", i), "the action Voicemail fits Phone only, not %s; use CollectContact or Queue there", s.ChannelTypes[i])
	}
}

func (r *report) returnToAI(b *v1alpha1.ReturnToAI) ReturnToAI {
	if b == nil {
		b = &v1alpha1.ReturnToAI{}
	}
	out := ReturnToAI{OnResolve: r.enabled("spec.returnToAI.onResolve", b.OnResolve)}
	if b.CustomerIdle == nil {
		return out
	}
	const at = "spec.returnToAI.customerIdle"
	idle := map[v1alpha1.ChannelType]metav1.Duration{}
	for _, c := range []struct {
		ct    v1alpha1.ChannelType
		field string
		after v1alpha1.Duration
	}{
		{v1alpha1.ChannelTypeWeb, at + ".web", b.CustomerIdle.Web},
		{v1alpha1.ChannelTypeEmail, at + ".email", b.CustomerIdle.Email},
		{v1alpha1.ChannelTypePhone, at + ".phone", b.CustomerIdle.Phone},
	} {
		if d := r.within(c.field, c.after, "1s", "8760h", 0); d > 0 {
			idle[c.ct] = metav1.Duration{Duration: d}
		}
	}
	if len(idle) > 0 {
		out.CustomerIdle = idle
		r.unserved(at, "a conversation goes back to the AI when an agent resolves it or gives it back")
	}
	return out
}

// messages puts the most specific first: by reasons, then channel types, then language; then as they are written.
func (r *report) messages(list []v1alpha1.Message) []Message {
	var out []Message
	for i, m := range list {
		field := fmt.Sprintf("spec.messages[%d]", i)
		event := oneOf(r, field+".event", m.Event, "", v1alpha1.MessageHandoff, v1alpha1.MessageQueued, v1alpha1.MessageAssigned,
			v1alpha1.MessageUnavailable, v1alpha1.MessageReturned, v1alpha1.MessageResolved, v1alpha1.MessageNotUnderstood)
		r.matches(field+".language", string(m.Language), languagePattern, languageHint)
		r.channelTypes(field+".channelTypes", m.ChannelTypes)
		r.reasons(field+".reasons", m.Reasons)
		if m.Text == "" {
			r.invalid(field+".text", "is empty; write what the customer is told")
		}
		r.known(field+".text", m.Text)
		if event == "" || m.Text == "" {
			continue
		}
		out = append(out, Message{event, string(m.Language), slices.Clone(m.ChannelTypes), slices.Clone(m.Reasons), m.Text})
	}
	slices.SortStableFunc(out, func(a, b Message) int { return cmp.Compare(b.specificity(), a.specificity()) })
	return out
}

func (m *Message) specificity() int {
	score := 0
	for i, narrowed := range []bool{m.Language != "", len(m.ChannelTypes) > 0, len(m.Reasons) > 0} {
		if narrowed {
			score += 1 << i
		}
	}
	return score
}

func (r *report) channelTypes(field string, list []v1alpha1.ChannelType) {
	for i, ct := range list {
		oneOf(r, fmt.Sprintf("%s[%d]", field, i), ct, "", v1alpha1.ChannelTypeWeb, v1alpha1.ChannelTypePhone, v1alpha1.ChannelTypeEmail)
	}
	twice(r, field, list)
}

func (r *report) reasons(field string, list []v1alpha1.HandoffReason) {
	for i, reason := range list {
		oneOf(r, fmt.Sprintf("%s[%d]", field, i), reason, "", v1alpha1.HandoffHumanRequested, v1alpha1.HandoffNotUnderstood,
			v1alpha1.HandoffNegativeSentiment, v1alpha1.HandoffForbiddenTopic, v1alpha1.HandoffRule, v1alpha1.HandoffTurnLimit,
			v1alpha1.HandoffModelFailure, v1alpha1.HandoffAgentTookOver, v1alpha1.HandoffCustomerLeft)
	}
	twice(r, field, list)
}
