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
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[^\s]+$')`,messageExpression=`'"' + self + '" must be an image such as registry.acme.example/handoff-runtime:v1'`
	Image string `json:"image,omitempty"`
	// imagePullSecrets for the image.
	// +optional
	// +kubebuilder:validation:MaxItems=10
	// +listType=atomic
	ImagePullSecrets []LocalRef `json:"imagePullSecrets,omitempty"`
	// upgrade: Automatic follows the operator's release. Manual keeps the pod as it is until spec.runtime.image is set or
	// the annotation handoff.opencopilot.so/upgrade-to names the operator's release; an edit of spec.runtime renders it
	// anew. Default: Automatic.
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
	// +kubebuilder:validation:XValidation:rule=`!self.exists(k, k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by'] || k.startsWith('handoff.opencopilot.so/'))`,messageExpression=`'labels app.kubernetes.io/name, instance and managed-by and those of handoff.opencopilot.so/ belong to the operator; remove them'`
	Labels map[string]string `json:"labels,omitempty"`
	// annotations of the pod.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	// +kubebuilder:validation:XValidation:rule=`!self.exists(k, k.startsWith('handoff.opencopilot.so/'))`,messageExpression=`'annotations of handoff.opencopilot.so/ belong to the operator; remove them'`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// PodSpec says where the pod runs, as whom, and what its container sees.
//
// +kubebuilder:validation:XValidation:rule=`!has(self.containers) || self.containers.all(c, !has(c.volumeMounts) || c.volumeMounts.all(m, has(self.volumes) && self.volumes.exists(v, v.name == m.name)))`,messageExpression=`'a volumeMount names none of podTemplate.spec.volumes; add the volume there or correct the name'`,fieldPath=`.containers`
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
	PriorityClassName ObjectName `json:"priorityClassName,omitempty"`
	// runtimeClassName of the pod.
	// +optional
	RuntimeClassName *ObjectName `json:"runtimeClassName,omitempty"`
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
//
// +kubebuilder:validation:XValidation:rule=`has(self.configMap) != has(self.secret)`,messageExpression=`'volume "' + self.name + '" needs one of configMap and secret'`
// +kubebuilder:validation:XValidation:rule=`!has(self.configMap) || self.configMap.?name.orValue("") != ""`,messageExpression=`'volume "' + self.name + '" names no ConfigMap; set configMap: {name: ...}'`,fieldPath=`.configMap`
// +kubebuilder:validation:XValidation:rule=`!has(self.secret) || self.secret.?secretName.orValue("") != ""`,messageExpression=`'volume "' + self.name + '" names no Secret; set secret: {secretName: ...}'`,fieldPath=`.secret`
// +kubebuilder:validation:XValidation:rule=`!(self.name in ['data', 'run'])`,messageExpression=`'volume "' + self.name + '" belongs to the operator; choose another name'`,fieldPath=`.name`
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
	// +kubebuilder:validation:XValidation:rule=`!self.exists(e, e.name == 'POD_NAME')`,messageExpression=`'"POD_NAME" is set by the operator; remove it'`
	Env []corev1.EnvVar `json:"env,omitempty"`
	// volumeMounts of volumes above.
	// +optional
	// +kubebuilder:validation:MaxItems=20
	// +listType=map
	// +listMapKey=mountPath
	// +kubebuilder:validation:XValidation:rule=`self.all(m, m.mountPath.startsWith('/'))`,messageExpression=`'a mountPath begins with /; correct the one that does not'`
	// +kubebuilder:validation:XValidation:rule=`!self.exists(m, m.mountPath in ['/', '/run/handoff', '/var/lib/handoff'] || m.mountPath.startsWith('/run/handoff/') || m.mountPath.startsWith('/var/lib/handoff/'))`,messageExpression=`'/, /run/handoff and /var/lib/handoff belong to the operator; mount elsewhere, such as /etc/ssl/acme'`
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts,omitempty"`
}
