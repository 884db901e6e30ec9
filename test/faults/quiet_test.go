package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// tenants applies n tenants with everything of their own, with an Ingress for every other one.
func tenants(w *controltest.World, n int) (ready []*v1alpha1.Copilot) {
	w.Helper()
	for i := range n {
		for _, o := range w.Manifests(controltest.Root("test/faults/testdata/tenant.yaml")) {
			w.ExpectApplied(numbered(w, o, i))
		}
		c := &v1alpha1.Copilot{ObjectMeta: named(fmt.Sprint("shop-", i))}
		if i%2 == 1 {
			w.Edit(c, func() {
				c.Spec.Exposure = &v1alpha1.Exposure{Type: v1alpha1.ExposureIngress, Host: fmt.Sprintf("shop-%d.example", i)}
			})
		}
		ready = append(ready, c)
	}
	return ready
}

// numbered gives an object, what it names and its token a number.
func numbered(w *controltest.World, o *unstructured.Unstructured, i int) *unstructured.Unstructured {
	w.Helper()
	o.SetName(fmt.Sprintf("%s-%d", o.GetName(), i))
	rename(o.Object["spec"], i)
	return o
}

func rename(v any, i int) {
	switch v := v.(type) {
	case map[string]any:
		for field, inner := range v {
			switch field {
			case "policyRef", "copilotRef", "configMapRef", "pool", "apiKeySecretRef":
				ref := inner.(map[string]any)
				ref["name"] = fmt.Sprintf("%s-%d", ref["name"], i)
			case "token":
				v[field] = fmt.Sprintf("%s-%d", inner, i)
			default:
				rename(inner, i)
			}
		}
	case []any:
		for _, inner := range v {
			rename(inner, i)
		}
	}
}

// TestRestartAtRestWritesNothing counts in the API server's audit log what an operator asks for that takes over a cluster
// at rest. It has a Lease.
func TestRestartAtRestWritesNothing(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	user := w.Audited()
	setup := controltest.Setup{As: user, Elect: true}
	op := w.StartWith(setup)
	begin := user.Mark()
	copilots := tenants(w, 5)
	if !w.Settle(op) {
		t.Fatal("the operator ended")
	}
	for _, c := range copilots {
		w.ExpectReady(c)
	}
	rest := user.Mark()
	if n := user.Between(begin, rest).Writes()["patch copilots/status"]; n < len(copilots) {
		t.Fatalf("the audit log has %d writes of a Copilot's status: it misses some", n)
	}

	op.Kill()
	again := w.StartWith(setup)
	again.Rest()
	end := user.Mark()
	asked := user.Between(rest, end)
	t.Logf("asked by an operator that took over 5 Copilots at rest:\n%s", asked)
	if writes := asked.Writes(); len(writes) > 0 {
		t.Errorf("it wrote:\n%s", writes)
	}
	if asked["list copilots"]+asked["watch copilots"] == 0 || asked["update leases"] == 0 {
		t.Error("it did not look at the Copilots, or has no Lease: this proves nothing")
	}
}

const (
	atRest     = 5 * time.Minute
	afterAKill = time.Minute
)

// TestSoakOfRest leaves 20 Copilots and the operator's own binary alone for five minutes, kills it with SIGKILL, starts
// another, and counts in the audit log what both asked for by the verb.
func TestSoakOfRest(t *testing.T) {
	t.Parallel()
	if !long {
		t.Skip("takes more than six minutes: SOAK=1 asks for it; TestRestartAtRestWritesNothing is the short form")
	}
	w := controltest.New(t)
	user := w.Audited()
	binary := filepath.Join(t.TempDir(), "operator")
	// As the tests themselves are built, so that all but the linking is in the compiler's cache.
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/operator")
	build.Dir = controltest.Root(".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the operator: %v\n%s", err, out)
	}
	process := operator(w, user, binary)
	copilots := tenants(w, 20)
	for _, c := range copilots {
		w.Run(c.Name)
		w.Acknowledge(c.Name)
	}
	for _, c := range copilots {
		w.ExpectReady(c)
	}
	wait(t, afterAKill) // for the last events of the beginning
	begin := user.Mark()
	wait(t, atRest)
	killed := user.Mark()
	process.kill()
	operator(w, user, binary)
	wait(t, afterAKill)
	end := user.Mark()

	for what, asked := range map[string]controltest.Count{
		"at rest for " + atRest.String(): user.Between(begin, killed),
		"after kill -9 and a restart":    user.Between(killed, end),
	} {
		t.Logf("20 Copilots %s:\n%s", what, asked)
		if writes := asked.Writes(); len(writes) > 0 {
			t.Errorf("%s it wrote:\n%s", what, writes)
		}
		if asked["update leases"] == 0 {
			t.Errorf("%s it did not even renew its Lease: it does not run", what)
		}
	}
	// It is not dead: it answers a change.
	pool := &v1alpha1.AgentPool{ObjectMeta: named("day-3")}
	before := w.Current("shop-3").Spec.Revision
	w.Edit(pool, func() { pool.Spec.Agents[0].DisplayName = "Somebody" })
	w.After("shop-3", before)
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// child process of a test.
type process struct{ kill func() }

// operator runs the operator's binary as the user, on the World's namespace.
func operator(w *controltest.World, user *controltest.Audited, binary string) process {
	w.Helper()
	kubeconfig := filepath.Join(w.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, user.Kubeconfig, 0o600); err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // which sends SIGKILL
	c := exec.CommandContext(ctx, binary, "--runtime-image="+controltest.Image, "--release=test", "--namespace="+w.Namespace,
		"--leader-elect", "--leader-election-namespace="+w.Namespace, "--metrics-bind-address=0", "--health-probe-bind-address=0")
	c.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	c.Stderr = w.Output()
	if err := c.Start(); err != nil {
		w.Fatal(err)
	}
	kill := func() {
		cancel()
		_ = c.Wait()
	}
	w.Cleanup(kill)
	return process{kill}
}
