package routing

import (
	"fmt"
	"slices"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func (r *report) phone(p *v1alpha1.PhoneChannel, copilot *v1alpha1.Copilot) {
	r.unserved("spec.type", "calls are not answered")
	if p == nil {
		return
	}
	r.matches("spec.phone.number", string(p.Number), phonePattern, phoneHint)
	if oneOf(r, "spec.phone.provider", p.Provider, "", "Twilio") == "Twilio" && p.Twilio == nil {
		r.invalid("spec.phone.twilio", "the provider Twilio needs the field twilio: {accountSIDSecretRef: ..., authTokenSecretRef: ...}")
	}
	if p.Handoff == nil {
		return
	}
	if copilot != nil && copilot.Spec.PolicyRef == nil {
		r.add(v1alpha1.ConditionAccepted, v1alpha1.ReasonPolicyMissing, "spec.phone.handoff", fmt.Sprintf(
			"Copilot %s has no policy and never hands off; set spec.policyRef there, or remove spec.phone.handoff", copilot.Name))
	}
	const at = "spec.phone.handoff."
	r.numbers(at+"numbers", p)
	if oneOf(r, at+"agentNumbers", p.Handoff.AgentNumbers, "First", "First", "Never") == "Never" && len(p.Handoff.Numbers) == 0 {
		r.invalid(at+"numbers", "agentNumbers: Never without numbers rings nobody; list numbers, or use First")
	}
	oneOf(r, at+"briefing", p.Handoff.Briefing, "Summary", "Summary", "None")
	r.within(at+"ringTimeout", p.Handoff.RingTimeout, "1s", "10m", 0)
}

// numbers reports what cannot be rung, or would be rung twice or by itself.
func (r *report) numbers(list string, p *v1alpha1.PhoneChannel) {
	seen := names{}
	for i, n := range p.Handoff.Numbers {
		seen.fresh(r, list, i, n.Name)
		field := index(list, i) + ".number"
		r.matches(field, string(n.Number), phonePattern, phoneHint)
		if slices.ContainsFunc(p.Handoff.Numbers[:i], func(b v1alpha1.HandoffNumber) bool { return b.Number == n.Number }) {
			r.invalid(field, "%q is listed twice; keep one", n.Number)
		}
		if n.Number == p.Number {
			r.invalid(field, "%q is the number of the Channel itself, which would ring itself; name the number of a human", n.Number)
		}
	}
}

func (r *report) email(e *v1alpha1.EmailChannel) {
	r.unserved("spec.type", "mail is not read")
	if e == nil {
		return
	}
	r.matches("spec.email.address", string(e.Address), emailPattern, emailHint)
	oneOf(r, "spec.email.mode", e.Mode, "Answer", "Answer", "Assist")
	const in, out = "spec.email.inbound.", "spec.email.outbound."
	kind := oneOf(r, in+"type", e.Inbound.Type, "", "IMAP", "SMTP")
	switch imap := e.Inbound.IMAP; {
	case kind == "IMAP" && imap == nil:
		r.invalid(in+"imap", "inbound of type IMAP needs the field imap")
	case kind == "SMTP" && imap != nil:
		r.invalid(in+"imap", "inbound of type SMTP has no imap; remove it, or use type IMAP")
	case imap != nil:
		r.server(in+"imap", imap.Host, imap.Port, imap.TLS)
	}
	r.server(out+"smtp", e.Outbound.SMTP.Host, e.Outbound.SMTP.Port, e.Outbound.SMTP.TLS)
	if d := e.Outbound.DKIM; d != nil {
		r.matches(out+"dkim.selector", d.Selector, selectorPattern, "a selector of DKIM such as s1: letters, digits, dashes, dots and underscores")
	}
}

// server reports where a mail server cannot be.
func (r *report) server(field, host string, port int32, tls string) {
	r.host(field+".host", host)
	r.between(field+".port", set(port), 1, 65535, 0)
	oneOf(r, field+".tls", tls, "", "Implicit", "StartTLS")
}
