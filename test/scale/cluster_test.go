package scale_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/opencopilot/handoff-operator/internal/controller"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// auditPolicy records who wrote what, with the body, and no reads.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: Request, verbs: [create, update, patch, delete, deletecollection]}
  - {level: None}
`

// cluster is an etcd and a kube-apiserver of their own, with the CRDs and an audit log.
type cluster struct {
	env   *envtest.Environment
	admin *rest.Config
	// kubeconfig is the file of the operator's user, who has the rights of config/rbac/role.yaml.
	kubeconfig string
	audit      *auditLog
	dir        string
}

func newCluster(b *testing.B) *cluster {
	b.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		b.Fatal("KUBEBUILDER_ASSETS is not set: it must name the folder of etcd and kube-apiserver; `make bench` builds them and sets it")
	}
	c := &cluster{dir: b.TempDir()}
	policy, log := filepath.Join(c.dir, "policy.yaml"), filepath.Join(c.dir, "audit.log")
	must(b, os.WriteFile(policy, []byte(auditPolicy), 0o600))
	c.env = &envtest.Environment{
		CRDDirectoryPaths: []string{controltest.Root("config/crd/bases")}, ErrorIfCRDPathMissing: true,
		ControlPlaneStartTimeout: time.Minute, ControlPlaneStopTimeout: 2 * time.Minute,
	}
	c.env.ControlPlane.GetAPIServer().Configure().
		Set("service-cluster-ip-range", "10.0.0.0/16"). // by default, there are addresses for 254 Services
		Set("audit-policy-file", policy).
		Set("audit-log-path", log)
	b.Cleanup(func() {
		if err := c.env.Stop(); err != nil {
			b.Errorf("stop the API server: %v", err)
		}
	})
	admin, err := c.env.Start()
	must(b, err)
	c.admin, c.audit = admin, &auditLog{path: log}
	c.addOperator(b)
	return c
}

// config reaches the API server as an administrator who is known by name in the audit log. The server's own fairness
// limits the rate, as it does the operator's.
func (c *cluster) config(agent string) *rest.Config {
	out := rest.CopyConfig(c.admin)
	out.UserAgent, out.QPS = agent, -1
	return out
}

func (c *cluster) client(b *testing.B, agent string) client.Client {
	b.Helper()
	scheme, err := controller.Scheme()
	must(b, err)
	out, err := client.New(c.config(agent), client.Options{Scheme: scheme})
	must(b, err)
	return out
}

func (c *cluster) addOperator(b *testing.B) {
	b.Helper()
	user, err := c.env.AddUser(envtest.User{Name: operatorUser}, c.admin)
	must(b, err)
	kubeconfig, err := user.KubeConfig()
	must(b, err)
	c.kubeconfig = filepath.Join(c.dir, "kubeconfig")
	must(b, os.WriteFile(c.kubeconfig, kubeconfig, 0o600))

	raw, err := os.ReadFile(controltest.Root("config/rbac/role.yaml"))
	must(b, err)
	var role rbacv1.ClusterRole
	must(b, yaml.Unmarshal(raw, &role))
	binding := &rbacv1.ClusterRoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: operatorUser}},
	}
	binding.Name = role.Name
	setup := c.client(b, setupAgent)
	must(b, errors.Join(setup.Create(context.Background(), &role), setup.Create(context.Background(), binding)))
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
