package desired

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"
)

func service(in Input) runtime.ApplyConfiguration {
	return coreac.Service(Name(in.Copilot.Name), in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithSpec(coreac.ServiceSpec().
			WithSelector(Selector(in.Copilot.Name)).
			WithPorts(servicePort(portNameHTTP, PortHTTP), servicePort(portNameMetrics, PortMetrics)))
}

func servicePort(name string, port int32) *coreac.ServicePortApplyConfiguration {
	return coreac.ServicePort().
		WithName(name).
		WithProtocol(corev1.ProtocolTCP).
		WithPort(port).
		WithTargetPort(intstr.FromString(name))
}

// networkPolicy lets in what the runtime serves and nothing else. It leaves the way out open, since a model's server
// may be anywhere and a NetworkPolicy cannot name hosts.
func networkPolicy(in Input) runtime.ApplyConfiguration {
	return networkingac.NetworkPolicy(Name(in.Copilot.Name), in.Copilot.Namespace).
		WithLabels(Labels(in.Copilot.Name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithSpec(networkingac.NetworkPolicySpec().
			WithPodSelector(metaac.LabelSelector().WithMatchLabels(Selector(in.Copilot.Name))).
			WithPolicyTypes(networkingv1.PolicyTypeIngress).
			WithIngress(networkingac.NetworkPolicyIngressRule().WithPorts(policyPort(PortHTTP), policyPort(PortMetrics))))
}

func policyPort(port int32) *networkingac.NetworkPolicyPortApplyConfiguration {
	return networkingac.NetworkPolicyPort().
		WithProtocol(corev1.ProtocolTCP).
		WithPort(intstr.FromInt32(port))
}
