// Package podlink reaches a Copilot's runtime inside its pod: it mints login codes there and forwards a local port to it.
// It needs the rights to list pods, and to get and create pods/exec and pods/portforward, in the Copilot's namespace.
package podlink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/scheme"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/runtime/server"
)

// container of a runtime pod, its program, and its directory of the login socket.
const (
	container = "runtime"
	program   = "/runtime"
	runDir    = "/run/handoff"
)

// Options say in which cluster and namespace to look; empty fields stand for what kubectl would use.
type Options struct{ Kubeconfig, Context, Namespace string }

// Pod is a ready runtime pod.
type Pod struct {
	config          *rest.Config
	core            corev1client.CoreV1Interface
	namespace, name string
	forwarding      chan error
}

// Name of the pod.
func (p *Pod) Name() string { return p.name }

// Find returns a ready runtime pod of the Copilot.
func Find(ctx context.Context, o Options, copilot string) (*Pod, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.Context}
	overrides.Context.Namespace = o.Namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig's namespace: %w", err)
	}
	core, err := corev1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	selector := labels.SelectorFromSet(desired.Selector(copilot)).String()
	pods, err := core.Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list the runtime pods of Copilot %s/%s: %w", namespace, copilot, err)
	}
	name, err := choose(pods.Items)
	if err != nil {
		return nil, fmt.Errorf("in Copilot %s/%s: %w", namespace, copilot, err)
	}
	return &Pod{config: config, core: core, namespace: namespace, name: name, forwarding: make(chan error, 1)}, nil
}

// choose returns the name of a ready pod, or why there is none.
func choose(pods []corev1.Pod) (string, error) {
	if len(pods) == 0 {
		return "", errors.New("it has no runtime pod; check the name and -n NAMESPACE, and `kubectl get copilots -A` for whether it is Accepted")
	}
	var states []string
	for _, p := range pods {
		if p.DeletionTimestamp == nil && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		}) {
			return p.Name, nil
		}
		states = append(states, fmt.Sprintf("%s is %s", p.Name, p.Status.Phase))
	}
	return "", fmt.Errorf("no runtime pod is ready (%s); wait for it, or see `kubectl describe pod`", strings.Join(states, ", "))
}

// Mint asks the runtime inside the pod for a one-time login code.
func (p *Pod) Mint(ctx context.Context, agent string) (code server.LoginCode, err error) {
	request := p.core.RESTClient().Post().Resource("pods").Namespace(p.namespace).Name(p.name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: container, Stdout: true, Stderr: true,
			Command: []string{program, "login", "--agent", agent, "--run-dir", runDir},
		}, scheme.ParameterCodec)
	// WebSockets alone: every Kubernetes that the operator supports speaks them.
	executor, err := remotecommand.NewWebSocketExecutor(p.config, "GET", request.URL().String())
	if err != nil {
		return code, fmt.Errorf("run a command in pod %s/%s: %w", p.namespace, p.name, err)
	}
	var out, errOut bytes.Buffer
	if err := executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &out, Stderr: &errOut}); err != nil {
		return code, mintError(p, err, errOut.String())
	}
	return parseCode(out.Bytes())
}

// mintError prefers what the runtime said over how its process ended.
func mintError(p *Pod, err error, said string) error {
	if said = strings.TrimSpace(said); said != "" {
		return errors.New(strings.TrimPrefix(said, "error: "))
	}
	return fmt.Errorf("run a command in pod %s/%s: %w", p.namespace, p.name, err)
}

// parseCode reads what `runtime login` printed.
func parseCode(out []byte) (code server.LoginCode, err error) {
	if err := json.Unmarshal(out, &code); err != nil || code.Code == "" {
		return code, fmt.Errorf("the runtime printed %q and no login code; its release may differ from this command's", out)
	}
	return code, nil
}

// Forward forwards a local port (0 for a free one) to the pod, calls use with the local address, and ends when use does.
func (p *Pod) Forward(ctx context.Context, port int, use func(base string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	url := p.core.RESTClient().Post().Resource("pods").Namespace(p.namespace).Name(p.name).SubResource("portforward").URL()
	dialer, err := portforward.NewSPDYOverWebsocketDialer(url, p.config)
	if err != nil {
		cancel()
		return fmt.Errorf("forward a port to pod %s/%s: %w", p.namespace, p.name, err)
	}
	ready := make(chan struct{})
	forwarder, err := portforward.NewOnAddressesWithContext(ctx, dialer, []string{"127.0.0.1"},
		[]string{fmt.Sprintf("%d:%d", port, desired.PortHTTP)}, ready, io.Discard, io.Discard)
	if err != nil {
		cancel()
		return fmt.Errorf("forward a port to pod %s/%s: %w", p.namespace, p.name, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.forwarding <- forwarder.ForwardPorts()
	}()
	defer func() {
		cancel()
		<-ended
	}()
	select {
	case <-ready:
	case err := <-p.forwarding:
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("forward a port to pod %s/%s: %w", p.namespace, p.name, err)
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		return fmt.Errorf("forward a port to pod %s/%s: %w", p.namespace, p.name, err)
	}
	return use(fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local))
}

// Wait returns when ctx ends, or with the error that ended forwarding.
func (p *Pod) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-p.forwarding:
		if err == nil || ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("the connection to pod %s/%s ended, sign in again: %w", p.namespace, p.name, err)
	}
}
