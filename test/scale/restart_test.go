package scale_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// restart is what follows the operator's end by SIGKILL.
type restart struct {
	// looked is from the start of the new process until its controllers have reconciled every object and their queues
	// are empty. floor is reading the same objects once by client-go, all kinds at the same time.
	looked, floor time.Duration
	// writes of the operator meanwhile, but those for the new tenant.
	writes int
	// created is how long a new tenant takes to be Ready whose objects are created as soon as the first Copilot was
	// looked at, and rest the same when nothing else is to be done.
	created, rest time.Duration
}

// controllers are those whose queues a restart fills.
var controllers = []string{"copilot", "channel", "handoffpolicy", "agentpool"}

// measureRestart kills o. The namespaces of two more tenants must be prepared.
func (f *figures) measureRestart(b *testing.B, c *cluster, binary string, o *operator, ready *readiness, t tenant) *operator {
	b.Helper()
	o.kill()
	discard(b, c.audit)
	f.restart.floor = readAll(b, c)
	users := c.client(b, usersAgent)

	start := time.Now()
	o = startOperator(b, binary, c, flags()...)
	o.await(b, func() bool { return o.reconciled("copilot") > 0 })
	created := make(chan time.Duration)
	go func() { created <- f.oneMore(b, users, ready, t, f.copilots) }()
	o.await(b, func() bool {
		for _, name := range controllers {
			if o.reconciled(name) < float64(f.copilots) {
				return false
			}
		}
		return o.quiet()
	})
	f.restart.looked = time.Since(start)
	f.restart.created = <-created
	o.settle(b)
	writes, err := c.audit.next()
	must(b, err)
	for _, w := range writes {
		if w.who() == operatorUser && w.ObjectRef.Namespace != namespace(f.copilots) {
			f.restart.writes++
		}
	}
	f.restart.rest = f.oneMore(b, users, ready, t, f.copilots+1)
	return o
}

// oneMore creates the i-th tenant and returns how long it took to be Ready.
func (f *figures) oneMore(b *testing.B, users client.Client, ready *readiness, t tenant, i int) time.Duration {
	start := time.Now()
	if err := create(users, namespace(i), t.written); err != nil {
		b.Error(err)
		return 0
	}
	ready.wait(b, canaries+len(kinds)*(i+1))
	return time.Since(start)
}

// readAll reads what the operator's informers hold.
func readAll(b *testing.B, c *cluster) time.Duration {
	b.Helper()
	reader := c.client(b, "floor")
	ours := client.MatchingLabels{desired.LabelManagedBy: desired.ManagedBy}
	metadata := func(kind string) client.ObjectList {
		l := &metav1.PartialObjectMetadataList{}
		l.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind + "List"))
		return l
	}
	start := time.Now()
	var g errgroup.Group
	read := func(list client.ObjectList, opts ...client.ListOption) {
		g.Go(func() error { return reader.List(context.Background(), list, opts...) })
	}
	for _, l := range []client.ObjectList{
		&v1alpha1.CopilotList{}, &v1alpha1.ChannelList{}, &v1alpha1.HandoffPolicyList{}, &v1alpha1.AgentPoolList{},
		&v1alpha1.RoutingTableList{}, metadata("Secret"), metadata("ConfigMap"),
	} {
		read(l)
	}
	for _, l := range []client.ObjectList{
		&appsv1.DeploymentList{}, &corev1.ServiceList{}, &corev1.ServiceAccountList{}, &corev1.PersistentVolumeClaimList{},
		&rbacv1.RoleList{}, &rbacv1.RoleBindingList{}, &networkingv1.NetworkPolicyList{}, metadata("Pod"),
	} {
		read(l, ours)
	}
	must(b, g.Wait())
	return time.Since(start)
}

// reconciled is how many reconciles a controller has ended.
func (o *operator) reconciled(controller string) float64 {
	return o.metric("controller_runtime_reconcile_total", `controller="`+controller+`"`)
}

// quiet says that no reconcile waits or runs.
func (o *operator) quiet() bool {
	return o.metric("workqueue_depth") == 0 && o.metric("controller_runtime_active_workers") == 0
}

// await asks until done says yes.
func (o *operator) await(b *testing.B, done func() bool) {
	b.Helper()
	deadline := time.After(patience)
	for !done() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			b.Fatalf("the operator is not done after %s", patience)
		}
	}
}

// settle returns when the operator has been quiet for two seconds.
func (o *operator) settle(b *testing.B) {
	b.Helper()
	since := time.Now()
	o.await(b, func() bool {
		if !o.quiet() {
			since = time.Now()
		}
		return time.Since(since) > 2*time.Second
	})
}
