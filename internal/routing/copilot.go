package routing

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

const (
	defaultLanguage     = "en"
	defaultModelBaseURL = "https://api.openai.com/v1"
	defaultModelTimeout = 10 * time.Second
)

// compileCopilot fills in the defaults of the tenant's own part.
func compileCopilot(c *v1alpha1.Copilot) (Copilot, []Problem) {
	r := &report{object: Object{"Copilot", c.Name}}
	s := &c.Spec
	out := Copilot{Namespace: c.Namespace, Name: c.Name, DisplayName: s.DisplayName, Language: string(s.Language), Instructions: s.Instructions}
	if out.DisplayName == "" {
		out.DisplayName = c.Name
	}
	if out.Language == "" {
		out.Language = defaultLanguage
	}
	r.matches("spec.language", string(s.Language), languagePattern, "a language such as en, de or pt-BR")
	seen := names{}
	for i, k := range s.Knowledge {
		if seen.fresh(r, "spec.knowledge", i, k.Name) {
			out.Knowledge = append(out.Knowledge, KnowledgeSource{string(k.Name), k.ConfigMapRef.Name})
		}
	}
	out.Model = r.model(s.Model)
	r.helpdesks(s.Helpdesks)
	r.webhooks(s.Webhooks)
	out.Supervisors = r.inbox(s.Inbox)
	r.storage(s)
	if s.Retention != nil && s.Retention.ClosedConversations != "" {
		r.duration("spec.retention.closedConversations", s.Retention.ClosedConversations, 0)
		r.unserved("spec.retention", "conversations are kept")
	}
	if len(s.Redaction) > 0 {
		out.Redaction = slices.Sorted(slices.Values(strs(s.Redaction)))
		r.unserved("spec.redaction", "these kinds of data are not redacted")
	}
	out.Proxies = r.exposure(s.Exposure)
	return out, r.list
}

func (r *report) model(m *v1alpha1.Model) *Model {
	if m == nil {
		return nil
	}
	out := &Model{BaseURL: m.BaseURL, Name: m.Name}
	if out.BaseURL == "" {
		out.BaseURL = defaultModelBaseURL
	}
	r.matches("spec.model.baseURL", m.BaseURL, urlPattern, "a URL such as "+defaultModelBaseURL)
	if m.Name == "" {
		r.invalid("spec.model.name", "is missing; name a model of the server")
	}
	if ref := m.APIKeySecretRef; ref != nil {
		out.APIKey = &SecretKey{ref.Name, ref.Key}
	}
	out.Timeout = metav1.Duration{Duration: r.positive("spec.model.timeout", m.Timeout, defaultModelTimeout)}
	if b := m.Budget; b != nil {
		if b.TokensPerConversation != nil {
			out.TokensPerConversation = *b.TokensPerConversation
		}
		if b.TokensPerDay != nil {
			out.TokensPerDay = *b.TokensPerDay
		}
		r.unserved("spec.model.budget", "the model is used without a limit")
	}
	return out
}

func (r *report) helpdesks(list []v1alpha1.Helpdesk) {
	seen := names{}
	for i, h := range list {
		seen.fresh(r, "spec.helpdesks", i, h.Name)
		field := fmt.Sprintf("spec.helpdesks[%d]", i)
		kind := oneOf(r, field+".type", h.Type, "", v1alpha1.HelpdeskTypeIntercom, v1alpha1.HelpdeskTypeZendesk)
		if kind == v1alpha1.HelpdeskTypeIntercom && h.Intercom == nil || kind == v1alpha1.HelpdeskTypeZendesk && h.Zendesk == nil {
			r.invalid(field, "a helpdesk of type %s needs the field %s", kind, strings.ToLower(string(kind)))
		}
		r.unserved(field, fmt.Sprintf("nothing is sent to %q", h.Name))
	}
}

func (r *report) webhooks(list []v1alpha1.Webhook) {
	seen := names{}
	for i, w := range list {
		seen.fresh(r, "spec.webhooks", i, w.Name)
		field := fmt.Sprintf("spec.webhooks[%d]", i)
		r.matches(field+".url", w.URL, urlPattern, "a URL such as https://hooks.acme.example/handoff")
		r.unserved(field, "no event is sent")
	}
}

// inbox returns the supervisors' addresses in lower case, sorted.
func (r *report) inbox(in *v1alpha1.Inbox) []string {
	if in == nil {
		return nil
	}
	if in.OIDC != nil {
		r.unserved("spec.inbox.oidc", "people sign in with links of kubectl handoff login")
	}
	var supervisors []string
	for i, role := range in.Roles {
		field := fmt.Sprintf("spec.inbox.roles[%d]", i)
		if oneOf(r, field+".role", role.Role, "", "Agent", "Supervisor") == "Agent" {
			r.unserved(field+".role", "only the agents of a pool are agents")
			continue
		}
		r.unserved(field+".role", "supervisors have no rights of their own")
		for j, e := range role.Emails {
			if r.matches(fmt.Sprintf("%s.emails[%d]", field, j), string(e), emailPattern, "an e-mail address") {
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

func (r *report) storage(s *v1alpha1.CopilotSpec) {
	kind := v1alpha1.StorageEmbedded
	if s.Storage != nil {
		kind = oneOf(r, "spec.storage.type", s.Storage.Type, kind, v1alpha1.StorageEmbedded, v1alpha1.StoragePostgres)
	}
	if kind == v1alpha1.StoragePostgres {
		if s.Storage.Postgres == nil {
			r.invalid("spec.storage.postgres", "storage of type Postgres needs the field postgres: {dsnSecretRef: {name: ..., key: ...}}")
		}
		r.unserved("spec.storage.type", "no runtime is started, so that no conversation is kept in the wrong place; use Embedded")
	}
	if s.Runtime == nil {
		return
	}
	if n := s.Runtime.Replicas; n != nil && kind == v1alpha1.StorageEmbedded && *n > 1 {
		r.invalid("spec.runtime.replicas", "%d replicas cannot share embedded storage; use 1, or storage of type Postgres", *n)
	}
	if oneOf(r, "spec.runtime.upgrade", s.Runtime.Upgrade, "Automatic", "Automatic", "Manual") == "Manual" {
		r.unserved("spec.runtime.upgrade", "the runtime follows the operator's release; set spec.runtime.image to hold one")
	}
}

// exposure returns the networks of trusted proxies as they are written.
func (r *report) exposure(e *v1alpha1.Exposure) []string {
	if e == nil {
		return nil
	}
	kind := oneOf(r, "spec.exposure.type", e.Type, v1alpha1.ExposureNone, v1alpha1.ExposureNone, v1alpha1.ExposureIngress, v1alpha1.ExposureGateway)
	if kind == v1alpha1.ExposureGateway && e.Gateway == nil {
		r.invalid("spec.exposure.gateway", "exposure of type Gateway needs the field gateway: {name: ...}")
	}
	if kind != v1alpha1.ExposureNone && e.Host == "" {
		// Without a host it would answer for every host that nobody else claims.
		r.invalid("spec.exposure.host", "exposure of type %s needs a host name such as support.acme.example", kind)
	}
	if len(e.TrustedProxies) > 0 {
		r.unserved("spec.exposure.trustedProxies", "X-Forwarded headers are not read")
	}
	for i, p := range e.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			r.invalid(fmt.Sprintf("spec.exposure.trustedProxies[%d]", i), "%q is not a network; write it like 10.0.0.0/8", p)
		}
	}
	return slices.Clone(e.TrustedProxies)
}
