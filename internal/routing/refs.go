package routing

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// use is one place where an object names a key of a Secret. Without a key the whole Secret is meant.
type use struct{ field, secret, key string }

func keyUse(field string, ref v1alpha1.SecretKeyRef) use { return use{field, ref.Name, ref.Key} }

func copilotSecrets(c *v1alpha1.Copilot) []use {
	s := &c.Spec
	var uses []use
	add := func(field string, ref *v1alpha1.SecretKeyRef) {
		if ref != nil {
			uses = append(uses, keyUse(field, *ref))
		}
	}
	if s.Model != nil {
		add("spec.model.apiKeySecretRef", s.Model.APIKeySecretRef)
	}
	for i := range s.Helpdesks {
		field := fmt.Sprintf("spec.helpdesks[%d]", i)
		if h := s.Helpdesks[i].Intercom; h != nil {
			add(field+".intercom.accessTokenSecretRef", &h.AccessTokenSecretRef)
			add(field+".intercom.webhookSecretRef", h.WebhookSecretRef)
		}
		if h := s.Helpdesks[i].Zendesk; h != nil {
			add(field+".zendesk.apiTokenSecretRef", &h.APITokenSecretRef)
			add(field+".zendesk.webhookSecretRef", h.WebhookSecretRef)
		}
	}
	for i := range s.Webhooks {
		add(fmt.Sprintf("spec.webhooks[%d].signingSecretRef", i), &s.Webhooks[i].SigningSecretRef)
	}
	if s.Inbox != nil && s.Inbox.OIDC != nil {
		add("spec.inbox.oidc.clientSecretRef", s.Inbox.OIDC.ClientSecretRef)
	}
	if s.Storage != nil && s.Storage.Postgres != nil {
		add("spec.storage.postgres.dsnSecretRef", &s.Storage.Postgres.DSNSecretRef)
	}
	return append(uses, copilotPlatformSecrets(s)...)
}

// copilotPlatformSecrets are those that the cluster reads, not the runtime.
func copilotPlatformSecrets(s *v1alpha1.CopilotSpec) []use {
	var uses []use
	if s.Runtime != nil {
		for i, ref := range s.Runtime.ImagePullSecrets {
			uses = append(uses, use{field: fmt.Sprintf("spec.runtime.imagePullSecrets[%d]", i), secret: ref.Name})
		}
	}
	// Beside another type it is refused, so there is no need of the Secret.
	if e := s.Exposure; e != nil && e.Type == v1alpha1.ExposureIngress && e.Ingress != nil && e.Ingress.TLSSecretRef != nil {
		const field = "spec.exposure.ingress.tlsSecretRef"
		name := e.Ingress.TLSSecretRef.Name
		uses = append(uses, use{field, name, "tls.crt"}, use{field, name, "tls.key"})
	}
	return append(uses, podSecrets(s)...)
}

func channelSecrets(ch *v1alpha1.Channel) []use {
	var uses []use
	if w := ch.Spec.Web; w != nil && w.Identity != nil {
		uses = append(uses, keyUse("spec.web.identity.jwtSecretRef", w.Identity.JWTSecretRef))
	}
	if p := ch.Spec.Phone; p != nil && p.Twilio != nil {
		uses = append(uses, keyUse("spec.phone.twilio.accountSIDSecretRef", p.Twilio.AccountSIDSecretRef),
			keyUse("spec.phone.twilio.authTokenSecretRef", p.Twilio.AuthTokenSecretRef))
	}
	e := ch.Spec.Email
	if e == nil {
		return uses
	}
	login := func(field string, ref v1alpha1.LocalRef) {
		uses = append(uses, use{field, ref.Name, "username"}, use{field, ref.Name, "password"})
	}
	if e.Inbound.IMAP != nil {
		login("spec.email.inbound.imap.secretRef", e.Inbound.IMAP.SecretRef)
	}
	if ref := e.Outbound.SMTP.SecretRef; ref != nil {
		login("spec.email.outbound.smtp.secretRef", *ref)
	}
	if d := e.Outbound.DKIM; d != nil {
		uses = append(uses, keyUse("spec.email.outbound.dkim.keySecretRef", d.KeySecretRef))
	}
	return uses
}

// resolve reports Secrets and keys that do not exist, a missing Secret once per field.
func (r *report) resolve(uses []use, secrets map[string]Keys) {
	for i, u := range uses {
		switch keys := secrets[u.secret]; {
		case keys == nil && (i == 0 || uses[i-1].field != u.field):
			r.notFound(nameField(u.field), "there is no Secret %q in this namespace; create it or correct the name", u.secret)
		case keys != nil && u.key != "" && !keys[u.key]:
			r.add(v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonKeyNotFound, keyField(u.field), fmt.Sprintf(
				"Secret %q has no key %q; add it or correct the name", u.secret, u.key))
		}
	}
}

// resolveKnowledge reports ConfigMaps that do not exist.
func (r *report) resolveKnowledge(list []v1alpha1.KnowledgeSource, configMaps map[string]Keys) {
	for i, k := range list {
		if configMaps[k.ConfigMapRef.Name] == nil {
			r.notFound(fmt.Sprintf("spec.knowledge[%d].configMapRef.name", i),
				"there is no ConfigMap %q in this namespace; create it or correct the name. Until then the AI does not know what is in it", k.ConfigMapRef.Name)
		}
	}
}

// Refs lists what has to be read for a Snapshot: the keys wanted of each Secret (none where only its existence
// matters), the ConfigMaps and the AgentPools, each list sorted. Any argument may be nil.
func Refs(copilot *v1alpha1.Copilot, channels []*v1alpha1.Channel, policy *v1alpha1.HandoffPolicy) (secrets map[string][]string, configMaps, pools []string) {
	var uses []use
	if copilot != nil {
		uses = copilotSecrets(copilot)
		for _, k := range copilot.Spec.Knowledge {
			configMaps = append(configMaps, k.ConfigMapRef.Name)
		}
		for _, u := range podConfigMaps(&copilot.Spec) {
			configMaps = append(configMaps, u.configMap)
		}
	}
	for _, ch := range channels {
		uses = append(uses, channelSecrets(ch)...)
	}
	secrets = map[string][]string{}
	for _, u := range uses {
		keys := secrets[u.secret]
		if u.key != "" {
			keys = append(keys, u.key)
		}
		slices.Sort(keys)
		secrets[u.secret] = slices.Compact(keys)
	}
	if policy != nil {
		pools = poolNames(policy)
	}
	slices.Sort(configMaps)
	return secrets, slices.Compact(configMaps), pools
}

// Inputs are the names of the Secrets and ConfigMaps that the runtime itself reads, sorted. Some may not exist: the
// table names what its objects name, so that it stays the same while a Secret is replaced.
func (t *Table) Inputs() (secrets, configMaps []string) {
	s, c := map[string]bool{}, map[string]bool{}
	if m := t.Copilot.Model; m != nil && m.APIKey != nil {
		s[m.APIKey.Name] = true
	}
	if p := t.Copilot.Postgres; p != nil {
		s[p.DSN.Name] = true
	}
	for _, w := range t.Copilot.Webhooks {
		s[w.SigningSecret.Name] = true
	}
	for _, ch := range t.Channels {
		if ch.Web != nil && ch.Web.IdentitySecret != nil {
			s[ch.Web.IdentitySecret.Name] = true
		}
	}
	for _, k := range t.Copilot.Knowledge {
		c[k.ConfigMap] = true
	}
	return slices.Sorted(maps.Keys(s)), slices.Sorted(maps.Keys(c))
}
