// Package exposure tests that a Copilot is reached from outside the way it asks for, in clusters with and without the
// Gateway API. The tests install and remove that API, so they have an API server of their own and run one after the other.
package exposure

import (
	"errors"
	"fmt"
	"os"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
	"github.com/opencopilot/handoff-operator/internal/desired"
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

// The address of a Channel is where its visitors reach it.
func TestChannelFollowsTheURL(t *testing.T) {
	w := controltest.New(t)
	op := w.Start()
	c := hello(w)
	ch := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: v1alpha1.ChannelSpec{
		CopilotRef: v1alpha1.LocalRef{Name: "hello"}, Type: v1alpha1.ChannelTypeWeb,
	}}
	w.ExpectCreated(ch)
	inside := desired.Address(w.Namespace, "hello")
	expectAddress(w, ch, inside)
	expose(w, c, v1alpha1.ExposureIngress)
	expectAddress(w, ch, "https://"+host)
	expose(w, c, v1alpha1.ExposureGateway) // which this cluster does not have
	expectAddress(w, ch, inside)
	op.Rest()
}

func expectAddress(w *controltest.World, ch *v1alpha1.Channel, want string) {
	w.Helper()
	w.Until(ch, func() error {
		if ch.Status.Address != want {
			return errors.New("its address is " + ch.Status.Address)
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

// The API comes, goes and comes back while the operator runs.
func TestGatewayAPIComesAndGoes(t *testing.T) {
	w := controltest.New(t)
	op := w.Start()
	c := hello(w)
	expose(w, c, v1alpha1.ExposureGateway)
	missing := func() {
		t.Helper()
		w.ExpectCondition(c, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonGatewayAPIMissing,
			"spec.exposure.type", "install its CRDs", "use type Ingress")
		expectURL(w, c, "")
	}
	missing()
	w.Run("hello")
	w.Acknowledge("hello")
	w.ExpectReady(c) // inside the cluster it is served

	route := child(&gatewayv1.HTTPRoute{})
	for range 2 {
		w.InstallGatewayAPI()
		expectThere(w, route)
		w.ExpectCondition(c, v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue, v1alpha1.ReasonResolved)
		expectURL(w, c, "https://"+host)
		w.Edit(route, func() { route.Spec.Hostnames = []gatewayv1.Hostname{"else.example.com"} })
		expectHostname(w, route)
		op.Rest()
		w.UninstallGatewayAPI()
		missing()
	}
	op.Rest()
}

func expectHostname(w *controltest.World, route *gatewayv1.HTTPRoute) {
	w.Helper()
	w.Until(route, func() error {
		if h := route.Spec.Hostnames; len(h) != 1 || h[0] != host {
			return fmt.Errorf("its hosts are %v", h)
		}
		return nil
	})
}
