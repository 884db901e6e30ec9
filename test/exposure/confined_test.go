package exposure

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/controller/controltest"
)

// An operator with rights in its namespace alone may not watch for the Gateway API. It starts nevertheless, and uses what
// was there when it did.
func TestOperatorThatMayNotWatchForTheGatewayAPI(t *testing.T) {
	w := controltest.New(t)
	setup := controltest.Setup{As: w.Confined()}
	op := w.StartWith(setup)
	c := hello(w)
	expose(w, c, v1alpha1.ExposureGateway)
	w.ExpectCondition(c, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonGatewayAPIMissing, "restart the operator")
	w.Run("hello")
	w.Acknowledge("hello")
	w.ExpectReady(c)
	op.Rest()
	op.Stop()

	w.InstallGatewayAPI()
	defer w.UninstallGatewayAPI()
	op = w.StartWith(setup)
	route := child(&gatewayv1.HTTPRoute{})
	expectThere(w, route)
	w.ExpectCondition(c, v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue, v1alpha1.ReasonResolved)
	expectURL(w, c, "https://"+host)
	w.ExpectDeleted(route)
	w.UntilReplaced(route)
	op.Rest()
	op.Stop()
}
