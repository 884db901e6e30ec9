package routing

import (
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
	r.matches("spec.language", string(s.Language), languagePattern, languageHint)
	seen := names{}
	if s.PolicyRef != nil {
		r.objectName("spec.policyRef.name", s.PolicyRef.Name)
	}
	for i, k := range s.Knowledge {
		r.objectName(index("spec.knowledge", i)+".configMapRef.name", k.ConfigMapRef.Name)
		if seen.fresh(r, "spec.knowledge", i, k.Name) {
			out.Knowledge = append(out.Knowledge, KnowledgeSource{string(k.Name), k.ConfigMapRef.Name})
		}
	}
	out.Model = r.model(s.Model)
	r.helpdesks(s.Helpdesks)
	out.Webhooks = r.webhooks(s.Webhooks)
	out.Supervisors = r.inbox(s.Inbox)
	r.secretNames(copilotSecrets(c))
	out.Postgres = r.storage(s)
	r.runtime(s.Runtime)
	if s.Retention != nil {
		out.Retention = metav1.Duration{Duration: r.within("spec.retention.closedConversations", s.Retention.ClosedConversations, "1s", "87600h", 0)}
	}
	if len(s.Redaction) > 0 {
		for i, kind := range s.Redaction {
			oneOf(r, index("spec.redaction", i), kind, "", "Email", "Phone", "Name", "Address", "IPAddress")
		}
		twice(r, "spec.redaction", s.Redaction)
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
	r.url("spec.model.baseURL", m.BaseURL)
	if strings.HasSuffix(m.BaseURL, "/chat/completions") {
		r.invalid("spec.model.baseURL", "%q ends with /chat/completions, which is added; leave it out", m.BaseURL)
	}
	if m.Name == "" {
		r.invalid("spec.model.name", "is missing; name a model of the server")
	}
	if ref := m.APIKeySecretRef; ref != nil {
		out.APIKey = &SecretKey{ref.Name, ref.Key}
	}
	out.Timeout = metav1.Duration{Duration: r.within("spec.model.timeout", m.Timeout, "100ms", "10m", defaultModelTimeout)}
	if b := m.Budget; b != nil {
		r.atLeastOne("spec.model.budget.tokensPerConversation", b.TokensPerConversation)
		r.atLeastOne("spec.model.budget.tokensPerDay", b.TokensPerDay)
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

func (r *report) atLeastOne(field string, v *int64) {
	if v != nil && *v < 1 {
		r.invalid(field, "%d must be at least 1; leave it out for no limit", *v)
	}
}
