// Package controltest lets tests run the operator against a real etcd and kube-apiserver, with words of the project:
// ExpectApplied, ExpectReady, ExpectCondition. Nothing in it polls or sleeps; it waits on watches.
package controltest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/opencopilot/handoff-operator/internal/controller"
)

// cluster is the API server that the tests of a package share.
var cluster struct {
	admin    *rest.Config
	operator *rest.Config
	client   client.WithWatch
	env      *envtest.Environment
	// audit is the path of the API server's log.
	audit string
}

// Run runs the tests of a package with an API server and the operator's user. It returns the exit code for TestMain.
func Run(m *testing.M) int {
	env := &envtest.Environment{}
	// The default has 254 addresses, and each Service of each test takes one for good.
	env.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.96.0.0/12")
	remove, err := audit(env)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the API server of the tests:", err)
		return 1
	}
	code := Serve(m, env, func(admin *rest.Config) error { return start(env, admin) })
	if err := remove(); err != nil {
		fmt.Fprintln(os.Stderr, "the API server of the tests:", err)
		return 1
	}
	return code
}

// Serve runs the tests of a package with the API server of env, which has the CRDs, after ready has prepared it with an
// administrator's rights. It returns the exit code for TestMain. Without KUBEBUILDER_ASSETS it is 1, unless -short is set:
// then the tests run, ready is not called, and those that need the server leave themselves out.
func Serve(m *testing.M, env *envtest.Environment, ready func(admin *rest.Config) error) int {
	flag.Parse() // testing.Short needs it
	ctrl.SetLogger(logr.Discard())
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		if testing.Short() {
			return m.Run()
		}
		fmt.Fprintln(os.Stderr, "KUBEBUILDER_ASSETS is not set: it must name the folder of etcd and kube-apiserver. "+
			"`make test` builds them and sets it; `go test -short` leaves these tests out.")
		return 1
	}
	env.CRDDirectoryPaths, env.ErrorIfCRDPathMissing = []string{Root("config/crd/bases")}, true
	admin, err := env.Start()
	if err == nil {
		err = ready(admin)
	}
	code := 1
	if err == nil {
		code = m.Run()
	}
	if err := errors.Join(err, env.Stop()); err != nil {
		fmt.Fprintln(os.Stderr, "the API server of the tests:", err)
		return 1
	}
	return code
}

// start makes the operator's user, with the rights that config/rbac/role.yaml gives and no more.
func start(env *envtest.Environment, admin *rest.Config) error {
	scheme, err := controller.Scheme()
	if err != nil {
		return err
	}
	c, err := client.NewWithWatch(admin, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	user, err := env.AddUser(envtest.User{Name: "operator"}, admin)
	if err != nil {
		return fmt.Errorf("add the operator's user: %w", err)
	}
	cluster.env, cluster.admin, cluster.operator, cluster.client = env, admin, user.Config(), c
	return grant(c)
}

func grant(c client.Client) error {
	role, err := operatorRole()
	if err != nil {
		return err
	}
	binding := &rbacv1.ClusterRoleBinding{
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "operator"}},
	}
	binding.Name = role.Name
	ctx, cancel := deadline()
	defer cancel()
	return errors.Join(c.Create(ctx, role), c.Create(ctx, binding))
}

// Root is the path of a file of the repository.
func Root(path string) string {
	_, self, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(self), "..", "..", "..", path)
}
