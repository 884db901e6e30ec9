package desired

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

const (
	container  = "runtime"
	dataVolume = "data"
	dataDir    = "/var/lib/handoff"
	runVolume  = "run"
	runDir     = "/run/handoff"

	// runSize bounds what a runtime saves of its inputs: a table and 50 ConfigMaps of 1 MiB each, and the Secrets. JSON may
	// double them, and the old ones are kept while the new ones are written. Only what is written takes memory.
	runSize = "256Mi"

	// user is the one that distroless images call nonroot.
	user int64 = 65532
	// grace is for the conversations being answered, and for SQLite to close cleanly.
	grace int64 = 30
	// probeTimeout in seconds is generous, since a runtime that is busy is not one that is broken.
	probeTimeout int32 = 5
)

// deployment never mentions the table's revision: a new table is fetched by the running pod, not rolled out.
func deployment(in Input) (runtime.ApplyConfiguration, error) {
	template, err := podTemplate(in)
	if err != nil {
		return nil, err
	}
	name := in.Copilot.Name
	spec := appsac.DeploymentSpec().
		WithStrategy(strategy(in.Copilot)).
		WithSelector(metaac.LabelSelector().WithMatchLabels(Selector(name))).
		WithTemplate(template)
	if n := Replicas(in.Copilot); n != nil {
		spec.WithReplicas(*n)
	}
	return appsac.Deployment(Name(name), in.Copilot.Namespace).
		WithLabels(Labels(name)).
		WithOwnerReferences(owner(in.Copilot)).
		WithSpec(spec), nil
}

func strategy(c *v1alpha1.Copilot) *appsac.DeploymentStrategyApplyConfiguration {
	if embedded(c) {
		// The volume has one writer: the old pod ends before the new one begins.
		return appsac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)
	}
	return appsac.DeploymentStrategy().
		WithType(appsv1.RollingUpdateDeploymentStrategyType).
		WithRollingUpdate(appsac.RollingUpdateDeployment().WithMaxUnavailable(intstr.FromInt32(0)))
}

func pod(in Input) *coreac.PodSpecApplyConfiguration {
	name := Name(in.Copilot.Name)
	spec := coreac.PodSpec().
		WithServiceAccountName(name).
		WithAutomountServiceAccountToken(true).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(grace).
		WithSecurityContext(podSecurity(in.Platform)).
		WithContainers(runtimeContainer(in)).
		// In memory, since the last good inputs hold secrets.
		WithVolumes(coreac.Volume().WithName(runVolume).
			WithEmptyDir(coreac.EmptyDirVolumeSource().
				WithMedium(corev1.StorageMediumMemory).
				WithSizeLimit(resource.MustParse(runSize))))
	if embedded(in.Copilot) {
		spec.WithVolumes(coreac.Volume().WithName(dataVolume).
			WithPersistentVolumeClaim(coreac.PersistentVolumeClaimVolumeSource().WithClaimName(name)))
	}
	for _, s := range pullSecrets(in.Copilot) {
		spec.WithImagePullSecrets(coreac.LocalObjectReference().WithName(s.Name))
	}
	return spec
}

// podSecurity leaves the ids to OpenShift where it gives them, as CloudNativePG does. The image's own user is numeric, so
// that the kubelet can tell that it is not root.
func podSecurity(p Platform) *coreac.PodSecurityContextApplyConfiguration {
	out := coreac.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
		WithSeccompProfile(coreac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
	if p.OpenShift {
		return out
	}
	return out.WithRunAsUser(user).WithRunAsGroup(user).WithFSGroup(user)
}

func pullSecrets(c *v1alpha1.Copilot) []v1alpha1.LocalRef {
	if c.Spec.Runtime == nil {
		return nil
	}
	return c.Spec.Runtime.ImagePullSecrets
}

func runtimeContainer(in Input) *coreac.ContainerApplyConfiguration {
	out := coreac.Container().
		WithName(container).
		WithImage(image(in)).
		WithImagePullPolicy(corev1.PullIfNotPresent).
		// So that the Copilot's condition can say why its runtime ended.
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		WithArgs(
			"--namespace="+in.Copilot.Namespace,
			"--routing-table="+Name(in.Copilot.Name),
			"--run-dir="+runDir).
		WithEnv(coreac.EnvVar().WithName("POD_NAME").WithValueFrom(coreac.EnvVarSource().
			WithFieldRef(coreac.ObjectFieldSelector().WithAPIVersion("v1").WithFieldPath("metadata.name")))).
		WithPorts(
			coreac.ContainerPort().WithName(portNameHTTP).WithContainerPort(PortHTTP).WithProtocol(corev1.ProtocolTCP),
			coreac.ContainerPort().WithName(portNameMetrics).WithContainerPort(PortMetrics).WithProtocol(corev1.ProtocolTCP)).
		// A tenant serves within a second of having its table. The ten minutes are for those who wait for it: a new
		// container would not get it sooner.
		WithStartupProbe(probe("/readyz", 1, 600)).
		WithLivenessProbe(probe("/healthz", 10, 3)).
		WithReadinessProbe(probe("/readyz", 5, 3)).
		WithResources(resources(in.Copilot)).
		WithSecurityContext(coreac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(coreac.Capabilities().WithDrop("ALL"))).
		WithVolumeMounts(coreac.VolumeMount().WithName(runVolume).WithMountPath(runDir))
	if !embedded(in.Copilot) {
		// The table names the Secret with the DSN: a new one reaches the running pod.
		return out.WithArgs("--data-dir=")
	}
	return out.WithArgs("--data-dir=" + dataDir).
		WithVolumeMounts(coreac.VolumeMount().WithName(dataVolume).WithMountPath(dataDir))
}

// probe asks path every period seconds and gives up after failures in a row.
func probe(path string, period, failures int32) *coreac.ProbeApplyConfiguration {
	return coreac.Probe().
		WithHTTPGet(coreac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(portNameMetrics))).
		WithPeriodSeconds(period).
		WithTimeoutSeconds(probeTimeout).
		WithFailureThreshold(failures)
}

func image(in Input) string {
	if r := in.Copilot.Spec.Runtime; r != nil && r.Image != "" {
		return r.Image
	}
	return in.RuntimeImage
}

func resources(c *v1alpha1.Copilot) *coreac.ResourceRequirementsApplyConfiguration {
	if c.Spec.Runtime == nil || c.Spec.Runtime.Resources == nil {
		return coreac.ResourceRequirements().WithRequests(corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("20m"),
			corev1.ResourceMemory: resource.MustParse("32Mi"),
		})
	}
	given := c.Spec.Runtime.Resources
	out := coreac.ResourceRequirements()
	if len(given.Requests) > 0 {
		out.WithRequests(given.Requests)
	}
	if len(given.Limits) > 0 {
		out.WithLimits(given.Limits)
	}
	for _, claim := range given.Claims {
		out.WithClaims(coreac.ResourceClaim().WithName(claim.Name).WithRequest(claim.Request))
	}
	return out
}
