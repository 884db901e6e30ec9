package controller_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// reference is a place of the API that names another object (and its key "k", where it is a key of a Secret). build makes
// the object that names it.
type reference struct {
	field string
	key   bool
	kind  string
	build func() client.Object
}

// references are all there are, each to an object called target.
func references(target string) []reference {
	key := v1alpha1.SecretKeyRef{Name: target, Key: "k"}
	local := v1alpha1.LocalRef{Name: target}
	copilot := func(set func(*v1alpha1.CopilotSpec)) func() client.Object {
		return func() client.Object {
			c := &v1alpha1.Copilot{}
			set(&c.Spec)
			return c
		}
	}
	helpdesk := func(set func(*v1alpha1.Helpdesk)) func() client.Object {
		return copilot(func(s *v1alpha1.CopilotSpec) {
			h := v1alpha1.Helpdesk{Name: "desk"}
			set(&h)
			s.Helpdesks = []v1alpha1.Helpdesk{h}
		})
	}
	there := v1alpha1.SecretKeyRef{Name: "there", Key: "k"}
	intercom := func(access v1alpha1.SecretKeyRef, webhook *v1alpha1.SecretKeyRef) func() client.Object {
		return helpdesk(func(h *v1alpha1.Helpdesk) {
			h.Type, h.Intercom = v1alpha1.HelpdeskTypeIntercom, &v1alpha1.IntercomHelpdesk{AccessTokenSecretRef: access, WebhookSecretRef: webhook}
		})
	}
	zendesk := func(api v1alpha1.SecretKeyRef, webhook *v1alpha1.SecretKeyRef) func() client.Object {
		return helpdesk(func(h *v1alpha1.Helpdesk) {
			h.Type, h.Zendesk = v1alpha1.HelpdeskTypeZendesk, &v1alpha1.ZendeskHelpdesk{
				Subdomain: "acme", Email: "bot@acme.example", APITokenSecretRef: api, WebhookSecretRef: webhook}
		})
	}
	pod := func(set func(*v1alpha1.PodSpec)) func() client.Object {
		return copilot(func(s *v1alpha1.CopilotSpec) {
			s.Runtime = &v1alpha1.Runtime{PodTemplate: &v1alpha1.PodTemplate{Spec: &v1alpha1.PodSpec{}}}
			set(s.Runtime.PodTemplate.Spec)
		})
	}
	env := func(from corev1.EnvVarSource) func() client.Object {
		return pod(func(s *v1alpha1.PodSpec) {
			s.Containers = []v1alpha1.PodContainer{{Name: "runtime", Env: []corev1.EnvVar{{Name: "X", ValueFrom: &from}}}}
		})
	}
	channel := func(kind v1alpha1.ChannelType, set func(*v1alpha1.ChannelSpec)) func() client.Object {
		return func() client.Object {
			ch := &v1alpha1.Channel{Spec: v1alpha1.ChannelSpec{Type: kind, CopilotRef: v1alpha1.LocalRef{Name: "there"}}}
			set(&ch.Spec)
			return ch
		}
	}
	phone := func(sid, token v1alpha1.SecretKeyRef) func() client.Object {
		return channel(v1alpha1.ChannelTypePhone, func(s *v1alpha1.ChannelSpec) {
			s.Phone = &v1alpha1.PhoneChannel{Number: "+31205550199", Provider: "Twilio",
				Twilio: &v1alpha1.TwilioProvider{AccountSIDSecretRef: sid, AuthTokenSecretRef: token}}
		})
	}
	mail := func(set func(*v1alpha1.EmailChannel)) func() client.Object {
		return channel(v1alpha1.ChannelTypeEmail, func(s *v1alpha1.ChannelSpec) {
			s.Email = &v1alpha1.EmailChannel{Address: "refs@acme.example",
				Inbound: v1alpha1.EmailInbound{Type: "SMTP"}, Outbound: v1alpha1.EmailOutbound{SMTP: v1alpha1.SMTPOutbound{Host: "smtp.example"}}}
			set(s.Email)
		})
	}
	policy := func(set func(*v1alpha1.HandoffPolicySpec)) func() client.Object {
		return func() client.Object {
			p := &v1alpha1.HandoffPolicy{}
			set(&p.Spec)
			return p
		}
	}
	return []reference{
		{"spec.knowledge[0].configMapRef.name", false, "ConfigMap", copilot(func(s *v1alpha1.CopilotSpec) {
			s.Knowledge = []v1alpha1.KnowledgeSource{{Name: "faq", ConfigMapRef: local}}
		})},
		{"spec.model.apiKeySecretRef", true, "Secret", copilot(func(s *v1alpha1.CopilotSpec) {
			s.Model = &v1alpha1.Model{Name: "m", APIKeySecretRef: &key}
		})},
		{"spec.policyRef.name", false, "HandoffPolicy", copilot(func(s *v1alpha1.CopilotSpec) { s.PolicyRef = &local })},
		{"spec.helpdesks[0].intercom.accessTokenSecretRef", true, "Secret", intercom(key, nil)},
		{"spec.helpdesks[0].intercom.webhookSecretRef", true, "Secret", intercom(there, &key)},
		{"spec.helpdesks[0].zendesk.apiTokenSecretRef", true, "Secret", zendesk(key, nil)},
		{"spec.helpdesks[0].zendesk.webhookSecretRef", true, "Secret", zendesk(there, &key)},
		{"spec.webhooks[0].signingSecretRef", true, "Secret", copilot(func(s *v1alpha1.CopilotSpec) {
			s.Webhooks = []v1alpha1.Webhook{{Name: "crm", URL: "https://hooks.example", SigningSecretRef: key}}
		})},
		{"spec.inbox.oidc.clientSecretRef", true, "Secret", copilot(func(s *v1alpha1.CopilotSpec) {
			s.Inbox = &v1alpha1.Inbox{OIDC: &v1alpha1.OIDC{IssuerURL: "https://login.example", ClientID: "inbox", ClientSecretRef: &key}}
		})},
		{"spec.storage.postgres.dsnSecretRef", true, "Secret", copilot(func(s *v1alpha1.CopilotSpec) {
			s.Storage = &v1alpha1.Storage{Type: v1alpha1.StoragePostgres, Postgres: &v1alpha1.PostgresStorage{DSNSecretRef: key}}
		})},
		{"spec.runtime.imagePullSecrets[0].name", false, "Secret", copilot(func(s *v1alpha1.CopilotSpec) {
			s.Runtime = &v1alpha1.Runtime{ImagePullSecrets: []v1alpha1.LocalRef{local}}
		})},
		{"spec.runtime.podTemplate.spec.volumes[0].configMap.name", false, "ConfigMap", pod(func(s *v1alpha1.PodSpec) {
			s.Volumes = []v1alpha1.PodVolume{{Name: "ca", ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: target}}}}
		})},
		{"spec.runtime.podTemplate.spec.volumes[0].secret.secretName", false, "Secret", pod(func(s *v1alpha1.PodSpec) {
			s.Volumes = []v1alpha1.PodVolume{{Name: "ca", Secret: &corev1.SecretVolumeSource{SecretName: target}}}
		})},
		{"spec.runtime.podTemplate.spec.containers[0].env[0].valueFrom.secretKeyRef", true, "Secret", env(corev1.EnvVarSource{
			SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: target}, Key: "k"}})},
		{"spec.runtime.podTemplate.spec.containers[0].env[0].valueFrom.configMapKeyRef.name", false, "ConfigMap", env(corev1.EnvVarSource{
			ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: target}, Key: "k"}})},
		{"spec.exposure.ingress.tlsSecretRef.name", false, "Secret", copilot(func(s *v1alpha1.CopilotSpec) {
			s.Exposure = &v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: "refs.example", Ingress: &v1alpha1.IngressExposure{TLSSecretRef: &local}}
		})},
		{"spec.copilotRef.name", false, "Copilot", channel(v1alpha1.ChannelTypeWeb, func(s *v1alpha1.ChannelSpec) { s.CopilotRef = local })},
		{"spec.web.identity.jwtSecretRef", true, "Secret", channel(v1alpha1.ChannelTypeWeb, func(s *v1alpha1.ChannelSpec) {
			s.Web = &v1alpha1.WebChannel{Identity: &v1alpha1.WebIdentity{JWTSecretRef: key}}
		})},
		{"spec.phone.twilio.accountSIDSecretRef", true, "Secret", phone(key, there)},
		{"spec.phone.twilio.authTokenSecretRef", true, "Secret", phone(there, key)},
		{"spec.email.inbound.imap.secretRef.name", false, "Secret", mail(func(e *v1alpha1.EmailChannel) {
			e.Inbound = v1alpha1.EmailInbound{Type: "IMAP", IMAP: &v1alpha1.IMAPInbound{Host: "imap.example", SecretRef: local}}
		})},
		{"spec.email.outbound.smtp.secretRef.name", false, "Secret", mail(func(e *v1alpha1.EmailChannel) { e.Outbound.SMTP.SecretRef = &local })},
		{"spec.email.outbound.dkim.keySecretRef", true, "Secret", mail(func(e *v1alpha1.EmailChannel) {
			e.Outbound.DKIM = &v1alpha1.DKIM{Selector: "s1", KeySecretRef: key}
		})},
		{"spec.routes[0].targets[0].pool.name", false, "AgentPool", policy(func(s *v1alpha1.HandoffPolicySpec) {
			s.Routes = []v1alpha1.Route{{Name: "all", Targets: []v1alpha1.Target{{Type: v1alpha1.TargetTypePool, Pool: &v1alpha1.PoolTarget{Name: target}}}}}
		})},
	}
}

// named is the object that the references name. A Secret has every key that is fixed by the field, and "k" if asked for.
func named(kind, target string, withKey bool) client.Object {
	name := metav1.ObjectMeta{Name: target}
	switch kind {
	case "Secret":
		s := &corev1.Secret{ObjectMeta: name, StringData: map[string]string{"tls.crt": "x", "tls.key": "x", "username": "x", "password": "x"}}
		if withKey {
			s.StringData["k"] = "x"
		}
		return s
	case "ConfigMap":
		return &corev1.ConfigMap{ObjectMeta: name}
	case "Copilot":
		return &v1alpha1.Copilot{ObjectMeta: name}
	case "HandoffPolicy":
		return &v1alpha1.HandoffPolicy{ObjectMeta: name}
	}
	return &v1alpha1.AgentPool{ObjectMeta: name}
}

// TestEveryReferenceIsNamedAndHeals: missing, there without its key, whole, and gone again. Nothing but the named object
// changes, and a World's operator fails the test if it polls.
func TestEveryReferenceIsNamedAndHeals(t *testing.T) {
	t.Parallel()
	shared := controltest.New(t)
	shared.Start()
	shared.ExpectCreated(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "there"}, StringData: map[string]string{"k": "x"}})
	shared.ExpectCreated(&v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "there"}})
	for i := range references("") {
		target := fmt.Sprintf("target-%d", i)
		ref := references(target)[i]
		t.Run(ref.field, func(t *testing.T) {
			t.Parallel()
			w := *shared
			w.TB = t
			o := ref.build()
			o.SetName(fmt.Sprintf("referrer-%d", i))
			w.ExpectCreated(o)
			resolved := func() {
				t.Helper()
				w.ExpectCondition(o, v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue, v1alpha1.ReasonResolved)
			}
			missing := func() {
				t.Helper()
				w.ExpectCondition(o, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonNotFound,
					strings.TrimSuffix(ref.field, ".name")+".", fmt.Sprintf("%s %q", ref.kind, target))
			}
			if strings.HasSuffix(ref.field, ".secretName") {
				missing = func() {
					w.ExpectCondition(o, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonNotFound, ref.field, fmt.Sprintf("Secret %q", target))
				}
			}
			missing()
			it := named(ref.kind, target, false)
			w.ExpectCreated(it)
			if ref.key {
				w.ExpectCondition(o, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonKeyNotFound, ref.field+".key", `"k"`)
				w.ExpectDeleted(it)
				missing()
				it = named(ref.kind, target, true)
				w.ExpectCreated(it)
			}
			resolved()
			if secret, ok := it.(*corev1.Secret); ok && ref.key {
				w.Edit(secret, func() { secret.Data["K"] = secret.Data["k"]; delete(secret.Data, "k") })
				w.ExpectCondition(o, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonKeyNotFound, ref.field+".key")
			}
			w.ExpectDeleted(it)
			missing()
		})
	}
}

// TestEveryReferenceIsTried: a reference that the API gains is one that the test above has to know.
func TestEveryReferenceIsTried(t *testing.T) {
	t.Parallel()
	var have []string
	for _, ref := range references("") {
		path := regexp.MustCompile(`\[0\]`).ReplaceAllString(ref.field, "[]")
		path = strings.TrimSuffix(strings.TrimSuffix(path, ".name"), ".secretName")
		have = append(have, path)
	}
	var want []string
	for _, spec := range []any{v1alpha1.CopilotSpec{}, v1alpha1.ChannelSpec{}, v1alpha1.HandoffPolicySpec{}, v1alpha1.AgentPoolSpec{}} {
		want = append(want, refPaths(reflect.TypeOf(spec), "spec")...)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("the references of the API are\n%s\nand tried are\n%s", strings.Join(want, "\n"), strings.Join(have, "\n"))
	}
}

// refPaths finds the fields of a type that name objects of the namespace.
func refPaths(t reflect.Type, path string) []string {
	switch t {
	case reflect.TypeFor[v1alpha1.SecretKeyRef](), reflect.TypeFor[v1alpha1.LocalRef](), reflect.TypeFor[v1alpha1.PoolTarget](),
		reflect.TypeFor[corev1.SecretVolumeSource](), reflect.TypeFor[corev1.ConfigMapVolumeSource](),
		reflect.TypeFor[corev1.SecretKeySelector](), reflect.TypeFor[corev1.ConfigMapKeySelector]():
		return []string{path}
	case reflect.TypeFor[corev1.Affinity](), reflect.TypeFor[metav1.LabelSelector]():
		return nil
	}
	var out []string
	switch t.Kind() {
	case reflect.Pointer:
		return refPaths(t.Elem(), path)
	case reflect.Slice:
		return refPaths(t.Elem(), path+"[]")
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if name != "" {
				out = append(out, refPaths(t.Field(i).Type, path+"."+name)...)
			}
		}
	}
	return out
}
