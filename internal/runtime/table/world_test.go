package table_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/routing"
	"github.com/opencopilot/handoff-operator/internal/runtime/table"
)

const (
	tableName = "hello-handoff"
	faqName   = "hello-faq"
	keyName   = "hello-model"
	podName   = "hello-handoff-0"
	// patience is how long an awaited event may take before a test gives up.
	patience = 60 * time.Second
)

// world is a namespace with a ServiceAccount that may do what a runtime's Role permits, and no more.
type world struct {
	t      *testing.T
	ctx    context.Context
	ns     string
	admin  client.WithWatch
	config *rest.Config
}

func newWorld(t *testing.T, server *rest.Config) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	scheme := runtime.NewScheme()
	must(t, errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)))
	admin, err := client.NewWithWatch(server, client.Options{Scheme: scheme})
	must(t, err)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "table-"}}
	must(t, admin.Create(ctx, ns))
	w := &world{t: t, ctx: ctx, ns: ns.Name, admin: admin}
	w.allow(rules())
	w.config = rest.AnonymousClientConfig(server)
	w.config.BearerToken = w.token()
	return w
}

// rules are the least that a runtime needs for the tables of these tests.
func rules() []rbacv1.PolicyRule {
	handoff := v1alpha1.GroupVersion.Group
	return []rbacv1.PolicyRule{
		{APIGroups: []string{handoff}, Resources: []string{"routingtables"}, ResourceNames: []string{tableName}, Verbs: []string{"list", "watch"}},
		{APIGroups: []string{handoff}, Resources: []string{"routingtables/status"}, ResourceNames: []string{tableName}, Verbs: []string{"patch"}},
		{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{keyName}, Verbs: []string{"list", "watch"}},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{faqName}, Verbs: []string{"list", "watch"}},
	}
}

func (w *world) allow(rules []rbacv1.PolicyRule) {
	w.t.Helper()
	meta := metav1.ObjectMeta{Name: tableName, Namespace: w.ns}
	w.create(&corev1.ServiceAccount{ObjectMeta: meta})
	w.create(&rbacv1.Role{ObjectMeta: meta, Rules: rules})
	w.create(&rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: tableName},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: tableName, Namespace: w.ns}},
	})
}

func (w *world) token() string {
	w.t.Helper()
	request := &authv1.TokenRequest{}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: tableName, Namespace: w.ns}}
	must(w.t, w.admin.SubResource("token").Create(w.ctx, account, request))
	return request.Status.Token
}

func (w *world) create(object client.Object) {
	w.t.Helper()
	object.SetNamespace(w.ns)
	must(w.t, w.admin.Create(w.ctx, object))
}

func (w *world) createFAQ(text string) *corev1.ConfigMap {
	w.t.Helper()
	faq := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: faqName}, Data: map[string]string{"faq.md": text}}
	w.create(faq)
	return faq
}

func (w *world) createKey(value string) *corev1.Secret {
	w.t.Helper()
	key := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: keyName}, Data: map[string][]byte{"key": []byte(value)}}
	w.create(key)
	return key
}

func (w *world) update(object client.Object) {
	w.t.Helper()
	must(w.t, w.admin.Update(w.ctx, object))
}

// plain is a table that names nothing; displayName tells tables apart.
func plain(displayName string) *routing.Table {
	return &routing.Table{
		FormatVersion: routing.FormatVersion,
		Copilot:       routing.Copilot{Namespace: "ns", Name: "hello", DisplayName: displayName, Language: "en"},
	}
}

// full is a table that names the FAQ and the model's key.
func full(displayName string) *routing.Table {
	t := plain(displayName)
	t.Copilot.Knowledge = []routing.KnowledgeSource{{Name: "faq", ConfigMap: faqName}}
	t.Copilot.Model = &routing.Model{
		BaseURL: "https://model.example/v1", Name: "m", APIKey: &routing.SecretKey{Name: keyName, Key: "key"},
		Timeout: metav1.Duration{Duration: time.Second},
	}
	return t
}

func spec(t *testing.T, table *routing.Table) v1alpha1.RoutingTableSpec {
	t.Helper()
	raw, err := json.Marshal(table)
	must(t, err)
	return v1alpha1.RoutingTableSpec{
		FormatVersion: int32(table.FormatVersion), Revision: routing.Revision(table), Table: runtime.RawExtension{Raw: raw},
	}
}

// write creates or changes the RoutingTable.
func (w *world) write(spec v1alpha1.RoutingTableSpec) {
	w.t.Helper()
	rt := &v1alpha1.RoutingTable{}
	rt.Name, rt.Namespace = tableName, w.ns
	if err := w.admin.Get(w.ctx, client.ObjectKeyFromObject(rt), rt); client.IgnoreNotFound(err) != nil {
		w.t.Fatal(err)
	}
	if rt.ResourceVersion == "" {
		rt.Spec = spec
		w.create(rt)
		return
	}
	// A merge patch, so that a status written meanwhile is no conflict.
	before := rt.DeepCopy()
	rt.Spec = spec
	must(w.t, w.admin.Patch(w.ctx, rt, client.MergeFrom(before)))
}

// replicas waits until the status satisfies ok, and returns the RoutingTable.
func (w *world) replicas(what string, ok func([]v1alpha1.ReplicaStatus) bool) *v1alpha1.RoutingTable {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	watch, err := w.admin.Watch(ctx, &v1alpha1.RoutingTableList{}, client.InNamespace(w.ns))
	must(w.t, err)
	defer watch.Stop()
	var last []v1alpha1.ReplicaStatus
	for event := range watch.ResultChan() {
		rt, is := event.Object.(*v1alpha1.RoutingTable)
		if !is {
			continue
		}
		if last = rt.Status.Replicas; ok(last) {
			return rt
		}
	}
	w.t.Fatalf("%s: never; the status is %+v", what, last)
	return nil
}

// acknowledged waits until the only replica serves revision and refuses nothing.
func (w *world) acknowledged(revision string) *v1alpha1.RoutingTable {
	w.t.Helper()
	return w.replicas("acknowledge "+revision, func(r []v1alpha1.ReplicaStatus) bool {
		return len(r) == 1 && r[0] == v1alpha1.ReplicaStatus{Name: podName, Revision: revision}
	})
}

// source runs a source of inputs and tells what it hands on.
type source struct {
	t    *testing.T
	uses chan table.Inputs
	// refuse is the answer to each use, nil for yes.
	refuse  func(table.Inputs) error
	metrics *prometheus.Registry
	// cluster is what runs, or nil for a file.
	cluster *table.Cluster
	cancel  context.CancelFunc
	done    chan error
}

func (w *world) options(config *rest.Config) table.ClusterOptions {
	return table.ClusterOptions{
		Config: config, Namespace: w.ns, Name: tableName, Pod: podName, RunDir: w.t.TempDir(),
		Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
	}
}

// start runs a Cluster. Change the source with with, before it runs.
func (w *world) start(opts table.ClusterOptions, with ...func(*source)) *source {
	w.t.Helper()
	registry := prometheus.NewRegistry()
	opts.Metrics = table.NewMetrics(registry)
	cluster, err := table.NewCluster(opts)
	must(w.t, err)
	s := startSource(w.ctx, w.t, registry, cluster.Run, with...)
	s.cluster = cluster
	return s
}

func startSource(ctx context.Context, t *testing.T, registry *prometheus.Registry, run func(context.Context, table.Use) error, with ...func(*source)) *source {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	s := &source{t: t, uses: make(chan table.Inputs, 100), metrics: registry, cancel: cancel, done: make(chan error, 1),
		refuse: func(table.Inputs) error { return nil }}
	for _, change := range with {
		change(s)
	}
	go func() {
		s.done <- run(ctx, func(_ context.Context, in table.Inputs) error {
			if err := s.refuse(in); err != nil {
				return err
			}
			s.uses <- in
			return nil
		})
	}()
	t.Cleanup(s.stop)
	return s
}

// stop ends the source and waits for it.
func (s *source) stop() {
	s.cancel()
	if err := <-s.done; err != nil {
		s.t.Errorf("Run: %v", err)
	}
	s.done <- nil
}

// next returns the next inputs in use.
func (s *source) next() table.Inputs {
	s.t.Helper()
	select {
	case in := <-s.uses:
		return in
	case <-time.After(patience):
		s.t.Fatal("no inputs came")
	}
	return table.Inputs{}
}

// metric returns the sum of a metric's values.
func (s *source) metric(name string) float64 {
	s.t.Helper()
	families, err := s.metrics.Gather()
	must(s.t, err)
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func raw(json string) runtime.RawExtension { return runtime.RawExtension{Raw: []byte(json)} }
