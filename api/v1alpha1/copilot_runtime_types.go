package v1alpha1

import corev1 "k8s.io/api/core/v1"

// Runtime sizes the runtime of a Copilot.
type Runtime struct {
	// replicas of the runtime. Default: 1. Embedded storage allows one.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Replicas *int32 `json:"replicas,omitempty"`
	// resources of the runtime's container. Default: requests of 20m CPU and 32Mi memory.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// image of the runtime. Default: the operator's release.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`
	// imagePullSecrets for the image.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	ImagePullSecrets []LocalRef `json:"imagePullSecrets,omitempty"`
	// upgrade: Automatic follows the operator's release, Manual keeps the image until it is set. Default: Automatic.
	// +optional
	// +kubebuilder:validation:Enum=Automatic;Manual
	Upgrade string `json:"upgrade,omitempty"`
	// podTemplate is merged over the runtime's pod as a strategic merge patch: lists go by name, the rest by field.
	// +optional
	PodTemplate *PodTemplate `json:"podTemplate,omitempty"`
}

// PodTemplate is the part of a pod template that a Copilot may set. What is not here belongs to the operator.
type PodTemplate struct {
	// metadata of the pod.
	// +optional
	Metadata *PodMetadata `json:"metadata,omitempty"`
	// spec of the pod.
	// +optional
	Spec *PodSpec `json:"spec,omitempty"`
}

// PodMetadata are labels and annotations beside the operator's own.
type PodMetadata struct {
	// labels of the pod. Those that the operator sets cannot be overridden.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Labels map[string]string `json:"labels,omitempty"`
	// annotations of the pod.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Annotations map[string]string `json:"annotations,omitempty"`
}

// PodSpec says where the pod runs, as whom, and what its container sees.
type PodSpec struct {
	// nodeSelector: labels that a node must have.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// tolerations of nodes' taints.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity to nodes and pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// topologySpreadConstraints spread the replicas over zones or nodes.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=topologyKey
	// +listMapKey=whenUnsatisfiable
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	// priorityClassName of the pod.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// runtimeClassName of the pod.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	RuntimeClassName *string `json:"runtimeClassName,omitempty"`
	// securityContext: the ids the pod runs as. Default: the image's user; on OpenShift the namespace's range.
	// +optional
	SecurityContext *PodSecurityContext `json:"securityContext,omitempty"`
	// volumes from ConfigMaps and Secrets, such as a bundle of certificates.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=name
	Volumes []PodVolume `json:"volumes,omitempty"`
	// containers to add to: the runtime's.
	// +optional
	// +kubebuilder:validation:MaxItems=1
	// +listType=map
	// +listMapKey=name
	Containers []PodContainer `json:"containers,omitempty"`
}

// PodSecurityContext are the ids the pod runs as. The root user is none of them.
type PodSecurityContext struct {
	// runAsUser is the user's id.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	RunAsUser *int64 `json:"runAsUser,omitempty"`
	// runAsGroup is the id of the primary group.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	RunAsGroup *int64 `json:"runAsGroup,omitempty"`
	// fsGroup is the group that owns the volumes.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	FSGroup *int64 `json:"fsGroup,omitempty"`
	// supplementalGroups beside the primary one.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:Minimum=0
	// +kubebuilder:validation:items:Maximum=2147483647
	// +listType=set
	SupplementalGroups []int64 `json:"supplementalGroups,omitempty"`
}

// PodVolume is a volume from a ConfigMap or a Secret.
type PodVolume struct {
	// name of the volume; data and run are the operator's.
	// +required
	Name Name `json:"name"`
	// configMap whose keys are the volume's files.
	// +optional
	ConfigMap *corev1.ConfigMapVolumeSource `json:"configMap,omitempty"`
	// secret whose keys are the volume's files.
	// +optional
	Secret *corev1.SecretVolumeSource `json:"secret,omitempty"`
}

// PodContainer is what the runtime's container sees beside the operator's own.
type PodContainer struct {
	// name of the container: runtime.
	// +required
	// +kubebuilder:validation:Enum=runtime
	Name string `json:"name"`
	// env are environment variables, such as HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE; POD_NAME is the operator's.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +listType=map
	// +listMapKey=name
	Env []corev1.EnvVar `json:"env,omitempty"`
	// volumeMounts of volumes above.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=mountPath
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts,omitempty"`
}
