package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

func (r *report) helpdesks(list []v1alpha1.Helpdesk) {
	seen := names{}
	for i, h := range list {
		seen.fresh(r, "spec.helpdesks", i, h.Name)
		field := fmt.Sprintf("spec.helpdesks[%d]", i)
		kind := oneOf(r, field+".type", h.Type, "", v1alpha1.HelpdeskTypeIntercom, v1alpha1.HelpdeskTypeZendesk)
		r.vendor(field, kind, v1alpha1.HelpdeskTypeIntercom, h.Intercom != nil)
		r.vendor(field, kind, v1alpha1.HelpdeskTypeZendesk, h.Zendesk != nil)
		oneOf(r, field+".mirror", h.Mirror, "None", "None", "Note")
		r.helpdesk(field, &list[i])
		r.unserved(field, fmt.Sprintf("nothing is sent to %q", h.Name))
	}
}

// vendor reports the settings of a vendor that a helpdesk of kind lacks, or has although they would be ignored.
func (r *report) vendor(field string, kind, vendor v1alpha1.HelpdeskType, has bool) {
	name := strings.ToLower(string(vendor))
	switch {
	case kind == vendor && !has:
		r.invalid(field+"."+name, "a helpdesk of type %s needs the field %s", kind, name)
	case kind != "" && kind != vendor && has:
		r.invalid(field+"."+name, "a helpdesk of type %s has no %s; remove it, or list another helpdesk", kind, name)
	}
}

func (r *report) helpdesk(field string, h *v1alpha1.Helpdesk) {
	if z := h.Zendesk; z != nil {
		r.matches(field+".zendesk.subdomain", z.Subdomain, subdomainPattern, "the first part of <subdomain>.zendesk.com, such as acme")
		r.matches(field+".zendesk.email", string(z.Email), emailPattern, emailHint)
	}
	in := h.Intercom
	if in == nil {
		return
	}
	oneOf(r, field+".intercom.region", in.Region, "US", "US", "EU", "AU")
	if a := in.AssignTo; a != nil && a.TeamID != "" && a.AdminID != "" {
		r.invalid(field+".intercom.assignTo", "teamID %q and adminID %q exclude each other; keep one", a.TeamID, a.AdminID)
	}
}

func (r *report) webhooks(list []v1alpha1.Webhook) (out []Webhook) {
	seen := names{}
	for i, w := range list {
		fresh := seen.fresh(r, "spec.webhooks", i, w.Name)
		field := fmt.Sprintf("spec.webhooks[%d]", i)
		r.url(field+".url", w.URL)
		for j, e := range w.Events {
			r.matches(index(field+".events", j), e, eventPattern, "a type of event such as conversation.handoff_to_human")
		}
		twice(r, field+".events", w.Events)
		if fresh {
			out = append(out, Webhook{Name: string(w.Name), URL: w.URL, Events: strs(w.Events),
				SigningSecret: SecretKey{w.SigningSecretRef.Name, w.SigningSecretRef.Key}})
		}
	}
	return out
}

// inbox returns the supervisors' addresses in lower case, sorted.
func (r *report) inbox(in *v1alpha1.Inbox) []string {
	if in == nil {
		return nil
	}
	if in.OIDC != nil {
		r.url("spec.inbox.oidc.issuerURL", in.OIDC.IssuerURL)
		r.unserved("spec.inbox.oidc", "people sign in with links of kubectl handoff login")
	}
	var supervisors []string
	for i, role := range in.Roles {
		field := index("spec.inbox.roles", i)
		if len(role.Emails)+len(role.Groups) == 0 {
			r.invalid(field, "the role %s is given to nobody; list emails or groups", role.Role)
		}
		if len(role.Groups) > 0 && in.OIDC == nil {
			r.invalid(field+".groups", "groups come from an identity provider; set inbox.oidc, or list emails")
		}
		if oneOf(r, field+".role", role.Role, "", "Agent", "Supervisor") == "Agent" {
			r.unserved(field+".role", "only the agents of a pool are agents")
			continue
		}
		for j, e := range role.Emails {
			if r.matches(fmt.Sprintf("%s.emails[%d]", field, j), string(e), emailPattern, emailHint) {
				supervisors = append(supervisors, strings.ToLower(string(e)))
			}
		}
		if len(role.Groups) > 0 {
			r.unserved(field+".groups", "groups come from an identity provider; list the people's emails")
		}
	}
	slices.Sort(supervisors)
	return slices.Compact(supervisors)
}
