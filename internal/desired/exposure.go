package desired

import (
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
)

// exposure is how the Copilot is to be reached from outside the cluster.
func exposure(c *v1alpha1.Copilot) v1alpha1.ExposureType {
	if e := c.Spec.Exposure; e != nil && e.Type != "" {
		return e.Type
	}
	return v1alpha1.ExposureNone
}

// PublicURL is the URL under which customers and agents reach the Copilot from outside the cluster, or empty if it is not
// exposed. An Ingress serves https where it names a certificate. Of a Gateway only its owner sees the listeners; it is
// taken to terminate TLS, without which browsers give pages neither microphone nor secure cookies.
func PublicURL(c *v1alpha1.Copilot) string {
	switch exposure(c) {
	case v1alpha1.ExposureIngress:
		if i := c.Spec.Exposure.Ingress; i == nil || i.TLSSecretRef == nil {
			return "http://" + c.Spec.Exposure.Host
		}
		return "https://" + c.Spec.Exposure.Host
	case v1alpha1.ExposureGateway:
		return "https://" + c.Spec.Exposure.Host
	}
	return ""
}

// Missing is what the Copilot needs of the cluster and the cluster does not have.
func Missing(c *v1alpha1.Copilot, p Platform) []routing.Problem {
	if exposure(c) != v1alpha1.ExposureGateway || p.GatewayAPI {
		return nil
	}
	install := "install its CRDs"
	if p.GatewayAPIOnce {
		install += " and restart the operator, which may not watch for them"
	}
	return []routing.Problem{{
		Object:    routing.Object{Kind: "Copilot", Name: c.Name},
		Condition: v1alpha1.ConditionResolvedRefs,
		Reason:    v1alpha1.ReasonGatewayAPIMissing,
		Field:     "spec.exposure.type",
		Message: `"Gateway" needs the Gateway API, and this cluster has no HTTPRoute of gateway.networking.k8s.io/v1; ` +
			install + `, or use type Ingress. Until then the runtime is reached through its Service only`,
	}}
}

// ingress leads to the port of customers and agents alone: metrics stay inside the cluster.
func ingress(in Input) runtime.ApplyConfiguration {
	host, name := in.Copilot.Spec.Exposure.Host, Name(in.Copilot.Name)
	spec := networkingac.IngressSpec().WithRules(networkingac.IngressRule().
		WithHost(host).
		WithHTTP(networkingac.HTTPIngressRuleValue().WithPaths(networkingac.HTTPIngressPath().
			WithPath("/").
			WithPathType(networkingv1.PathTypePrefix).
			WithBackend(networkingac.IngressBackend().WithService(networkingac.IngressServiceBackend().
				WithName(name).
				WithPort(networkingac.ServiceBackendPort().WithName(portNameHTTP)))))))
	out := networkingac.Ingress(name, in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithSpec(spec)
	given := in.Copilot.Spec.Exposure.Ingress
	if given == nil {
		return out
	}
	if given.ClassName != nil {
		spec.WithIngressClassName(*given.ClassName)
	}
	if given.TLSSecretRef != nil {
		spec.WithTLS(networkingac.IngressTLS().WithHosts(host).WithSecretName(given.TLSSecretRef.Name))
	}
	return out.WithAnnotations(given.Annotations)
}

// httpRoute writes out what the API server would fill in: its lists are owned as a whole, the defaults of their items
// included.
func httpRoute(in Input) runtime.ApplyConfiguration {
	return gatewayac.HTTPRoute(Name(in.Copilot.Name), in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithSpec(gatewayac.HTTPRouteSpec().
			WithParentRefs(parent(in.Copilot.Spec.Exposure.Gateway)).
			WithHostnames(gatewayv1.Hostname(in.Copilot.Spec.Exposure.Host)).
			WithRules(gatewayac.HTTPRouteRule().
				WithMatches(gatewayac.HTTPRouteMatch().WithPath(gatewayac.HTTPPathMatch().
					WithType(gatewayv1.PathMatchPathPrefix).
					WithValue("/"))).
				// A stream of events lasts as long as somebody looks at the conversation.
				WithTimeouts(gatewayac.HTTPRouteTimeouts().WithRequest("0s")).
				WithBackendRefs(gatewayac.HTTPBackendRef().
					WithGroup("").
					WithKind("Service").
					WithName(gatewayv1.ObjectName(Name(in.Copilot.Name))).
					WithPort(PortHTTP).
					WithWeight(1))))
}

func parent(g *v1alpha1.GatewayExposure) *gatewayac.ParentReferenceApplyConfiguration {
	out := gatewayac.ParentReference().
		WithGroup(gatewayv1.GroupName).
		WithKind("Gateway").
		WithName(gatewayv1.ObjectName(g.Name))
	if g.Namespace != "" {
		out.WithNamespace(gatewayv1.Namespace(g.Namespace))
	}
	if g.SectionName != "" {
		out.WithSectionName(gatewayv1.SectionName(g.SectionName))
	}
	return out
}
