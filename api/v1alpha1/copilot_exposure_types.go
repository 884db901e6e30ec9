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
	ClassName *ObjectName `json:"className,omitempty"`
	// tlsSecretRef names the certificate. Default: no TLS at the Ingress.
	// +optional
	TLSSecretRef *LocalRef `json:"tlsSecretRef,omitempty"`
	// annotations of the Ingress.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Annotations map[string]string `json:"annotations,omitempty"`
}

// GatewayExposure configures an HTTPRoute.
type GatewayExposure struct {
	// name of the Gateway.
	// +required
	Name ObjectName `json:"name"`
	// namespace of the Gateway. Default: the Copilot's.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule=`!format.dns1123Label().validate(self).hasValue()`,messageExpression=`'"' + self + '" cannot be the name of a namespace; write lower-case letters, digits and dashes'`
	Namespace string `json:"namespace,omitempty"`
	// sectionName of the Gateway's listener. Default: any that fits.
	// +optional
	SectionName ObjectName `json:"sectionName,omitempty"`
}

// Network is a range of addresses (CIDR).
//
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule=`isCIDR(self)`,messageExpression=`'"' + self + '" is not a network; write it like 10.0.0.0/8'`
type Network = string

// Exposure says how the runtime is reached from outside the cluster.
//
// +kubebuilder:validation:XValidation:rule=`self.?type.orValue('None') != 'Gateway' || has(self.gateway)`,messageExpression=`'exposure of type Gateway needs the field gateway: {name: ...}'`,fieldPath=`.gateway`
// +kubebuilder:validation:XValidation:rule=`self.?type.orValue('None') == 'Gateway' || !has(self.gateway)`,messageExpression=`'exposure of type ' + (has(self.type) ? self.type : 'None') + ' has no gateway; set type: Gateway, or remove it'`,fieldPath=`.gateway`
// +kubebuilder:validation:XValidation:rule=`self.?type.orValue('None') == 'Ingress' || !has(self.ingress)`,messageExpression=`'exposure of type ' + (has(self.type) ? self.type : 'None') + ' has no ingress; set type: Ingress, or remove it'`,fieldPath=`.ingress`
// +kubebuilder:validation:XValidation:rule=`self.?type.orValue('None') == 'None' || has(self.host)`,messageExpression=`'exposure of type ' + self.type + ' needs the field host, such as support.acme.example'`,fieldPath=`.host`
type Exposure struct {
	// type of the exposure. Default: None.
	// +optional
	Type ExposureType `json:"type,omitempty"`
	// host name under which customers and agents reach the runtime.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule=`!format.dns1123Subdomain().validate(self).hasValue() && !isIP(self)`,messageExpression=`'"' + self + '" must be a host name such as support.acme.example, in lower case and without scheme or port'`
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
	// +listType=set
	TrustedProxies []Network `json:"trustedProxies,omitempty"`
}
