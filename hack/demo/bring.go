package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/podlink"
)

// readiness bounds the wait for a tenant: a pod on a slow machine.
const readiness = 3 * time.Minute

var httpClient = &http.Client{Timeout: time.Minute}

// tenant is what the demo needs to know of the tenant it brought.
type tenant struct {
	copilot, channelToken string
	agents                []string
	// service is the address of the Copilot's Service inside the cluster.
	service string
}

// dialTimeout bounds trying the Service's own address: it answers at once or not at all.
const dialTimeout = 500 * time.Millisecond

// reach calls use with an address of the runtime: the Service's own where this machine is part of the cluster, else a
// forwarded port, through which many customers at once are slower.
func (t *tenant) reach(ctx context.Context, use func(pod *podlink.Pod, base string) error) error {
	pod, err := podlink.Find(ctx, podlink.Options{Namespace: namespace}, t.copilot)
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	if conn, err := dialer.DialContext(ctx, "tcp", t.service); err == nil {
		_ = conn.Close()
		return use(pod, "http://"+t.service)
	}
	return pod.Forward(ctx, 0, func(base string) error { return use(pod, base) })
}

// bring applies a manifest with one Copilot and waits until its Channel serves customers, saying what it waits for.
func bring(ctx context.Context, out io.Writer, manifest []byte) (*tenant, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("reaching the cluster: %w", err)
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := client.IgnoreAlreadyExists(c.Create(ctx, ns)); err != nil {
		return nil, fmt.Errorf("creating namespace %s: %w", namespace, err)
	}
	t := &tenant{}
	channel, err := t.apply(ctx, c, manifest)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(out, "▸ applied Copilot %s in namespace %s, waiting until it serves customers\n", t.copilot, namespace)
	if err := t.wait(ctx, out, c, channel); err != nil {
		return nil, err
	}
	service := &corev1.Service{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: t.copilot + "-handoff"}, service); err != nil {
		return nil, fmt.Errorf("finding the Copilot's Service: %w", err)
	}
	t.service = net.JoinHostPort(service.Spec.ClusterIP, strconv.Itoa(desired.PortHTTP))
	return t, nil
}

// apply applies every object of a manifest and returns the name of its Channel.
func (t *tenant) apply(ctx context.Context, c client.Client, manifest []byte) (channel string, err error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		u := &unstructured.Unstructured{}
		if err := decoder.Decode(u); errors.Is(err, io.EOF) {
			return channel, nil
		} else if err != nil {
			return "", fmt.Errorf("reading the manifest: %w", err)
		}
		u.SetNamespace(namespace)
		if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("handoff-demo"), client.ForceOwnership); err != nil {
			return "", fmt.Errorf("applying %s %s: %w", u.GetKind(), u.GetName(), err)
		}
		switch u.GetKind() {
		case "Copilot":
			t.copilot = u.GetName()
		case "Channel":
			channel = u.GetName()
		case "AgentPool":
			t.addAgents(u)
		}
	}
}

func (t *tenant) addAgents(pool *unstructured.Unstructured) {
	agents, _, _ := unstructured.NestedSlice(pool.Object, "spec", "agents")
	for _, a := range agents {
		if m, ok := a.(map[string]any); ok {
			email, _, _ := unstructured.NestedString(m, "email")
			t.agents = append(t.agents, email)
		}
	}
}

// wait watches the Channel until it is Ready, and prints each message of its Ready condition once.
func (t *tenant) wait(ctx context.Context, out io.Writer, c client.WithWatch, channel string) error {
	ctx, cancel := context.WithTimeout(ctx, readiness)
	defer cancel()
	w, err := c.Watch(ctx, &v1alpha1.ChannelList{}, client.InNamespace(namespace), client.MatchingFields{"metadata.name": channel})
	if err != nil {
		return fmt.Errorf("watching Channel %s: %w", channel, err)
	}
	defer w.Stop()
	said := ""
	for event := range w.ResultChan() {
		ch, ok := event.Object.(*v1alpha1.Channel)
		if !ok {
			continue
		}
		ready := meta.FindStatusCondition(ch.Status.Conditions, v1alpha1.ConditionReady)
		if ready == nil || ch.Status.ObservedGeneration != ch.Generation {
			continue
		}
		if ready.Message != said {
			said = ready.Message
			_, _ = fmt.Fprintf(out, "  Channel %s: %s\n", channel, said)
		}
		if ready.Status == metav1.ConditionTrue {
			t.channelToken = ch.Status.Token
			return nil
		}
	}
	return fmt.Errorf("channel %s/%s was not Ready within %s (%s); see kubectl -n %s describe copilot %s", namespace, channel, readiness, said, namespace, t.copilot)
}
