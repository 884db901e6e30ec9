package routing

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

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
	r.settings(&ch.Spec)
	if holder != "" {
		r.taken(ch, holder)
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
			r.invalid(f.field, "a Channel of type %s needs the field %s", kind, f.field)
		case f.kind != kind && f.has:
			r.invalid(f.field, "a Channel of type %s has no %s; remove it, or write a Channel of its own", kind, f.field)
		}
	}
}

// taken names the holder only within its own namespace: what another tenant has is not this one's to know.
func (r *report) taken(ch *v1alpha1.Channel, holder string) {
	field, value := Claim(ch)
	namespace, name, _ := strings.Cut(holder, "/")
	who := "a Channel of another namespace"
	if namespace == ch.Namespace {
		who = "Channel " + name
	}
	r.add(v1alpha1.ConditionAccepted, v1alpha1.ReasonTaken, field, fmt.Sprintf("%q belongs to %s, which is older; use another", value, who))
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
	out := &WebChannel{Token: token, AllowedOrigins: slices.Clone(w.AllowedOrigins), InitialMessage: w.InitialMessage}
	if w.Identity != nil {
		ref := w.Identity.JWTSecretRef
		out.IdentitySecret = &SecretKey{ref.Name, ref.Key}
		r.unserved("spec.web.identity", "every customer counts as not verified")
	}
	return out
}

func (r *report) phone(p *v1alpha1.PhoneChannel, copilot *v1alpha1.Copilot) {
	r.unserved("spec.type", "calls are not answered")
	if p == nil {
		return
	}
	r.matches("spec.phone.number", string(p.Number), phonePattern, "a number such as +14155550100, without spaces")
	if p.Handoff == nil {
		return
	}
	if copilot != nil && copilot.Spec.PolicyRef == nil {
		r.add(v1alpha1.ConditionAccepted, v1alpha1.ReasonPolicyMissing, "spec.phone.handoff", fmt.Sprintf(
			"Copilot %s has no policy and never hands off; set spec.policyRef there, or remove spec.phone.handoff", copilot.Name))
	}
	for i, n := range p.Handoff.Numbers {
		r.matches(fmt.Sprintf("spec.phone.handoff.numbers[%d].number", i), string(n.Number), phonePattern, "a number such as +14155550100, without spaces")
	}
	r.duration("spec.phone.handoff.ringTimeout", p.Handoff.RingTimeout, 0)
}

func (r *report) email(e *v1alpha1.EmailChannel) {
	r.unserved("spec.type", "mail is not read")
	if e == nil {
		return
	}
	r.matches("spec.email.address", string(e.Address), emailPattern, "an e-mail address")
	if e.Inbound.Type == "IMAP" && e.Inbound.IMAP == nil {
		r.invalid("spec.email.inbound.imap", "inbound of type IMAP needs the field imap")
	}
}

// Claim is what a Channel claims for itself in the whole cluster: the field, and the widget token, phone number or
// mailbox (in lower case). The value is empty where the Channel lacks it.
func Claim(ch *v1alpha1.Channel) (field, value string) {
	s := &ch.Spec
	switch {
	case s.Type == v1alpha1.ChannelTypeWeb && s.Web != nil && s.Web.Token != "":
		return "spec.web.token", s.Web.Token
	case s.Type == v1alpha1.ChannelTypeWeb && ch.Status.Token != "":
		return "spec.web.token", ch.Status.Token
	case s.Type == v1alpha1.ChannelTypeWeb:
		return "spec.web.token", derivedToken(ch)
	case s.Type == v1alpha1.ChannelTypePhone && s.Phone != nil:
		return "spec.phone.number", string(s.Phone.Number)
	case s.Type == v1alpha1.ChannelTypeEmail && s.Email != nil:
		return "spec.email.address", strings.ToLower(string(s.Email.Address))
	}
	return "", ""
}

// derivedToken is the token of a web Channel that has none yet. It is derived and not random, so that the same Channel
// always gives the same table, also before its status was written and where there is no status. It is public and never
// a credential, so nothing is lost by its being predictable.
func derivedToken(ch *v1alpha1.Channel) string {
	sum := sha256.Sum256([]byte(ch.Namespace + "/" + ch.Name + "/" + string(ch.UID)))
	return hex.EncodeToString(sum[:16])
}

// Taken finds the Channels whose claim an older one holds, with the holder. Age is the time of creation, then the UID,
// then namespace and name.
func Taken(channels []*v1alpha1.Channel) map[types.NamespacedName]types.NamespacedName {
	sorted := slices.SortedFunc(slices.Values(channels), func(a, b *v1alpha1.Channel) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.UID, b.UID),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	type claim struct{ field, value string }
	holders := map[claim]types.NamespacedName{}
	taken := map[types.NamespacedName]types.NamespacedName{}
	for _, ch := range sorted {
		field, value := Claim(ch)
		if value == "" {
			continue
		}
		name := types.NamespacedName{Namespace: ch.Namespace, Name: ch.Name}
		if holder, ok := holders[claim{field, value}]; ok {
			taken[name] = holder
			continue
		}
		holders[claim{field, value}] = name
	}
	return taken
}
