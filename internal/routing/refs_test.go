package routing_test

import (
	"maps"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// An Ingress's certificate is looked for where there is to be an Ingress.
func TestCertificateIsNeededByAnIngressAlone(t *testing.T) {
	t.Parallel()
	for kind, want := range map[v1alpha1.ExposureType][]string{
		v1alpha1.ExposureIngress: {"shop-tls"},
		v1alpha1.ExposureGateway: nil,
		v1alpha1.ExposureNone:    nil,
		"":                       nil,
	} {
		c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "shop"}, Spec: v1alpha1.CopilotSpec{Exposure: &v1alpha1.Exposure{
			Type: kind, Host: "shop.example", Ingress: &v1alpha1.IngressExposure{TLSSecretRef: &v1alpha1.LocalRef{Name: "shop-tls"}},
		}}}
		secrets, _, _ := routing.Refs(c, nil, nil)
		if have := slices.Collect(maps.Keys(secrets)); !slices.Equal(have, want) {
			t.Errorf("exposure of type %q needs the Secrets %v, want %v", kind, have, want)
		}
	}
}
