package routing

import (
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// exposure returns the networks of trusted proxies as they are written.
func (r *report) exposure(e *v1alpha1.Exposure) []string {
	if e == nil {
		return nil
	}
	kind := oneOf(r, "spec.exposure.type", e.Type, v1alpha1.ExposureNone, v1alpha1.ExposureNone, v1alpha1.ExposureIngress, v1alpha1.ExposureGateway)
	const at = "spec.exposure."
	const other = "exposure of type %s has no %s; set type: %s, or remove it"
	switch {
	case kind == v1alpha1.ExposureGateway && e.Gateway == nil:
		r.invalid(at+"gateway", "exposure of type Gateway needs the field gateway: {name: ...}")
	case kind != v1alpha1.ExposureGateway && e.Gateway != nil:
		r.invalid(at+"gateway", other, kind, "gateway", v1alpha1.ExposureGateway)
	}
	if kind != v1alpha1.ExposureIngress && e.Ingress != nil {
		r.invalid(at+"ingress", other, kind, "ingress", v1alpha1.ExposureIngress)
	}
	r.exposedHost(kind, e.Host)
	r.exposedBy(e)
	if len(e.TrustedProxies) > 0 {
		r.unserved(at+"trustedProxies", "X-Forwarded headers are not read")
	}
	for i, p := range e.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			r.invalid(index(at+"trustedProxies", i), "%q is not a network; write it like 10.0.0.0/8", p)
		}
	}
	twice(r, at+"trustedProxies", e.TrustedProxies)
	return slices.Clone(e.TrustedProxies)
}

// exposedHost reports a missing host, without which the Copilot would answer for every host that nobody else claims, and
// one that is no name.
func (r *report) exposedHost(kind v1alpha1.ExposureType, host string) {
	const field = "spec.exposure.host"
	_, err := netip.ParseAddr(host)
	switch {
	case host == "" && kind != v1alpha1.ExposureNone:
		r.invalid(field, "exposure of type %s needs the field host, such as support.acme.example", kind)
	case host != "" && (err == nil || len(validation.IsDNS1123Subdomain(host)) > 0):
		r.invalid(field, "%q must be a host name such as support.acme.example, in lower case and without scheme or port", host)
	}
}

// exposedBy reports what cannot name a class or a Gateway.
func (r *report) exposedBy(e *v1alpha1.Exposure) {
	if in := e.Ingress; in != nil && in.ClassName != nil {
		r.objectName("spec.exposure.ingress.className", *in.ClassName)
	}
	g := e.Gateway
	if g == nil {
		return
	}
	r.objectName("spec.exposure.gateway.name", g.Name)
	r.objectName("spec.exposure.gateway.sectionName", g.SectionName)
	if g.Namespace != "" && len(validation.IsDNS1123Label(g.Namespace)) > 0 {
		r.invalid("spec.exposure.gateway.namespace", "%q cannot be the name of a namespace; write lower-case letters, digits and dashes", g.Namespace)
	}
}
