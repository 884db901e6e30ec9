// Package exposure tests that a Copilot is reached from outside the way it asks for, in clusters with and without the
// Gateway API. The tests install and remove that API, so they have an API server of their own and run one after the other.
package exposure

import (
	"errors"
	"os"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

func TestMain(m *testing.M) { os.Exit(controltest.Run(m)) }

const host = "hello.example.com"

func hello(w *controltest.World) *v1alpha1.Copilot {
	w.Helper()
	c := &v1alpha1.Copilot{ObjectMeta: metav1.ObjectMeta{Name: "hello"}}
	w.ExpectCreated(c)
	return c
}

// expose edits the Copilot's exposure, and waits until the operator has seen that.
func expose(w *controltest.World, c *v1alpha1.Copilot, kind v1alpha1.ExposureType) {
	w.Helper()
	w.Edit(c, func() {
		c.Spec.Exposure = &v1alpha1.Exposure{Type: kind, Host: host}
		switch kind {
		case v1alpha1.ExposureIngress:
			c.Spec.Exposure.Ingress = &v1alpha1.IngressExposure{TLSSecretRef: &v1alpha1.LocalRef{Name: "hello-tls"}}
		case v1alpha1.ExposureGateway:
			c.Spec.Exposure.Gateway = &v1alpha1.GatewayExposure{Name: "public", Namespace: "gateways"}
		}
	})
	w.ExpectAccepted(c)
}

func child[T client.Object](o T) T {
	o.SetName("hello-handoff")
	return o
}

func expectThere(w *controltest.World, o client.Object) {
	w.Helper()
	w.Until(o, func() error { return nil })
}

func expectURL(w *controltest.World, c *v1alpha1.Copilot, want string) {
	w.Helper()
	w.Until(c, func() error {
		if c.Status.URL != want {
			return errors.New("its URL is " + c.Status.URL)
		}
		return nil
	})
}

func TestIngress(t *testing.T) {
	w := controltest.New(t)
	op := w.Start()
	c := hello(w)
	expose(w, c, v1alpha1.ExposureIngress)
	ingress := child(&networkingv1.Ingress{})
	expectThere(w, ingress)
	expectURL(w, c, "https://"+host)
	w.ExpectCondition(c, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonNotFound, "spec.exposure.ingress.tlsSecretRef", "hello-tls")

	w.ExpectDeleted(ingress)
	w.UntilReplaced(ingress)
	w.Edit(ingress, func() { ingress.Spec.Rules[0].Host = "else.example.com" })
	w.Until(ingress, func() error {
		if h := ingress.Spec.Rules[0].Host; h != host {
			return errors.New("its host is " + h)
		}
		return nil
	})

	expose(w, c, v1alpha1.ExposureNone)
	w.UntilGone(ingress)
	expectURL(w, c, "")
	op.Rest()
}

func TestGatewayAPIWasThereBefore(t *testing.T) {
	w := controltest.New(t)
	w.InstallGatewayAPI()
	defer w.UninstallGatewayAPI()
	op := w.Start()
	c := hello(w)
	expose(w, c, v1alpha1.ExposureGateway)
	route := child(&gatewayv1.HTTPRoute{})
	expectThere(w, route)
	w.ExpectCondition(c, v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue, v1alpha1.ReasonResolved)
	op.Rest()
	op.Stop()

	// At rest nothing is written, also after a restart.
	op = w.Start()
	op.Rest()
	if writes := op.Writes(); len(writes) > 0 {
		t.Errorf("the restarted operator wrote %v", writes)
	}
	w.ExpectDeleted(route)
	w.UntilReplaced(route)
	op.Rest()
	op.Stop()

	// What the Copilot stopped wanting while nobody looked goes as well.
	w.Edit(c, func() { c.Spec.Exposure = nil })
	op = w.Start()
	w.UntilGone(route)
	op.Rest()
}
