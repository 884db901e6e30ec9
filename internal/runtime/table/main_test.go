package table_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// env is a kube-apiserver with its etcd, for all tests of the package.
var env = newEnvironment()

func newEnvironment() *envtest.Environment {
	return &envtest.Environment{CRDDirectoryPaths: []string{"../../../config/crd/bases"}, ErrorIfCRDPathMissing: true}
}

// TestMain also checks, once all is stopped, that no goroutine is left.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if _, err := env.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "no API server for the tests; make test builds one and sets KUBEBUILDER_ASSETS:", err)
		return 1
	}
	log.SetLogger(logr.Discard())
	code := m.Run()
	if err := env.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the API server:", err)
		return 1
	}
	if err := goleak.Find(goleak.IgnoreTopFunction("k8s.io/klog/v2.(*flushDaemon).run.func1")); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
