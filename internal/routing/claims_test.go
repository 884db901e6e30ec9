package routing_test

import (
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// born is the metadata of an object that is so many seconds old.
func born(name string, age int, uid types.UID) metav1.ObjectMeta {
	namespace, name, _ := strings.Cut(name, "/")
	at := time.Date(2026, 3, 2, 12, 0, -age, 0, time.UTC)
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: uid, CreationTimestamp: metav1.NewTime(at)}
}

func TestOldestHoldsTheClaim(t *testing.T) {
	t.Parallel()
	web := func(name string, age int, uid types.UID, token string) *v1alpha1.Channel {
		return &v1alpha1.Channel{ObjectMeta: born(name, age, uid), Spec: v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypeWeb, Web: &v1alpha1.WebChannel{Token: token}}}
	}
	generated := func(name string, age int, uid types.UID) *v1alpha1.Channel { return web(name, age, uid, "") }
	_, token := routing.Claim(generated("a/y", 2, "2"))
	phone := func(name string, age int, uid types.UID, number string) *v1alpha1.Channel {
		return &v1alpha1.Channel{ObjectMeta: born(name, age, uid), Spec: v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypePhone, Phone: &v1alpha1.PhoneChannel{Number: v1alpha1.PhoneNumber(number)}}}
	}
	mail := func(name string, age int, uid types.UID, address string) *v1alpha1.Channel {
		return &v1alpha1.Channel{ObjectMeta: born(name, age, uid), Spec: v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypeEmail, Email: &v1alpha1.EmailChannel{Address: v1alpha1.EmailAddress(address)}}}
	}
	for name, tc := range map[string]struct {
		channels []*v1alpha1.Channel
		want     map[string]string
	}{
		"age":                      {[]*v1alpha1.Channel{web("a/x", 1, "1", "token-one"), web("b/x", 2, "2", "token-one")}, map[string]string{"a/x": "b/x"}},
		"uid where equally old":    {[]*v1alpha1.Channel{web("a/x", 1, "2", "token-one"), web("b/x", 1, "1", "token-one")}, map[string]string{"a/x": "b/x"}},
		"one holder of three":      {[]*v1alpha1.Channel{web("a/x", 1, "1", "token-one"), web("a/y", 3, "2", "token-one"), web("a/z", 2, "3", "token-one")}, map[string]string{"a/x": "a/y", "a/z": "a/y"}},
		"different tokens":         {[]*v1alpha1.Channel{web("a/x", 1, "1", "token-one"), web("a/y", 3, "2", "Token-one")}, nil},
		"a generated token":        {[]*v1alpha1.Channel{web("a/x", 1, "1", token), generated("a/y", 2, "2")}, map[string]string{"a/x": "a/y"}},
		"generated ones differ":    {[]*v1alpha1.Channel{generated("a/x", 1, "1"), generated("a/x2", 1, "2")}, nil},
		"numbers":                  {[]*v1alpha1.Channel{phone("a/x", 1, "1", "+14155550100"), phone("b/x", 2, "2", "+14155550100"), phone("b/y", 3, "3", "+14155550101")}, map[string]string{"a/x": "b/x"}},
		"mailboxes in lower case":  {[]*v1alpha1.Channel{mail("a/x", 1, "1", "Help@Acme.example"), mail("b/x", 2, "2", "help@acme.EXAMPLE")}, map[string]string{"a/x": "b/x"}},
		"a token is not a mailbox": {[]*v1alpha1.Channel{mail("a/x", 1, "1", "help@acme.example"), web("b/x", 2, "2", "help@acme.example")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 5 {
				rand.Shuffle(len(tc.channels), func(i, j int) { tc.channels[i], tc.channels[j] = tc.channels[j], tc.channels[i] })
				if have := plain(routing.Taken(tc.channels)); !maps.Equal(have, tc.want) {
					t.Errorf("taken %v, want %v", have, tc.want)
				}
			}
		})
	}
}

func TestOldestHoldsTheHost(t *testing.T) {
	t.Parallel()
	copilot := func(name string, age int, kind v1alpha1.ExposureType, host string) *v1alpha1.Copilot {
		return &v1alpha1.Copilot{ObjectMeta: born(name, age, types.UID(name)), Spec: v1alpha1.CopilotSpec{Exposure: &v1alpha1.Exposure{Type: kind, Host: host}}}
	}
	all := []*v1alpha1.Copilot{
		copilot("a/new", 1, v1alpha1.ExposureIngress, "help.acme.example"),
		copilot("b/old", 9, v1alpha1.ExposureGateway, "Help.Acme.example."),
		copilot("b/oldest", 20, v1alpha1.ExposureNone, "help.acme.example"),
		copilot("c/other", 30, v1alpha1.ExposureIngress, "www.help.acme.example"),
		{ObjectMeta: born("d/inside", 40, "d")},
	}
	if have, want := plain(routing.HostsTaken(all)), map[string]string{"a/new": "b/old"}; !maps.Equal(have, want) {
		t.Errorf("taken %v, want %v", have, want)
	}
}

func plain(taken map[types.NamespacedName]types.NamespacedName) map[string]string {
	out := map[string]string{}
	for late, holder := range taken {
		out[late.String()] = holder.String()
	}
	return out
}

// TestTakenIsToldWithDiscretion: the holder is named only to those who may see it anyway.
func TestTakenIsToldWithDiscretion(t *testing.T) {
	t.Parallel()
	c := &v1alpha1.Copilot{ObjectMeta: born("a/c", 1, "1"), Spec: v1alpha1.CopilotSpec{Exposure: &v1alpha1.Exposure{
		Type: v1alpha1.ExposureIngress, Host: "help.acme.example",
	}}}
	for holder, want := range map[string]string{
		"a/older": `"help.acme.example" belongs to Copilot older, which is older; use another`,
		"b/older": `"help.acme.example" belongs to a Copilot of another namespace, which is older; use another`,
	} {
		table, problems := routing.Compile(routing.Snapshot{Copilot: c, HostHolder: holder})
		if table != nil || len(problems) != 1 || problems[0].Reason != v1alpha1.ReasonTaken ||
			problems[0].Field != "spec.exposure.host" || problems[0].Message != want {
			t.Errorf("held by %s: %+v", holder, problems)
		}
	}
}

func TestATokenThatIsTakenAwayIsGeneratedAgain(t *testing.T) {
	t.Parallel()
	ch := &v1alpha1.Channel{ObjectMeta: born("a/x", 1, "1"), Spec: v1alpha1.ChannelSpec{Type: v1alpha1.ChannelTypeWeb, Web: &v1alpha1.WebChannel{}}}
	_, first := routing.Claim(ch)
	ch.Spec.Web.Token = "mine"
	_, ch.Status.Token = routing.Claim(ch)
	ch.Spec.Web.Token = ""
	if _, again := routing.Claim(ch); ch.Status.Token != "mine" || again != first {
		t.Errorf("generated %q, then named %q, then taken away %q", first, ch.Status.Token, again)
	}
}
