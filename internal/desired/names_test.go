package desired_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"

	"github.com/opencopilot/handoff-operator/internal/desired"
)

func TestName(t *testing.T) {
	t.Parallel()
	for copilot, want := range map[string]string{
		"acme":                  "acme-handoff",
		"a-b":                   "a-b-handoff",
		"shop.acme.example":     "shop-acme-example-d8122176-handoff",
		"24h":                   "c24h-0b509e6d-handoff",
		strings.Repeat("a", 55): strings.Repeat("a", 55) + "-handoff",
		strings.Repeat("a", 56): strings.Repeat("a", 46) + "-b35439a4-handoff",
	} {
		if have := desired.Name(copilot); have != want {
			t.Errorf("Name(%q) = %q, want %q", copilot, have, want)
		}
	}
}

func TestNamesAreValidAndTellCopilotsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,70}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?){0,2}`)
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		for _, name := range []string{a, b} {
			if len(validation.IsDNS1123Subdomain(name)) > 0 {
				t.Skip("not a name of a Copilot")
			}
			if errs := validation.IsDNS1035Label(desired.Name(name)); len(errs) > 0 {
				t.Fatalf("Name(%q) = %q is no name of a Service: %v", name, desired.Name(name), errs)
			}
			if errs := validation.IsValidLabelValue(desired.LabelValue(name)); len(errs) > 0 {
				t.Fatalf("LabelValue(%q) = %q: %v", name, desired.LabelValue(name), errs)
			}
		}
		if a != b && (desired.Name(a) == desired.Name(b) || desired.LabelValue(a) == desired.LabelValue(b)) {
			t.Fatalf("%q and %q share a name", a, b)
		}
	})
}

// Names that differ only where they are cut or bent must stay apart.
func TestNearNamesStayApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 100)
	for _, pair := range [][2]string{{long + "x", long + "y"}, {"a.b", "a-b"}, {"1a", "c1a"}} {
		if desired.Name(pair[0]) == desired.Name(pair[1]) {
			t.Errorf("%q and %q are both %q", pair[0], pair[1], desired.Name(pair[0]))
		}
		if desired.LabelValue(pair[0]) == desired.LabelValue(pair[1]) {
			t.Errorf("%q and %q have the label %q", pair[0], pair[1], desired.LabelValue(pair[0]))
		}
	}
}
