package controltest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/opencopilot/handoff-operator/internal/controller/copilot"
)

// gatewayAPI says whether the API server has HTTPRoutes. Tests that run at the same time install them once.
var gatewayAPI struct {
	sync.Mutex
	installed bool
}

// InstallGatewayAPI adds HTTPRoutes to the API server, for all tests of the package. It returns when they are served.
func (w *World) InstallGatewayAPI() {
	w.Helper()
	gatewayAPI.Lock()
	defer gatewayAPI.Unlock()
	if gatewayAPI.installed {
		return
	}
	_, err := envtest.InstallCRDs(cluster.admin, w.httpRouteCRD())
	w.must(err, "install the Gateway API")
	gatewayAPI.installed = true
}

// UninstallGatewayAPI removes HTTPRoutes, the kind and the objects.
func (w *World) UninstallGatewayAPI() {
	w.Helper()
	gatewayAPI.Lock()
	defer gatewayAPI.Unlock()
	options := w.httpRouteCRD()
	w.must(envtest.ReadCRDFiles(&options), "read the CRDs of the Gateway API")
	w.must(envtest.UninstallCRDs(cluster.admin, options), "remove the Gateway API")
	crd := copilot.CRD()
	crd.Name = copilot.HTTPRouteCRD
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(crd.GroupVersionKind())
	w.untilGone(crd, list)
	gatewayAPI.installed = false
}

// UntilGone waits until there is no object that o names.
func (w *World) UntilGone(o client.Object) {
	w.Helper()
	o.SetNamespace(w.Namespace)
	w.untilGone(o, w.list(o))
}

func (w *World) untilGone(o client.Object, list client.ObjectList) {
	w.Helper()
	ctx, cancel := deadline()
	defer cancel()
	events, err := w.Client.Watch(ctx, list, client.InNamespace(o.GetNamespace()), client.MatchingFields{"metadata.name": o.GetName()})
	w.must(err, "watch "+describe(o))
	defer events.Stop()
	// After the watch began, so that its end is not missed.
	if err := w.Client.Get(ctx, client.ObjectKeyFromObject(o), o); apierrors.IsNotFound(err) {
		return
	}
	for e := range events.ResultChan() {
		if e.Type == watch.Deleted {
			return
		}
	}
	w.Fatalf("%s is still there", describe(o))
}

// httpRouteCRD finds the CRD in the module that go.mod names.
func (w *World) httpRouteCRD() envtest.CRDInstallOptions {
	w.Helper()
	out, err := exec.CommandContext(w.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	w.must(err, "find the module of the Gateway API")
	file := "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"
	return envtest.CRDInstallOptions{
		Paths:              []string{filepath.Join(strings.TrimSpace(string(out)), file)},
		ErrorIfPathMissing: true,
	}
}
