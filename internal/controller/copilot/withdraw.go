package copilot

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/runtime"
	networkingac "k8s.io/client-go/applyconfigurations/networking/v1"
	gatewayac "sigs.k8s.io/gateway-api/applyconfiguration/apis/v1"

	"github.com/opencopilot/handoff-operator/api/v1alpha1"
	"github.com/opencopilot/handoff-operator/internal/desired"
)

// withdraw removes what would lead a host to c that belongs to another Copilot. Everything else of c stays, as it does
// whenever c is not Accepted.
func (r *Reconciler) withdraw(ctx context.Context, c *v1alpha1.Copilot, platform desired.Platform) error {
	name := desired.Name(c.Name)
	leads := []runtime.ApplyConfiguration{networkingac.Ingress(name, c.Namespace)}
	if platform.GatewayAPI {
		leads = append(leads, gatewayac.HTTPRoute(name, c.Namespace))
	}
	var failed error
	for _, absent := range leads {
		_, err := r.Applier.Remove(ctx, c, absent)
		failed = errors.Join(failed, err)
	}
	return failed
}
