package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// CheckChannel is what Compile finds wrong with a Channel: in itself, under its Copilot (nil if that does not exist),
// with the Secrets that exist, and with the "namespace/name" of an older Channel that holds its claim ("" for none).
func CheckChannel(ch *v1alpha1.Channel, copilot *v1alpha1.Copilot, secrets map[string]Keys, holder string) []Problem {
	_, problems := compileChannel(ch, copilot, secrets, holder)
	return problems
}

// compileChannel fills in defaults. It returns nil for a Channel that is not Accepted or of a type not served.
func compileChannel(ch *v1alpha1.Channel, copilot *v1alpha1.Copilot, secrets map[string]Keys, holder string) (*Channel, []Problem) {
	r := &report{object: Object{"Channel", ch.Name}}
	if copilot == nil {
		r.notFound("spec.copilotRef.name", "there is no Copilot %q in this namespace; create it or correct the name", ch.Spec.CopilotRef.Name)
	}
	r.objectName("spec.copilotRef.name", ch.Spec.CopilotRef.Name)
	r.settings(&ch.Spec)
	if holder != "" {
		field, value := Claim(ch)
		r.taken(field, value, ch.Namespace, holder)
	}
	var out *Channel
	switch ch.Spec.Type {
	case v1alpha1.ChannelTypeWeb:
		out = &Channel{Name: ch.Name, Type: ch.Spec.Type, Web: r.web(ch)}
	case v1alpha1.ChannelTypePhone:
		r.phone(ch.Spec.Phone, copilot)
	case v1alpha1.ChannelTypeEmail:
		r.email(ch.Spec.Email)
	}
	r.secretNames(channelSecrets(ch))
	r.resolve(channelSecrets(ch), secrets)
	if !r.accepted() {
		out = nil
	}
	return out, r.list
}

// settings checks that the Channel has the settings of its type, and no others that would be ignored.
func (r *report) settings(s *v1alpha1.ChannelSpec) {
	kind := oneOf(r, "spec.type", s.Type, "", v1alpha1.ChannelTypeWeb, v1alpha1.ChannelTypePhone, v1alpha1.ChannelTypeEmail)
	if s.Type == "" {
		r.invalid("spec.type", "is missing; it is Web, Phone or Email")
	}
	if kind == "" {
		return
	}
	for _, f := range []struct {
		kind  v1alpha1.ChannelType
		field string
		has   bool
		need  bool
	}{
		{v1alpha1.ChannelTypeWeb, "spec.web", s.Web != nil, false},
		{v1alpha1.ChannelTypePhone, "spec.phone", s.Phone != nil, true},
		{v1alpha1.ChannelTypeEmail, "spec.email", s.Email != nil, true},
	} {
		switch {
		case f.kind == kind && f.need && !f.has:
			r.invalid(f.field, "a Channel of type %s needs the field %s", kind, strings.TrimPrefix(f.field, "spec."))
		case f.kind != kind && f.has:
			r.invalid(f.field, "a Channel of type %s has no %s; remove it, or write a Channel of its own", kind, strings.TrimPrefix(f.field, "spec."))
		}
	}
}

func (r *report) web(ch *v1alpha1.Channel) *WebChannel {
	w := ch.Spec.Web
	if w == nil {
		w = &v1alpha1.WebChannel{}
	}
	_, token := Claim(ch)
	r.matches("spec.web.token", w.Token, tokenPattern, "8 to 128 letters, digits, dots, dashes or underscores")
	for i, o := range w.AllowedOrigins {
		r.matches(fmt.Sprintf("spec.web.allowedOrigins[%d]", i), o, originPattern, "an origin such as https://www.acme.example, without a path")
	}
	twice(r, "spec.web.allowedOrigins", w.AllowedOrigins)
	out := &WebChannel{Token: token, AllowedOrigins: slices.Clone(w.AllowedOrigins), InitialMessage: w.InitialMessage}
	if w.Identity != nil {
		ref := w.Identity.JWTSecretRef
		out.IdentitySecret = &SecretKey{ref.Name, ref.Key}
		r.unserved("spec.web.identity", "every customer counts as not verified")
	}
	return out
}
