package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
)

// TestKilledWithoutAnAPIServer stops the API server that a runtime has its table from, kills the runtime, and starts it
// again in the same place, as a kubelet does with a container: a customer is answered, and a human is offered to take over.
func TestKilledWithoutAnAPIServer(t *testing.T) {
	t.Parallel()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		if testing.Short() {
			t.Skip("KUBEBUILDER_ASSETS is not set and -short is: no API server")
		}
		t.Fatal("KUBEBUILDER_ASSETS is not set: it must name the folder of etcd and kube-apiserver; make test and make soak set it")
	}
	table, configMaps := compile(t)
	cluster, kubeconfig := publish(t, table, configMaps)
	c := newChild(t, kubeconfig, "--namespace", metav1.NamespaceDefault, "--routing-table", "chaos-handoff")
	talk(t, c, table, "before")

	if err := cluster.ControlPlane.APIServer.Stop(); err != nil {
		t.Fatal(err)
	}
	talk(t, c, table, "without")
	if err := errors.Join(c.Kill(t.Context()), c.Ready(t.Context())); err != nil {
		t.Fatal(err)
	}
	talk(t, c, table, "restarted")
}

// publish starts an API server with the table and what it names, and returns the path of a kubeconfig.
func publish(t *testing.T, table *routing.Table, configMaps map[string]map[string]string) (*envtest.Environment, string) {
	t.Helper()
	env := &envtest.Environment{CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true}
	// Stopping waits this long for open watches to end by themselves.
	env.ControlPlane.GetAPIServer().Configure().Set("request-timeout", "10s")
	config, err := env.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	admin, err := ctrlclient.New(config, ctrlclient.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	objects := []ctrlclient.Object{&v1alpha1.RoutingTable{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "chaos-handoff"},
		Spec: v1alpha1.RoutingTableSpec{FormatVersion: int32(table.FormatVersion), Revision: routing.Revision(table),
			Table: runtime.RawExtension{Raw: raw}},
	}}
	for name, data := range configMaps {
		objects = append(objects, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name}, Data: data})
	}
	for _, o := range objects {
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, env.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return env, path
}

// talk is a conversation of one customer: a question is answered, and a human who is asked for is offered it.
func talk(t *testing.T, c *child, table *routing.Table, when string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startup)
	defer cancel()
	agents, _ := c.signIn(table)
	for _, a := range agents {
		if err := a.SetPresence(ctx, "online"); err != nil {
			t.Fatalf("%s: %s going online: %v", when, a.Email, err)
		}
	}
	customer, err := client.Open(ctx, http.DefaultClient, c.base, table.Channels[0].Web.Token, conversation.Customer{Name: "Cleo"})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	for _, step := range []struct {
		says string
		want func(client.Event) bool
	}{
		{"When are you open?", func(e client.Event) bool {
			return e.Type == conversation.EventMessage && e.Author.Kind == conversation.AuthorAI
		}},
		{"I want to talk to a human, please", func(e client.Event) bool { return e.Type == conversation.EventHandoff }},
	} {
		if _, err := customer.Say(ctx, step.says, step.says); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		err := customer.Follow(ctx, 0, func(e client.Event) error {
			if step.want(e) {
				return client.ErrStop
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%s: after %q: %v", when, step.says, err)
		}
	}
	offered(ctx, t, agents[0].Agent, customer.ID, when)
}

// offered waits until the conversation has been offered to an agent.
func offered(ctx context.Context, t *testing.T, a *client.Agent, id, when string) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		log, err := a.Log(ctx, id, 0)
		if slices.ContainsFunc(log, func(e client.Event) bool { return e.Type == conversation.EventOffered }) {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s: nobody is offered the conversation: %v; its log: %+v", when, err, log)
		}
	}
}
