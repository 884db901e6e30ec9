//go:build e2e

// Package e2e tests the product on a real cluster in which the operator is deployed: `make e2e` brings both.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	runtimeclient "github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/podlink"
)

const (
	// operatorNamespace and operatorName are those of config/default.
	operatorNamespace, operatorName = "handoff-system", "handoff-operator"
	// readiness bounds the wait for something that the cluster has to bring up, on a machine that does much else.
	readiness = 4 * time.Minute
	// glance is the pause between two looks at the cluster.
	glance = 100 * time.Millisecond
)

// cluster is the one that all tests use.
var cluster struct {
	config *rest.Config
	client client.Client
}

func TestMain(m *testing.M) {
	if err := connect(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// connect finds the cluster and the operator in it.
func connect() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), readiness)
	defer cancel()
	if cluster.config, err = ctrl.GetConfig(); err != nil {
		return fmt.Errorf("no cluster is configured: %w; run make e2e, or set KUBECONFIG", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	if cluster.client, err = client.New(cluster.config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("the cluster at %s cannot be reached: %w; run make cluster-up, or set KUBECONFIG", cluster.config.Host, err)
	}
	var d appsv1.Deployment
	return eventually(ctx, func(ctx context.Context) error {
		err := cluster.client.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}, &d)
		if err != nil {
			return fmt.Errorf("the operator is not deployed in %s: %w; run make operator, which make e2e does too", operatorNamespace, err)
		}
		if d.Status.ObservedGeneration != d.Generation || d.Status.AvailableReplicas == 0 || d.Status.UpdatedReplicas != d.Status.Replicas {
			return fmt.Errorf("the operator is not available: %+v; see kubectl -n %s describe deployment %s", d.Status.Conditions, operatorNamespace, operatorName)
		}
		return nil
	})
}

// eventually repeats look until it returns nil, and returns its last error when ctx or readiness ends.
func eventually(ctx context.Context, look func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, glance, readiness, true, func(ctx context.Context) (bool, error) {
		err := look(ctx)
		if ctx.Err() == nil { // an answer, not the end of the wait
			last = err
		}
		return err == nil, nil
	})
	if err != nil {
		return errors.Join(last, err)
	}
	return nil
}

// namespace makes a namespace for a test, and deletes it afterwards.
func namespace(t *testing.T, prefix string) string {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}
	if err := cluster.client.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			logPods(t, ns.Name)
		}
		if err := client.IgnoreNotFound(cluster.client.Delete(context.Background(), ns)); err != nil {
			t.Error(err)
		}
	})
	return ns.Name
}

// apply applies the objects of a manifest to a namespace.
func apply(t *testing.T, namespace, file string) {
	t.Helper()
	manifest, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		u := &unstructured.Unstructured{}
		if err := decoder.Decode(u); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		u.SetNamespace(namespace)
		if err := cluster.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("e2e")); err != nil {
			t.Fatalf("applying %s %s of %s: %v", u.GetKind(), u.GetName(), file, err)
		}
	}
}

// channelToken waits until a Channel is Ready and returns its token.
func channelToken(t *testing.T, namespace, name string) string {
	t.Helper()
	var ch v1alpha1.Channel
	err := eventually(t.Context(), func(ctx context.Context) error {
		if err := cluster.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &ch); err != nil {
			return err
		}
		if ready := meta.FindStatusCondition(ch.Status.Conditions, v1alpha1.ConditionReady); ready == nil ||
			ready.Status != metav1.ConditionTrue || ch.Status.ObservedGeneration != ch.Generation {
			return fmt.Errorf("Channel %s/%s is not Ready: %+v", namespace, name, ready)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ch.Status.Token
}

// serviceAddress is the address of a Copilot's Service inside the cluster, which the local cluster's machine reaches too,
// once it answers there.
func serviceAddress(t *testing.T, namespace, copilot string) string {
	t.Helper()
	var s corev1.Service
	if err := cluster.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: desired.Name(copilot)}, &s); err != nil {
		t.Fatal(err)
	}
	base := "http://" + net.JoinHostPort(s.Spec.ClusterIP, strconv.Itoa(int(s.Spec.Ports[0].Port)))
	err := eventually(t.Context(), func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// signIn signs an agent in at an address of the Copilot, with a code from inside its pod.
func signIn(t *testing.T, namespace, copilot, base, email string) *runtimeclient.Agent {
	t.Helper()
	pod, err := podlink.Find(t.Context(), podlink.Options{Namespace: namespace}, copilot)
	if err != nil {
		t.Fatal(err)
	}
	code, err := pod.Mint(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := runtimeclient.SignIn(t.Context(), http.DefaultClient, base, code.Code)
	if err != nil {
		t.Fatal(err)
	}
	return agent
}

// logPods logs what holds the pods of a namespace up, and the end of what their containers said, now and before their
// last restart.
func logPods(t *testing.T, namespace string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	core, err := kubernetes.NewForConfig(cluster.config)
	if err != nil {
		t.Error(err)
		return
	}
	var pods corev1.PodList
	if err := cluster.client.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		t.Error(err)
		return
	}
	lines := int64(40)
	for _, p := range pods.Items {
		for _, c := range p.Status.Conditions {
			if c.Status != corev1.ConditionTrue {
				t.Logf("pod %s is not %s: %s", p.Name, c.Type, c.Message)
			}
		}
		for _, previous := range []bool{true, false} {
			out, err := core.CoreV1().Pods(namespace).GetLogs(p.Name, &corev1.PodLogOptions{TailLines: &lines, Previous: previous}).DoRaw(ctx)
			if previous && err != nil {
				continue // it did not restart
			}
			t.Logf("pod %s, previous %t (%v):\n%s", p.Name, previous, err, out)
		}
	}
}
