package status

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
)

// PodTrouble is why the pod of a runtime cannot start, with the way out, or empty. It is the same for every pod and every
// attempt that fails alike: it names no pod and counts nothing, so that what is made of it does not flap. spec is what
// the Copilot asks for, nil if nothing; only the way out depends on it.
func PodTrouble(p *corev1.Pod, spec *v1alpha1.Runtime) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			// What preempting others would bring is nobody's cause.
			why, _, _ := strings.Cut(c.Message, " preemption:")
			return because("no node takes it", why,
				"make room, or change spec.runtime.resources, spec.runtime.podTemplate or the storage class")
		}
	}
	for i := range p.Status.ContainerStatuses {
		if trouble := containerTrouble(&p.Status.ContainerStatuses[i], spec); trouble != "" {
			return trouble
		}
	}
	return ""
}

func containerTrouble(c *corev1.ContainerStatus, spec *v1alpha1.Runtime) string {
	if c.Ready {
		return ""
	}
	if w := c.State.Waiting; w != nil {
		switch w.Reason {
		case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
			"RegistryUnavailable", "SignatureValidationFailed":
			return because(fmt.Sprintf("its image %q cannot be pulled", c.Image), pullError(w.Message), pullFix(spec))
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

// pullFix names who can set the image.
func pullFix(spec *v1alpha1.Runtime) string {
	const secrets = "spec.runtime.imagePullSecrets to what its registry asks for"
	if spec != nil && spec.Image != "" {
		return "set spec.runtime.image to one that exists, or " + secrets
	}
	return "it is the operator's runtime image, as spec.runtime.image is not set: have whoever runs the operator set one that exists " +
		"(chart value runtimeImage, flag --runtime-image), or set " + secrets
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

// mostWords is how many bytes of a container's words are taken at most.
const mostWords = 200

// lastWords is the line of a container's last output that says why it ended: that of a panic or else the last, in at most
// mostWords bytes. It ends up where more people read than in the logs, and must be the same for each attempt, so what
// differs between them and what may be secret is masked.
func lastWords(message string) string {
	words := masked(lastLine(message))
	if len(words) > mostWords {
		words = strings.ToValidUTF8(words[:mostWords-len(cut)], "") + cut
	}
	return words
}

// cut stands for the rest.
const cut = "…"

// lastLine takes of a line in JSON only its message and error, and of one in another form of JSON nothing: whatever else
// it carries is for the log's readers.
func lastLine(message string) string {
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
	if !strings.HasPrefix(last, "{") {
		return strings.TrimPrefix(last, "error: ")
	}
	var logged struct {
		Msg   string `json:"msg"`
		Error string `json:"error"`
	}
	if json.Unmarshal([]byte(last), &logged) != nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSuffix(logged.Msg+": "+logged.Error, ": "), ": ")
}

var (
	// credentials are those of a URL, and the value of what is called a secret.
	credentials = regexp.MustCompile(`(://)[^/\s@]*@|(?i)((?:password|passwd|secret|token|key)"?[=:] ?|bearer )\S+`)
	// varying are times, ports, addresses, and ids in hexadecimal digits.
	varying = regexp.MustCompile(`\b(?:[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|\d(?:[\w.:+-]*\w)?)\b`)
)

// masked is s without what no two attempts have in common and without credentials.
func masked(s string) string {
	return varying.ReplaceAllString(credentials.ReplaceAllString(s, "${1}${2}#"), "#")
}
