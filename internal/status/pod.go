package status

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// PodTrouble is why the pod of a runtime cannot start, with the way out, or empty. It is the same for every pod and every
// attempt that fails alike: it names no pod and counts nothing, so that what is made of it does not flap.
func PodTrouble(p *corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			// What preempting others would bring is nobody's cause.
			why, _, _ := strings.Cut(c.Message, " preemption:")
			return because("no node takes it", why,
				"make room, or change spec.runtime.resources, spec.runtime.podTemplate or the storage class")
		}
	}
	for i := range p.Status.ContainerStatuses {
		if trouble := containerTrouble(&p.Status.ContainerStatuses[i]); trouble != "" {
			return trouble
		}
	}
	return ""
}

func containerTrouble(c *corev1.ContainerStatus) string {
	if c.Ready {
		return ""
	}
	if w := c.State.Waiting; w != nil {
		switch w.Reason {
		case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
			"RegistryUnavailable", "SignatureValidationFailed":
			return because(fmt.Sprintf("its image %q cannot be pulled", c.Image), pullError(w.Message),
				"set spec.runtime.image to one that exists, or spec.runtime.imagePullSecrets to what its registry asks for")
		case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
			return because("its container cannot be made", w.Message,
				"make what is named, or take it out of spec.runtime.podTemplate")
		}
	}
	// Between two attempts of a crash loop the container runs for a moment, and has the same trouble.
	ended := c.State.Terminated
	if ended == nil {
		ended = c.LastTerminationState.Terminated
	}
	if ended == nil {
		return ""
	}
	if ended.Reason == "OOMKilled" {
		return because("its container was killed", "out of memory", "raise spec.runtime.resources.limits.memory")
	}
	return because(fmt.Sprintf("its container ended with exit code %d", ended.ExitCode), lastWords(ended.Message),
		"it is started again; `kubectl logs --previous` has the rest")
}

// CreationTrouble is why the Deployment cannot make pods, such as a quota or an admission rule, or empty.
func CreationTrouble(d *appsv1.Deployment) string {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			return because("it cannot be made", podName.ReplaceAllString(c.Message, "pods"),
				"change the quota or rule that is named, or spec.runtime to keep it")
		}
	}
	return ""
}

// podName is how the API server names a pod that it refuses. Each attempt has another name.
var podName = regexp.MustCompile(`pods "[^"]*"`)

// because joins what is wrong, why, and the way out.
func because(what, why, fix string) string {
	if why = strings.TrimRight(strings.TrimSpace(why), "."); why != "" {
		what += " (" + why + ")"
	}
	return what + ": " + fix
}

// pullError is the registry's error of a kubelet's message. It says one error in two ways, by turns: as the attempt's,
// and as that of the attempt before, while it waits for the next.
func pullError(message string) string {
	if _, err, waits := strings.Cut(message, `": `); waits && strings.HasPrefix(message, "Back-off pulling image ") {
		message = err
	}
	return strings.TrimPrefix(message, "ErrImagePull: ")
}

// lastWords is the line of a container's last output that says why it ended: that of a panic or else the last. A line of
// our JSON logs carries its time, which changes with every attempt, so only its message and error are taken.
func lastWords(message string) string {
	last := ""
	for line := range strings.Lines(message) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
		if line != "" {
			last = line
		}
	}
	var logged struct {
		Msg   string `json:"msg"`
		Error string `json:"error"`
	}
	if json.Unmarshal([]byte(last), &logged) == nil && logged.Msg != "" {
		return strings.TrimSuffix(logged.Msg+": "+logged.Error, ": ")
	}
	return strings.TrimPrefix(last, "error: ")
}
