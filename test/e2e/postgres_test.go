//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	runtimeclient "github.com/opencopilot/handoff-operator/internal/client"
	"github.com/opencopilot/handoff-operator/internal/desired"
	"github.com/opencopilot/handoff-operator/internal/runtime/conversation"
	"github.com/opencopilot/handoff-operator/internal/runtime/store/postgrestest"
)

// TestPostgres serves a Copilot from two replicas on one PostgreSQL. A customer is handed over to a human; a replica is
// killed in between, and the database is cut off: the customer is told to try again by pods that stay ready, Ready says
// why, and all goes on without a restart when the database is back.
func TestPostgres(t *testing.T) {
	if os.Getenv("CLUSTER") == "current" {
		t.Skip("CLUSTER=current: its pods cannot reach a database on this machine; this needs the local cluster (make e2e without CLUSTER)")
	}
	database := startDatabase(t)
	ns := namespace(t, "e2e-postgres-")
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "bikes-db-app"},
		StringData: map[string]string{"uri": database.dsn}}
	if err := cluster.client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	apply(t, ns, onPostgres(t))
	token := channelToken(t, ns, "bikes-web")
	base := serviceAddress(t, ns, "bikes")
	if n := len(runtimePods(t, ns)); n != 2 {
		t.Fatalf("%d pods, not 2", n)
	}

	mara := signIn(t, ns, "bikes", base, "mara@bikes.example")
	do(t, "come online", func(ctx context.Context) error { return mara.SetPresence(ctx, "online") })
	customer := ask(t, base, token)
	do(t, "accept", func(ctx context.Context) error { return mara.Move(ctx, customer.ID, "accept") })

	if _, err := killProcess(t.Context(), ns, "bikes"); err != nil {
		t.Fatal(err)
	}
	do(t, "reply after a kill", func(ctx context.Context) error { return mara.Reply(ctx, customer.ID, "r1", "Mara here.") })
	do(t, "read the reply", func(ctx context.Context) error { return has(ctx, customer, conversation.AuthorAgent, "Mara here.") })
	do(t, "restart what was killed", func(context.Context) error {
		if n := totalRestarts(t, ns); n != 1 {
			return fmt.Errorf("%d restarts", n)
		}
		return nil
	})
	expectReady(t, ns, metav1.ConditionTrue, v1alpha1.ReasonReady)

	database.proxy.Stop()
	expectReady(t, ns, metav1.ConditionFalse, v1alpha1.ReasonStorageUnavailable)
	_, err := customer.Say(t.Context(), "m2", "Are you still there?")
	var refused *runtimeclient.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || !strings.Contains(refused.Problem.Message, "try again") {
		t.Errorf("a message without the database: %v", err)
	}
	if err := database.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	do(t, "send again", func(ctx context.Context) error {
		_, err := customer.Say(ctx, "m2", "Are you still there?")
		return err
	})
	expectReady(t, ns, metav1.ConditionTrue, v1alpha1.ReasonReady)
	do(t, "find the message once", func(ctx context.Context) error {
		return has(ctx, customer, conversation.AuthorCustomer, "Are you still there?")
	})
	if n := totalRestarts(t, ns); n != 1 {
		t.Errorf("%d restarts, and only one was killed: the others are the outage's", n)
	}
}

// disturbed is a database that the cluster's pods reach through a proxy.
type disturbed struct {
	proxy *toxiproxy.Proxy
	dsn   string
}

// startDatabase runs PostgreSQL on this machine's loopback, and a proxy to it at the address of the local cluster's node.
func startDatabase(t *testing.T) disturbed {
	t.Helper()
	server := postgrestest.Start(t)
	var nodes corev1.NodeList
	if err := cluster.client.List(t.Context(), &nodes); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(nodes.Items[0].Status.Addresses, func(a corev1.NodeAddress) bool { return a.Type == corev1.NodeInternalIP })
	if i < 0 {
		t.Fatalf("the node has no address: %+v", nodes.Items[0].Status.Addresses)
	}
	listen := net.JoinHostPort(nodes.Items[0].Status.Addresses[i].Address, "0")
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(proxies, "postgres", listen, fmt.Sprintf("127.0.0.1:%d", server.Port))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return disturbed{proxy, strings.Replace(server.DSN(), fmt.Sprintf("127.0.0.1:%d", server.Port), proxy.Listen, 1)}
}

// onPostgres is the sample tenant with two replicas and its conversations in PostgreSQL.
func onPostgres(t *testing.T) (file string) {
	t.Helper()
	manifest, err := os.ReadFile(editedTenant)
	if err != nil {
		t.Fatal(err)
	}
	const name = "  displayName: Canal Street Bikes\n"
	edited := strings.Replace(string(manifest), name, name+`  storage: {type: Postgres, postgres: {dsnSecretRef: {name: bikes-db-app, key: uri}}}
  runtime: {replicas: 2}
`, 1)
	file = filepath.Join(t.TempDir(), "postgres.yaml")
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// ask opens a conversation and asks for a human.
func ask(t *testing.T, base, token string) *runtimeclient.Customer {
	t.Helper()
	customer, err := runtimeclient.Open(t.Context(), http.DefaultClient, base, token, conversation.Customer{Name: "Noor"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := customer.Say(t.Context(), "m1", "I want to talk to a human"); err != nil {
		t.Fatal(err)
	}
	return customer
}

// do repeats something until it succeeds.
func do(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	if err := eventually(t.Context(), try); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// has returns an error unless the customer sees a text exactly once.
func has(ctx context.Context, c *runtimeclient.Customer, author conversation.AuthorKind, text string) error {
	events, err := c.Events(ctx, 0)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range events {
		if e.Author.Kind == author && e.Text == text {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("%q stands there %d times", text, n)
	}
	return nil
}

// expectReady waits until the Copilot's Ready has a status and reason.
func expectReady(t *testing.T, ns string, want metav1.ConditionStatus, reason string) {
	t.Helper()
	do(t, "Ready is "+string(want)+" for "+reason, func(ctx context.Context) error {
		var c v1alpha1.Copilot
		if err := cluster.client.Get(ctx, client.ObjectKey{Namespace: ns, Name: "bikes"}, &c); err != nil {
			return err
		}
		ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
		if ready == nil || ready.Status != want || ready.Reason != reason {
			return fmt.Errorf("%+v", ready)
		}
		return nil
	})
}

func runtimePods(t *testing.T, ns string) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	if err := cluster.client.List(t.Context(), &pods, client.InNamespace(ns), client.MatchingLabels(desired.Selector("bikes"))); err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

func totalRestarts(t *testing.T, ns string) (n int32) {
	t.Helper()
	for _, p := range runtimePods(t, ns) {
		n += restartsOf(p)
	}
	return n
}
