package controller_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/controller/index"
)

func TestEditReachesTheTableAndNothingElse(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	op := w.Start()
	b := ready(w)
	table := w.Current("bikes")
	seen := len(op.Writes())

	w.Edit(b.pool, func() { b.pool.Spec.Agents[0].DisplayName = "Mara V." })
	next := w.After("bikes", table.Spec.Revision)
	if !strings.Contains(string(next.Spec.Table.Raw), "Mara V.") {
		t.Errorf("the table lacks the edit: %s", next.Spec.Table.Raw)
	}
	w.ExpectCondition(b.copilot, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReplicas)
	w.ExpectCondition(b.channel, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReplicas)
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot, b.channel, b.pool)
	if b.copilot.Status.TableRevision != next.Spec.Revision {
		t.Errorf("the Copilot speaks of table %s, the current one is %s", b.copilot.Status.TableRevision, next.Spec.Revision)
	}
	for _, write := range op.Writes()[seen:] {
		if write != "PATCH routingtables/bikes-handoff" && !strings.HasSuffix(write, "/status") {
			t.Errorf("an edited pool made the operator write %s", write)
		}
	}
	if n := count(op.Writes()[seen:], "PATCH routingtables/bikes-handoff"); n != 1 {
		t.Errorf("the table was written %d times", n)
	}
}

func TestNothingIsWrittenAtRest(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	op := w.Start()
	ready(w)
	w.ExpectApplied(w.Manifests(controltest.Root("config/samples/full.yaml"))...)
	w.Run("hotel")
	w.Acknowledge("hotel")
	w.ExpectReady(
		&v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "hotel"}},
		&v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "hotel-web"}},
		&v1alpha1.HandoffPolicy{ObjectMeta: metav1.ObjectMeta{Name: "guests"}},
		&v1alpha1.AgentPool{ObjectMeta: metav1.ObjectMeta{Name: "reception"}},
		&v1alpha1.AgentPool{ObjectMeta: metav1.ObjectMeta{Name: "night-desk"}})
	for _, name := range []string{"hotel-phone", "hotel-mail"} {
		w.ExpectCondition(&v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: name}},
			v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotServed)
	}
	op.Stop()

	// Another process: it knows what is in the cluster and nothing of what was done before.
	restarted := w.Idle()
	all := reconcilers(w, restarted)
	for round := range 2 {
		n := reconcileAll(w, restarted, all)
		if n != 2+4+2+3 {
			t.Fatalf("%d objects were reconciled", n)
		}
		if writes := restarted.Writes(); len(writes) > 0 {
			t.Fatalf("round %d at rest wrote %v", round, writes)
		}
	}
	if reads := count(restarted.Reads(), "GET secrets/hotel-keys"); reads != 1 {
		t.Errorf("one version of a Secret was read %d times", reads)
	}
	// The same passes do write where something is missing.
	w.ExpectDeleted(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "bikes-handoff"}})
	again := w.Idle()
	reconcileAll(w, again, reconcilers(w, again))
	if writes := again.Writes(); len(writes) != 1 || writes[0] != "PATCH services/bikes-handoff" {
		t.Errorf("a missing Service made the operator write %v", writes)
	}
}

// reconcilers of an operator that is idle, with its caches filled.
func reconcilers(w *controltest.World, op *controltest.Operator) *controller.Controllers {
	w.Helper()
	mgr := op.Manager
	if err := index.Register(w.Context(), mgr.GetFieldIndexer()); err != nil {
		w.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.GetCache().Start(w.Context()) }()
	// An informer of a cache that has not begun is not waited for.
	if _, err := mgr.GetCache().GetInformer(w.Context(), &v1alpha1.Copilot{}); err != nil || !mgr.GetCache().WaitForCacheSync(w.Context()) {
		w.Fatalf("start the cache: %v", err)
	}
	w.Cleanup(func() {
		if err := <-ended; err != nil {
			w.Error(err)
		}
	})
	return controller.New(mgr.GetClient(), mgr.GetAPIReader(), mgr.GetEventRecorder("test"), controltest.Options())
}

// reconcileAll reconciles every object of the World once and returns how many there were.
func reconcileAll(w *controltest.World, op *controltest.Operator, all *controller.Controllers) int {
	w.Helper()
	fail := func(err error) {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
	}
	c := op.Manager.GetClient()
	var copilots v1alpha1.CopilotList
	var channels v1alpha1.ChannelList
	var policies v1alpha1.HandoffPolicyList
	var pools v1alpha1.AgentPoolList
	fail(errors.Join(c.List(w.Context(), &copilots), c.List(w.Context(), &channels),
		c.List(w.Context(), &policies), c.List(w.Context(), &pools)))
	for i := range copilots.Items {
		_, err := all.Copilot.Reconcile(w.Context(), &copilots.Items[i])
		fail(err)
	}
	for i := range channels.Items {
		_, err := all.Channel.Reconcile(w.Context(), index.Request(w.Namespace, channels.Items[i].Spec.CopilotRef.Name))
		fail(err)
	}
	for i := range policies.Items {
		_, err := all.HandoffPolicy.Reconcile(w.Context(), &policies.Items[i])
		fail(err)
	}
	for i := range pools.Items {
		_, err := all.AgentPool.Reconcile(w.Context(), &pools.Items[i])
		fail(err)
	}
	return len(copilots.Items) + len(channels.Items) + len(policies.Items) + len(pools.Items)
}

func TestRefusedTableIsReported(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := ready(w)
	before := w.Current("bikes").Spec.Revision
	w.Edit(b.pool, func() { b.pool.Spec.Agents[0].DisplayName = "Someone" })
	w.After("bikes", before)
	w.Refuse("bikes", before, "format version 9 is newer than this runtime")
	w.ExpectCondition(b.copilot, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonTableRefused, "1 of 1", "format version 9")
	w.ExpectCondition(b.copilot, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonTableRefused)
	w.ExpectKstatus(b.copilot, status.FailedStatus)
	w.ExpectCondition(b.channel, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonTableRefused)
	expectEvent(w, v1alpha1.ReasonTableRefused)
}

func TestStorageThatIsAwayIsReported(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := ready(w)
	w.LoseStorage("bikes", "the database does not answer")
	w.ExpectCondition(b.copilot, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonStorageUnavailable,
		"1 of 1", "try again", "the database does not answer")
	w.ExpectCondition(b.copilot, v1alpha1.ConditionProgrammed, metav1.ConditionTrue, v1alpha1.ReasonProgrammed)
	w.ExpectKstatus(b.copilot, status.InProgressStatus)
	w.ExpectCondition(b.channel, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCopilotNotReady, "the database does not answer")
	expectEvent(w, v1alpha1.ReasonStorageUnavailable)
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot, b.channel)
}

func TestEntryOfGonePodIsRemoved(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := ready(w)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: controltest.PodName("bikes")}}
	w.ExpectDeleted(pod)
	w.Table("bikes", func(t *v1alpha1.RoutingTable) error {
		if n := len(t.Status.Replicas); n > 0 {
			return fmt.Errorf("%d entries", n)
		}
		return nil
	})
	w.ExpectCondition(b.copilot, v1alpha1.ConditionProgrammed, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReplicas)
	w.Acknowledge("bikes")
	w.ExpectReady(b.copilot)
}

// A Copilot on PostgreSQL has no volume and rolls without a gap, and its runtime may read the Secret with the DSN, which the
// table names.
func TestPostgres(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	w.ExpectCreated(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "pg-db-app"}, StringData: map[string]string{"uri": "postgresql://app:s3cret@pg-db-rw/app"}})
	meta := metav1.ObjectMeta{Name: "pg-handoff", Namespace: w.Namespace}
	c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "pg"}, Spec: v1alpha1.CopilotSpec{
		Runtime: &v1alpha1.Runtime{Replicas: ptr.To[int32](2)},
		Storage: &v1alpha1.Storage{
			Type:     v1alpha1.StoragePostgres,
			Postgres: &v1alpha1.PostgresStorage{DSNSecretRef: v1alpha1.SecretKeyRef{Name: "pg-db-app", Key: "uri"}},
		}}}
	w.ExpectCreated(c)
	w.ExpectAccepted(c)
	w.Acknowledge("pg")
	w.ExpectCondition(c, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReplicas, "1 of 2")
	d := &appsv1.Deployment{ObjectMeta: meta}
	w.Get(d)
	if args := d.Spec.Template.Spec.Containers[0].Args; *d.Spec.Replicas != 2 || d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType || !slices.Contains(args, "--data-dir=") {
		t.Errorf("the Deployment has %d replicas, %s, arguments %v", *d.Spec.Replicas, d.Spec.Strategy.Type, args)
	}
	w.Get(&policyv1.PodDisruptionBudget{ObjectMeta: meta})
	if err := w.Client.Get(t.Context(), client.ObjectKeyFromObject(d), &corev1.PersistentVolumeClaim{}); !apierrors.IsNotFound(err) {
		t.Errorf("it has a volume's claim: %v", err)
	}
	role := &rbacv1.Role{ObjectMeta: meta}
	w.Get(role)
	if !slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
		return slices.Equal(r.Resources, []string{"secrets"}) && slices.Equal(r.ResourceNames, []string{"pg-db-app"})
	}) {
		t.Errorf("the runtime's rules are %+v", role.Rules)
	}
	table := w.Current("pg")
	if raw := string(table.Spec.Table.Raw); !strings.Contains(raw, `"postgres":{"dsn":{"key":"uri","name":"pg-db-app"}}`) || strings.Contains(raw, "s3cret") {
		t.Errorf("the table is %s", raw)
	}
}

func TestSharedPool(t *testing.T) {
	t.Parallel()
	w := controltest.New(t)
	w.Start()
	b := ready(w)
	w.ExpectCondition(b.pool, v1alpha1.ConditionSharedAcrossCopilots, metav1.ConditionFalse, v1alpha1.ReasonNotShared)
	second := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "second"}, Spec: v1alpha1.CopilotSpec{PolicyRef: &v1alpha1.LocalRef{Name: "bikes"}}}
	w.ExpectCreated(second)
	w.ExpectCondition(b.pool, v1alpha1.ConditionSharedAcrossCopilots, metav1.ConditionTrue, v1alpha1.ReasonShared, "bikes, second")
	w.ExpectDeleted(second)
	w.ExpectDeleted(b.copilot)
	w.ExpectCondition(b.pool, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonUnused)
	w.ExpectKstatus(b.pool, status.CurrentStatus)
	w.ExpectCondition(b.policy, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonUnused)
	w.ExpectCondition(b.channel, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonNotFound, `Copilot "bikes"`)
	w.ExpectKstatus(b.channel, status.InProgressStatus)
}
