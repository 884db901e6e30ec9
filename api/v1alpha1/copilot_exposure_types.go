package v1alpha1

// ExposureType says how the runtime is reached from outside the cluster.
//
// +kubebuilder:validation:Enum=None;Ingress;Gateway
type ExposureType string

// The values of ExposureType.
const (
	ExposureNone    ExposureType = "None"
	ExposureIngress ExposureType = "Ingress"
	ExposureGateway ExposureType = "Gateway"
)

// IngressExposure configures an Ingress.
type IngressExposure struct {
	// className of the Ingress. Default: the cluster's default class.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ClassName *string `json:"className,omitempty"`
	// tlsSecretRef names the certificate. Default: no TLS at the Ingress.
	// +optional
	TLSSecretRef *LocalRef `json:"tlsSecretRef,omitempty"`
	// annotations of the Ingress.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// GatewayExposure configures an HTTPRoute.
type GatewayExposure struct {
	// name of the Gateway.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// namespace of the Gateway. Default: the Copilot's.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
	// sectionName of the Gateway's listener. Default: any that fits.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SectionName string `json:"sectionName,omitempty"`
}

// Exposure says how the runtime is reached from outside the cluster.
//
// +kubebuilder:validation:XValidation:rule="!has(self.type) || self.type != 'Gateway' || has(self.gateway)",message="exposure of type Gateway needs the field gateway: {name: ...}"
type Exposure struct {
	// type of the exposure. Default: None.
	// +optional
	Type ExposureType `json:"type,omitempty"`
	// host name under which customers and agents reach the runtime.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Host string `json:"host,omitempty"`
	// ingress settings, when type is Ingress.
	// +optional
	Ingress *IngressExposure `json:"ingress,omitempty"`
	// gateway settings, when type is Gateway.
	// +optional
	Gateway *GatewayExposure `json:"gateway,omitempty"`
	// trustedProxies are the networks (CIDR) whose X-Forwarded-* headers are believed. Default: none.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=64
	// +listType=set
	TrustedProxies []string `json:"trustedProxies,omitempty"`
}
