package routing

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// Claim is what a Channel claims for itself in the whole cluster: the field, and the widget token, phone number or
// mailbox (in lower case). The value is empty where the Channel lacks it.
func Claim(ch *v1alpha1.Channel) (field, value string) {
	s := &ch.Spec
	switch {
	case s.Type == v1alpha1.ChannelTypeWeb && s.Web != nil && s.Web.Token != "":
		return "spec.web.token", s.Web.Token
	case s.Type == v1alpha1.ChannelTypeWeb:
		return "spec.web.token", derivedToken(ch)
	case s.Type == v1alpha1.ChannelTypePhone && s.Phone != nil:
		return "spec.phone.number", string(s.Phone.Number)
	case s.Type == v1alpha1.ChannelTypeEmail && s.Email != nil:
		return "spec.email.address", strings.ToLower(string(s.Email.Address))
	}
	return "", ""
}

// derivedToken is the token of a web Channel that names none. It is derived and not random, so that the same Channel
// always gives the same table, whatever its status says: before it was written, and after a token that was named has been
// taken away again. It is public and never a credential, so nothing is lost by its being predictable.
func derivedToken(ch *v1alpha1.Channel) string {
	sum := sha256.Sum256([]byte(ch.Namespace + "/" + ch.Name + "/" + string(ch.UID)))
	return hex.EncodeToString(sum[:16])
}

// Host is the host name that a Copilot claims for itself in the whole cluster, as DNS compares it: in lower case and
// without a dot at the end. It is empty for a Copilot that is not exposed.
func Host(c *v1alpha1.Copilot) string {
	e := c.Spec.Exposure
	if e == nil || e.Type == "" || e.Type == v1alpha1.ExposureNone {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(e.Host), ".")
}

// Taken finds the Channels whose claim an older one holds, with the holder.
func Taken(channels []*v1alpha1.Channel) map[types.NamespacedName]types.NamespacedName {
	return late(channels, func(ch *v1alpha1.Channel) string {
		field, value := Claim(ch)
		if value == "" {
			return ""
		}
		return field + "=" + value
	})
}

// HostsTaken finds the Copilots whose host an older one holds, with the holder.
func HostsTaken(copilots []*v1alpha1.Copilot) map[types.NamespacedName]types.NamespacedName {
	return late(copilots, Host)
}

// late finds the objects that claim what an older one holds. Age is the time of creation, then the UID, then namespace
// and name.
func late[T metav1.Object](objects []T, claim func(T) string) map[types.NamespacedName]types.NamespacedName {
	sorted := slices.SortedFunc(slices.Values(objects), func(a, b T) int {
		return cmp.Or(a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time), cmp.Compare(a.GetUID(), b.GetUID()),
			cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	holders := map[string]types.NamespacedName{}
	out := map[types.NamespacedName]types.NamespacedName{}
	for _, o := range sorted {
		what := claim(o)
		if what == "" {
			continue
		}
		name := types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
		if holder, taken := holders[what]; taken {
			out[name] = holder
			continue
		}
		holders[what] = name
	}
	return out
}

// taken reports a claim that another object of the same kind holds. It is named only within the claimant's own
// namespace: what another tenant has is not this one's to know.
func (r *report) taken(field, value, own, holder string) {
	namespace, name, _ := strings.Cut(holder, "/")
	who := fmt.Sprintf("a %s of another namespace", r.object.Kind)
	if namespace == own {
		who = r.object.Kind + " " + name
	}
	r.add(v1alpha1.ConditionAccepted, v1alpha1.ReasonTaken, field, fmt.Sprintf("%q belongs to %s, which is older; use another", value, who))
}
