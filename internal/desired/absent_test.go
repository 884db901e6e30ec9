package desired_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// A child that one spec asks for and the next does not would stay for ever if it were not named as absent; one that is
// both would be made and deleted in turns.
func TestChildIsEitherWantedOrAbsent(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	optional := []string{"PodDisruptionBudget", "Ingress", "HTTPRoute"}
	seen := map[string]bool{}
	for _, file := range files {
		in := read(t, file)
		children, err := desired.Render(in)
		if err != nil {
			t.Fatal(err)
		}
		wanted, absent := kinds(children), kinds(desired.Absent(in))
		for _, kind := range wanted {
			seen[kind] = true
			if slices.Contains(absent, kind) {
				t.Errorf("%s: the %s is wanted and absent", file, kind)
			}
		}
		for _, kind := range optional {
			// Where the kind does not exist there is nothing to delete either.
			exists := kind != "HTTPRoute" || in.Platform.GatewayAPI
			if exists != (slices.Contains(wanted, kind) || slices.Contains(absent, kind)) {
				t.Errorf("%s: the %s exists here: %v; wanted are %v, absent %v", file, kind, exists, wanted, absent)
			}
		}
		for _, kind := range absent {
			if !slices.Contains(optional, kind) {
				t.Errorf("%s: a %s is never to be deleted", file, kind)
			}
		}
	}
	for _, kind := range optional {
		if !seen[kind] {
			t.Errorf("no golden file has a %s", kind)
		}
	}
}

func kinds(list []runtime.ApplyConfiguration) []string {
	var out []string
	for _, c := range list {
		out = append(out, *c.(interface{ GetKind() *string }).GetKind())
	}
	return out
}

func TestPublicURL(t *testing.T) {
	t.Parallel()
	exposed := func(kind v1alpha1.ExposureType, tls bool) *v1alpha1.Exposure {
		e := &v1alpha1.Exposure{Type: kind, Host: "acme.example.com", Ingress: &v1alpha1.IngressExposure{}}
		if tls {
			e.Ingress.TLSSecretRef = &v1alpha1.LocalRef{Name: "acme-tls"}
		}
		return e
	}
	for name, test := range map[string]struct {
		exposure *v1alpha1.Exposure
		want     string
	}{
		"nothing said":    {nil, ""},
		"no type":         {exposed("", true), ""},
		"none":            {exposed(v1alpha1.ExposureNone, true), ""},
		"ingress":         {exposed(v1alpha1.ExposureIngress, false), "http://acme.example.com"},
		"ingress, TLS":    {exposed(v1alpha1.ExposureIngress, true), "https://acme.example.com"},
		"ingress, no set": {&v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: "h.example"}, "http://h.example"},
		"gateway":         {exposed(v1alpha1.ExposureGateway, false), "https://acme.example.com"},
	} {
		c := &v1alpha1.Copilot{Spec: v1alpha1.CopilotSpec{Exposure: test.exposure}}
		if have := desired.PublicURL(c); have != test.want {
			t.Errorf("%s: %q, want %q", name, have, test.want)
		}
	}
}

func TestMissingGatewayAPIIsNamed(t *testing.T) {
	t.Parallel()
	c := read(t, "testdata/gateway.in.yaml").Copilot
	if p := desired.Missing(c, desired.Platform{GatewayAPI: true}); len(p) > 0 {
		t.Errorf("with the API: %v", p)
	}
	p := desired.Missing(c, desired.Platform{})
	if len(p) != 1 || p[0].Reason != v1alpha1.ReasonGatewayAPIMissing || p[0].Condition != v1alpha1.ConditionResolvedRefs || p[0].Object.Name != "bikes" {
		t.Errorf("without: %v", p)
	}
	if strings.Contains(p[0].Message, "restart") {
		t.Errorf("whoever watches for it heals by itself: %s", p[0].Message)
	}
	once := desired.Missing(c, desired.Platform{GatewayAPIOnce: true})
	if len(once) != 1 || !strings.Contains(once[0].Message, "restart the operator") {
		t.Errorf("found out at the start: %v", once)
	}
	if p := desired.Missing(read(t, "testdata/ingress.in.yaml").Copilot, desired.Platform{}); len(p) > 0 {
		t.Errorf("an Ingress needs no Gateway API: %v", p)
	}
}
